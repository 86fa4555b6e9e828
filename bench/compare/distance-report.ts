import type { Middle } from "../lib/figures.ts";
import { median, rounded, table } from "../lib/figures.ts";
import type { Sample, Schedule } from "../lib/measure.ts";
import type { RequestKind } from "../lib/request.ts";
import type { TargetReport } from "../lib/summary.ts";
import { targetReport } from "../lib/summary.ts";
import type { Build, LabelledRatio } from "./builds.ts";
import { builds, newToBase, ratioTable } from "./builds.ts";

/** The distance to the database, both ways together. */
export const roundTripMs = 10;

/**
 * What each build is asked at a distance: selects, by callers who ask again at once; nine reads to one write, by as
 * many of them; and the same at half of the rate that the base can serve.
 */
export const distancePoints = ["select", "crowded", "calm"] as const;
type DistancePoint = (typeof distancePoints)[number];
export type DistanceName = `${Build}-${DistancePoint}`;

/** What both builds did, and the rate of the requests that come whatever is unanswered. */
export interface DistanceSamples {
  perSecond: number;
  samples: Sample<DistanceName>[];
}

/** Two builds with the database at a distance. */
export interface DistanceReport {
  roundTripMs: number;
  /** Of `select` and `crowded`. */
  callers: number;
  /** Requests of `calm`, at the times of independent callers. */
  perSecond: number;
  schedule: { rounds: number; roundSeconds: number; warmUpSeconds: number };
  points: Record<DistancePoint, DistancePointReport>;
}

export interface DistancePointReport extends Record<Build, FarReport> {
  /** New divided by base, of the same round; null where it cannot be known, and of a kind that is not asked for. */
  ratios: Record<Measure, Middle | null>;
}

export interface FarReport extends TargetReport {
  /** Medians of the rounds' p50; null of a kind that is not asked for. */
  readP50Ms: number | null;
  writeP50Ms: number | null;
}

const measures = {
  requestsPerSecond: { label: "requests/s", of: (sample: Sample) => sample.requestsPerSecond },
  readP50Ms: { label: "p50 of the reads", of: p50Of("read") },
  writeP50Ms: { label: "p50 of the writes", of: p50Of("write") },
  serverCpuUs: { label: "CPU of workerd", of: (sample: Sample) => sample.serverCpuUs },
  databaseCpuUs: { label: "CPU of the database", of: (sample: Sample) => sample.databaseCpuUs },
} as const;
type Measure = keyof typeof measures;

function p50Of(kind: RequestKind): (sample: Sample) => number {
  return ({ kinds }) => kinds[kind]?.p50Ms ?? NaN;
}

export function distanceReport(
  { perSecond, samples }: DistanceSamples,
  { connections: [callers = NaN], rounds, roundSeconds, warmUpSeconds }: Schedule,
): DistanceReport {
  const of = (name: DistanceName) => samples.filter(({ target }) => target === name);
  const reports = distancePoints.map((point) => [
    point,
    pointReport(of(`base-${point}`), of(`new-${point}`)),
  ]);
  return {
    roundTripMs,
    callers,
    perSecond,
    schedule: { rounds, roundSeconds, warmUpSeconds },
    points: Object.fromEntries(reports) as DistanceReport["points"],
  };
}

function pointReport(base: readonly Sample[], ours: readonly Sample[]): DistancePointReport {
  const ratios = Object.entries(measures).map(([key, { of }]) => [key, newToBase(ours, base, of)]);
  return {
    base: farReport(base),
    new: farReport(ours),
    ratios: Object.fromEntries(ratios) as DistancePointReport["ratios"],
  };
}

function farReport(samples: readonly Sample[]): FarReport {
  const p50 = (kind: RequestKind) => {
    const value = median(samples.map(p50Of(kind)));
    return Number.isNaN(value) ? null : rounded(value, 2);
  };
  return { ...targetReport(samples), readP50Ms: p50("read"), writeP50Ms: p50("write") };
}

/** The report as text for a terminal. */
export function formatDistance(report: DistanceReport): string[] {
  const { callers, perSecond, schedule, points } = report;
  const labels: Record<DistancePoint, string> = {
    select: `select, ${callers} callers`,
    crowded: `9 reads to 1 write, ${callers} callers`,
    calm: `9 reads to 1 write, ${perSecond} a second`,
  };
  const rows = distancePoints.flatMap((point) =>
    builds.map((build) => [`${labels[point]}: ${build}`, ...cells(points[point][build])]),
  );
  const ratios = distancePoints.flatMap((point) =>
    Object.entries(measures).flatMap(([key, { label }]): LabelledRatio[] => {
      const ratio = points[point].ratios[key as Measure];
      return ratio === null ? [] : [[`${labels[point]}, ${label}`, ratio]];
    }),
  );
  return [
    "",
    `the database ${report.roundTripMs} ms away (round trip); medians of ${schedule.rounds} rounds of ${schedule.roundSeconds} s`,
    ...table(
      [["", "requests/s", "reads p50 ms", "writes p50 ms", "server µs", "database µs"], ...rows],
      [42, 14],
    ),
    "",
    ...ratioTable(ratios),
  ];
}

function cells({ requestsPerSecond, readP50Ms, writeP50Ms, cpuUs }: FarReport): string[] {
  return [
    requestsPerSecond.toLocaleString("en"),
    readP50Ms?.toFixed(1) ?? "-",
    writeP50Ms?.toFixed(1) ?? "-",
    cpuUs.server?.toLocaleString("en") ?? "-",
    cpuUs.database?.toLocaleString("en") ?? "-",
  ];
}
