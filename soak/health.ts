import { median, quantile, rounded } from "../bench/lib/figures.ts";
import type { MemorySample } from "../bench/lib/memory.ts";
import type { Violation } from "./oracle.ts";
import type { FaultKind } from "./schedule.ts";
import { outages } from "./schedule.ts";

/** All times are in milliseconds since the run began. */

/** An injected fault. */
export interface Injected {
  kind: FaultKind;
  fromMs: number;
  toMs: number;
}

/** The number of the server's connections at one time, by user. */
export interface ConnectionSample {
  atMs: number;
  byUser: Readonly<Record<string, number>>;
}

export type HealthRule =
  | "connections bounded"
  | "connections known"
  | "connections end"
  | "memory flat"
  | "progress"
  | "answered in time"
  | "explained";

/** How long after a fault the server may still count dead connections. */
export const graceMs = 10_000;

/** @param budgets the largest number of connections per user */
export function judgeConnections(
  samples: readonly ConnectionSample[],
  faults: readonly Injected[],
  budgets: Readonly<Record<string, number>>,
): Violation<HealthRule>[] {
  const excused = (atMs: number) =>
    faults.some(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs + graceMs);
  return Object.entries(budgets).flatMap(([user, budget]) => {
    const over = samples.filter(({ atMs, byUser }) => (byUser[user] ?? 0) > budget && !excused(atMs));
    const [first] = over;
    if (!first) return [];
    const detail = `${user} had ${first.byUser[user]} connections of ${budget} at ${seconds(first.atMs)}, and ${over.length - 1} times more`;
    return [{ rule: "connections bounded", detail }];
  });
}

export interface MemoryFigures {
  mostMiB: number;
  /** Medians of the first and the last third after the warm-up; undefined if the run was too short. */
  thirdsMiB: [first: number, last: number] | undefined;
}

/** A JavaScript heap varies. A leak per request or fault would be far larger than this in a long run. */
const memoryGrowth = 1.3;
const memoryGrowthBytes = 64 * 2 ** 20;
/**
 * The warm-up, in which the heaps of workerd's isolates still grow. They reached their size after about
 * 11,000 transfers (430 to 500 MiB), and did not grow in the next 94,000. The warm-up is not a time, because
 * a busy machine does less work per second.
 */
const warmUpTransfers = 12_000;
/** The limit at any time. The largest value in 50 minutes was 501 MiB. */
const memoryCeilingMiB = 768;

/**
 * @returns the time from which memory must be flat, found by acknowledged transfers; undefined if the run was
 *   too short
 */
export function warmFrom(acknowledgedMs: readonly number[]): number | undefined {
  return acknowledgedMs[warmUpTransfers];
}

/** @returns undefined without samples */
export function memoryFigures(
  samples: readonly MemorySample[],
  warmUpMs: number | undefined,
): MemoryFigures | undefined {
  if (samples.length === 0) return undefined;
  const mebibytes = (bytes: number) => rounded(bytes / 2 ** 20, 1);
  const warm = samples
    .filter(({ atMs }) => warmUpMs !== undefined && atMs >= warmUpMs)
    .map(({ bytes }) => bytes);
  const third = Math.floor(warm.length / 3);
  return {
    mostMiB: mebibytes(samples.reduce((most, { bytes }) => Math.max(most, bytes), 0)),
    thirdsMiB:
      third === 0
        ? undefined
        : [mebibytes(median(warm.slice(0, third))), mebibytes(median(warm.slice(-third)))],
  };
}

export function judgeMemory(figures: MemoryFigures | undefined): Violation<HealthRule>[] {
  if (figures === undefined) return [];
  const { mostMiB, thirdsMiB } = figures;
  if (mostMiB > memoryCeilingMiB) {
    return [{ rule: "memory flat", detail: `workerd had ${mostMiB} MiB, ${memoryCeilingMiB} at the most` }];
  }
  if (thirdsMiB === undefined) return [];
  const [first, last] = thirdsMiB;
  const bound = Math.max(first * memoryGrowth, first + memoryGrowthBytes / 2 ** 20);
  if (last <= bound) return [];
  return [{ rule: "memory flat", detail: `workerd grew from ${first} to ${last} MiB (medians of thirds)` }];
}

/** The longest accepted time without an acknowledged transfer while every part runs. */
export const standstillMs = 30_000;

/**
 * @param acknowledgedMs times of acknowledged transfers, in order
 * @param endMs time when the callers stopped
 */
export function judgeProgress(
  acknowledgedMs: readonly number[],
  faults: readonly Injected[],
  endMs: number,
): Violation<HealthRule>[] {
  const moments = [0, ...acknowledgedMs, endMs];
  return moments.flatMap((toMs, i) => {
    const fromMs = moments[i - 1] ?? 0;
    const upMs = toMs - fromMs - outageMs(faults, fromMs, toMs);
    if (upMs <= standstillMs) return [];
    const detail = `nothing was acknowledged from ${seconds(fromMs)} to ${seconds(toMs)}, ${seconds(upMs)} of it without an outage`;
    return [{ rule: "progress", detail } as const];
  });
}

/** The total outage within a span. Faults do not overlap. */
function outageMs(faults: readonly Injected[], fromMs: number, toMs: number): number {
  return faults
    .filter(({ kind }) => outages.has(kind))
    .reduce(
      (sum, fault) => sum + Math.max(0, Math.min(toMs, fault.toMs) - Math.max(fromMs, fault.fromMs)),
      0,
    );
}

/** The results of the faults of one kind. */
export interface FaultFigures {
  injected: number;
  /** After how many of them a transfer was acknowledged again. */
  survived: number;
  /** From a fault's end to the next acknowledged transfer, without later outages in between. */
  recoveryMs: { median: number; max: number } | null;
}

/**
 * @param faults of one kind
 * @param acknowledgedMs in order
 * @param all the faults of every kind
 */
export function faultFigures(
  faults: readonly Injected[],
  acknowledgedMs: readonly number[],
  all: readonly Injected[],
): FaultFigures {
  const recoveries = faults.flatMap(({ toMs }) => {
    const next = acknowledgedMs.find((atMs) => atMs > toMs);
    return next === undefined ? [] : [next - toMs - outageMs(all, toMs, next)];
  });
  const figures = { median: Math.round(median(recoveries)), max: Math.round(quantile(recoveries, 1)) };
  return {
    injected: faults.length,
    survived: recoveries.length,
    recoveryMs: recoveries.length === 0 ? null : figures,
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
