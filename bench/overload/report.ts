import type { Percentiles } from "../lib/figures.ts";
import { median, percentiles, rounded, table } from "../lib/figures.ts";
import type { Sample } from "../lib/measure.ts";
import type { CrowdResult } from "./crowd.ts";
import { accepted, refused } from "./outcome.ts";
import type { Probed, ProbeName } from "./probes.ts";
import { probeNames } from "./probes.ts";

/** One phase of a crowd. A request belongs to the phase in which it came. */
export interface PhaseReport {
  name: string;
  seconds: number;
  sentPerSecond: number;
  /** Answers with status 200 that came in the phase, whenever their requests were sent. */
  servedPerSecond: number;
  accepted: Answers;
  /** Refused at once, with Retry-After, because the queue was full. */
  refused: Answers;
  /** All other answers, with the number of each. */
  others: Record<string, number>;
  /** The delay of the load generator for 99 of 100 requests; it counts as waiting. */
  lateP99Ms: number;
  probes: Record<ProbeName, Answers>;
}

export interface Answers extends Percentiles {
  count: number;
}

/** This many callers, who ask again after each answer; medians of the rounds. */
export interface ConcurrencyReport extends Percentiles {
  callers: number;
  requestsPerSecond: number;
  rounds: number[];
}

export function concurrencyReports(samples: readonly Sample[]): ConcurrencyReport[] {
  const counts = [...new Set(samples.map(({ connections }) => connections))];
  return counts.map((callers) => {
    const here = samples.filter(({ connections }) => connections === callers);
    const over = (key: keyof Percentiles) => rounded(median(here.map((sample) => sample[key])), 1);
    const rates = here.map(({ requestsPerSecond }) => requestsPerSecond);
    return {
      callers,
      requestsPerSecond: Math.round(median(rates)),
      p50Ms: over("p50Ms"),
      p90Ms: over("p90Ms"),
      p99Ms: over("p99Ms"),
      maxMs: over("maxMs"),
      rounds: rates.map(Math.round),
    };
  });
}

/** The numbers of callers as text for a terminal. */
export function formatConcurrency(reports: readonly ConcurrencyReport[]): string[] {
  const rows = reports.map(({ callers, requestsPerSecond, p50Ms, p90Ms, p99Ms, maxMs }) => [
    `${callers} callers`,
    requestsPerSecond.toLocaleString("en"),
    ...[p50Ms, p90Ms, p99Ms, maxMs].map((ms) => ms.toFixed(1)),
  ]);
  return ["", ...table([["", "requests/s", "p50 ms", "p90 ms", "p99 ms", "max ms"], ...rows], [24, 12, 10])];
}

export function phaseReports(
  { phases, answers }: Omit<CrowdResult, "cpuMs">,
  probed: readonly Probed[],
): PhaseReport[] {
  return phases.map(({ name, fromMs, toMs }) => {
    const within = (ms: number) => ms >= fromMs && ms < toMs;
    const here = answers.filter(({ phase }) => phase === name);
    const times = (outcome: string) =>
      here.filter((answer) => answer.outcome === outcome).map(({ dueMs, answeredMs }) => answeredMs - dueMs);
    const served = answers.filter(({ outcome, answeredMs }) => outcome === accepted && within(answeredMs));
    const seconds = (toMs - fromMs) / 1000;
    const probes = probeNames.map((probe) => [
      probe,
      answersOf(probed.filter((one) => one.name === probe && within(one.askedMs)).map(({ ms }) => ms)),
    ]);
    return {
      name,
      seconds: rounded(seconds, 1),
      sentPerSecond: Math.round(here.length / seconds),
      servedPerSecond: Math.round(served.length / seconds),
      accepted: answersOf(times(accepted)),
      refused: answersOf(times(refused)),
      others: countOthers(here.map(({ outcome }) => outcome)),
      lateP99Ms: rounded(percentiles(here.map(({ dueMs, sentMs }) => sentMs - dueMs)).p99Ms, 1),
      probes: Object.fromEntries(probes) as PhaseReport["probes"],
    };
  });
}

function answersOf(timesMs: number[]): Answers {
  const { p50Ms, p90Ms, p99Ms, maxMs } = percentiles(timesMs);
  return {
    count: timesMs.length,
    p50Ms: rounded(p50Ms, 1),
    p90Ms: rounded(p90Ms, 1),
    p99Ms: rounded(p99Ms, 1),
    maxMs: rounded(maxMs, 1),
  };
}

function countOthers(outcomes: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) {
    if (outcome !== accepted && outcome !== refused) counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

const probeLabels: Record<ProbeName, string> = {
  livez: "/livez",
  preflight: "preflight",
  badToken: "forged token",
};

/** The phases as text for a terminal. */
export function formatPhases(phases: readonly PhaseReport[]): string[] {
  return phases.flatMap(({ name, seconds, sentPerSecond, servedPerSecond, lateP99Ms, ...phase }) => {
    const others = Object.entries(phase.others).map(([outcome, count]) => `${count} × ${outcome}`);
    return [
      "",
      `${name}: ${seconds} s, ${sentPerSecond.toLocaleString("en")} requests/s came, ${servedPerSecond.toLocaleString("en")} were served`,
      ...table(
        [
          ["", "answers", "p50 ms", "p90 ms", "p99 ms", "max ms"],
          ["accepted", ...cells(phase.accepted)],
          ["refused, pool_full", ...cells(phase.refused)],
          ...probeNames.map((probe) => [probeLabels[probe], ...cells(phase.probes[probe])]),
        ],
        [24, 10],
      ),
      `  anything else: ${others.join(", ") || "nothing"}; 99 of 100 were sent within ${lateP99Ms} ms of their time`,
    ];
  });
}

function cells({ count, ...times }: Answers): string[] {
  const { p50Ms, p90Ms, p99Ms, maxMs } = times;
  const show = (ms: number) => (Number.isNaN(ms) ? "-" : ms.toFixed(1));
  return [count.toLocaleString("en"), ...[p50Ms, p90Ms, p99Ms, maxMs].map(show)];
}
