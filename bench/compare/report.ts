import type { Middle } from "../lib/figures.ts";
import { table } from "../lib/figures.ts";
import type { Versions } from "../lib/machine.ts";
import { machineLine } from "../lib/machine.ts";
import type { Sample } from "../lib/measure.ts";
import type { TargetReport } from "../lib/summary.ts";
import { aboveColumns, cells, columns, targetReport } from "../lib/summary.ts";
import type { Build, LabelledRatio } from "./builds.ts";
import { builds, newToBase, ratioTable } from "./builds.ts";
import type { DistanceReport } from "./distance-report.ts";
import { formatDistance } from "./distance-report.ts";

/** What each build is asked. */
export const points = ["select", "write", "rustls"] as const;
export type Point = (typeof points)[number];

export type Name = `${Build}-${Point}`;

/** The whole result, as in .tidegate/bench/compare.json. */
export interface CompareReport {
  version: 2;
  startedAt: string;
  durationSeconds: number;
  quick: boolean;
  base: { name: string; commit?: string };
  machine: { cores: number; loadAverageBefore: number; otherCores: number | null };
  versions: Versions;
  schedule: { rounds: number; roundSeconds: number; warmUpSeconds: number };
  load: CompareLoad[];
  distance: DistanceReport;
}

/** The builds under one number of client connections. */
export interface CompareLoad {
  connections: number;
  points: Record<Point, PointReport>;
}

export interface PointReport extends Record<Build, TargetReport> {
  /** New divided by base, of the same round; null where it cannot be known. */
  ratios: Record<Measure, Middle | null>;
}

const measures = ["requestsPerSecond", "p50Ms", "p99Ms", "serverCpuUs", "databaseCpuUs"] as const;
type Measure = (typeof measures)[number];

const pointLabels: Record<Point, string> = {
  select: "select",
  write: "write",
  rustls: "select, link rustls",
};
const measureLabels: Record<Measure, string> = {
  requestsPerSecond: "requests/s",
  p50Ms: "p50",
  p99Ms: "p99",
  serverCpuUs: "CPU of workerd",
  databaseCpuUs: "CPU of the database",
};

/** @param samples one of each target a round, in the order of the rounds */
export function compareLoads(samples: readonly Sample<Name>[]): CompareLoad[] {
  const connections = [...new Set(samples.map((sample) => sample.connections))];
  return connections.map((count) => {
    const of = (name: Name) =>
      samples.filter((sample) => sample.target === name && sample.connections === count);
    const reports = points.map((point) => [point, pointReport(of(`base-${point}`), of(`new-${point}`))]);
    return { connections: count, points: Object.fromEntries(reports) as CompareLoad["points"] };
  });
}

function pointReport(base: readonly Sample[], ours: readonly Sample[]): PointReport {
  const ratios = measures.map((key) => [key, newToBase(ours, base, (sample) => sample[key])]);
  return {
    base: targetReport(base),
    new: targetReport(ours),
    ratios: Object.fromEntries(ratios) as PointReport["ratios"],
  };
}

/** The report as text for a terminal. */
export function formatCompare({ base, machine, versions, schedule, load, distance }: CompareReport): string {
  const commit = base.commit === undefined ? "" : ` (${base.commit.slice(0, 12)})`;
  return [
    `base: ${base.name}${commit}; new: this checkout`,
    machineLine(versions, machine, machine.otherCores),
    `medians of ${schedule.rounds} rounds of ${schedule.roundSeconds} s; both builds in each round`,
    ...load.flatMap(formatLoad),
    ...formatDistance(distance),
  ].join("\n");
}

function formatLoad({ connections, points: reports }: CompareLoad): string[] {
  const rows = points.flatMap((point) =>
    builds.map((build) => [`${pointLabels[point]}: ${build}`, ...cells(reports[point][build])]),
  );
  const ratios = points.flatMap((point) =>
    measures.map(
      (key): LabelledRatio => [`${pointLabels[point]}, ${measureLabels[key]}`, reports[point].ratios[key]],
    ),
  );
  return [
    "",
    aboveColumns,
    ...table([[`${connections} connections`, ...columns], ...rows]),
    "",
    ...ratioTable(ratios),
  ];
}
