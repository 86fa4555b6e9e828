import { quantile, rounded, table } from "../bench/lib/figures.ts";
import type { FaultFigures, MemoryFigures } from "./health.ts";
import type { Violation } from "./oracle.ts";
import type { Outcome } from "./outcome.ts";
import type { FaultKind } from "./schedule.ts";
import { faultKinds } from "./schedule.ts";
import type { FinalConnections } from "./settle.ts";
import type { Way } from "./tally.ts";

/** The whole result, which .tidegate/soak/latest.json also holds. */
export interface SoakReport {
  version: 1;
  startedAt: string;
  minutes: number;
  seed: number;
  database: string;
  callers: number;
  faults: Record<FaultKind, FaultFigures>;
  /** Requests whose caller left before the answer. */
  abandoned: number;
  transfers: Record<Outcome, number>;
  /**
   * `unknownSeen`: unknown transfers that a caller found later. `unknownThere`: unknown transfers in the
   * ledger at the end.
   */
  unknownSeen: number;
  unknownThere: number;
  retries: number;
  answers: Record<string, number>;
  latency: Record<Way, Latency>;
  slowestAnswerMs: number;
  connections: FinalConnections & { most: Record<string, number>; budget: Record<string, number> };
  memory: MemoryFigures | null;
  violations: Violation[];
}

export interface Latency {
  count: number;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
  maxMs: number | null;
}

export function latencyOf(values: readonly number[]): Latency {
  const at = (part: number) => (values.length === 0 ? null : rounded(quantile(values, part), 1));
  return { count: values.length, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), maxMs: at(1) };
}

const ways = ["batch", "transaction"] as const;
/** A terminal shows at most so many violations. The JSON has all of them. */
const shownViolations = 30;

/** The report as text for a terminal. */
export function format(report: SoakReport): string {
  const { transfers, memory, violations } = report;
  return [
    `${report.minutes} min on ${report.database}, ${report.callers} callers, seed ${report.seed}`,
    "",
    ...table(
      [
        ["faults", "injected", "survived", "recovery", "worst"],
        ...faultKinds.map((kind) => faultRow(report, kind)),
      ],
      [22, 11],
    ),
    `${"caller gone".padEnd(22)}${String(report.abandoned).padStart(11)}`,
    "",
    `transfers: ${transfers.acknowledged} acknowledged, ${transfers.refused} refused, ${transfers.unknown} unknown (${report.unknownThere} of them happened, ${report.unknownSeen} seen to); ${report.retries} retries`,
    "",
    ...table(
      [
        ["acknowledged by", "count", "p50 ms", "p95 ms", "p99 ms", "max ms"],
        ...ways.map((way) => latencyRow(way, report.latency[way])),
      ],
      [22, 11],
    ),
    `slowest answer of all: ${Math.round(report.slowestAnswerMs)} ms`,
    "",
    ...table(
      [["answers", "count"], ...Object.entries(report.answers).map(([code, n]) => [code, String(n)])],
      [36, 9],
    ),
    "",
    ...connectionRows(report),
    memoryRow(memory),
    "",
    violations.length === 0 ? "everything holds" : `${violations.length} violations:`,
    ...violations.slice(0, shownViolations).map(({ rule, detail }) => `  ${rule}: ${detail}`),
  ].join("\n");
}

function memoryRow(memory: MemoryFigures | null): string {
  if (memory === null) return "memory of workerd: not measured (no /proc)";
  const { mostMiB, thirdsMiB } = memory;
  const flat =
    thirdsMiB === undefined
      ? "whether it is flat is not judged: the run did not come so far"
      : `${thirdsMiB[0]} MiB, then ${thirdsMiB[1]} MiB (medians of the first and the last third after the warm-up)`;
  return `memory of workerd: ${mostMiB} MiB at the most; ${flat}`;
}

function faultRow({ faults }: SoakReport, kind: FaultKind): string[] {
  const { injected, survived, recoveryMs } = faults[kind];
  const ms = (value: number | undefined) => (value === undefined ? "-" : `${value} ms`);
  return [kind, String(injected), String(survived), ms(recoveryMs?.median), ms(recoveryMs?.max)];
}

function latencyRow(way: Way, { count, ...quantiles }: Latency): string[] {
  return [way, String(count), ...Object.values(quantiles).map((ms) => (ms === null ? "-" : String(ms)))];
}

function connectionRows({ connections }: SoakReport): string[] {
  const { most, budget, atServer, inPools, afterDrain } = connections;
  const rows = Object.keys(budget).map((user) => [
    user,
    ...[budget, most, atServer].map((column) => String(column[user] ?? 0)),
    String(inPools[user]?.idle ?? 0),
    String(afterDrain[user] ?? 0),
  ]);
  return table([["connections", "budget", "most", "at the end", "pool idle", "drained"], ...rows], [22, 11]);
}
