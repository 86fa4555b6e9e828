import type { Percentiles, Ratio } from "../lib/figures.ts";
import { known, median, ratioLine, ratioOf, rounded, table } from "../lib/figures.ts";
import { meanOtherCores } from "../lib/summary.ts";

/** How a connection is prepared for its next caller. */
export const kinds = ["hot", "cold", "sequential", "none"] as const;
export type Kind = (typeof kinds)[number];

const labels: Record<Kind, string> = {
  hot: "one write, hot statement",
  cold: "one write, cold statement",
  sequential: "mysql2, one after the other",
  none: "no restore",
};

/** The exact number for each statement. */
export interface Trips {
  answer: number;
  restore: number;
}

/** One kind in one round. */
export interface RestoreSample extends Percentiles {
  kind: Kind;
  statementsPerSecond: number;
  /** Microseconds per statement with its restore; NaN if not known. */
  databaseCpuUs: number;
  /** The number of cores that other processes used meanwhile; NaN if not known. */
  otherCores: number;
}

export interface KindReport extends Percentiles {
  roundTrips: Trips;
  /** Medians of the rounds. */
  statementsPerSecond: number;
  databaseCpuUs: number | null;
}

/** All kinds over one distance. */
export interface DistanceReport {
  /** The delay of the network, both ways together, and the duration of a single hot statement. */
  roundTripMs: number;
  aloneMs: number;
  otherCores: number | null;
  kinds: Record<Kind, KindReport>;
  /** The restore in one write divided by another kind, in the same round. */
  ratios: Record<Compared, Ratios>;
}

type Compared = (typeof compared)[number];
type Ratios = Record<(typeof measures)[number], Ratio>;

const compared = ["hot/sequential", "hot/none", "cold/sequential"] as const;
const measures = ["statementsPerSecond", "p50Ms", "p99Ms"] as const;
const measureLabels: Record<(typeof measures)[number], string> = {
  statementsPerSecond: "statements/s",
  p50Ms: "p50",
  p99Ms: "p99",
};

/** @param samples one of each kind per round, in the order of the rounds */
export function distanceReport(
  distance: Pick<DistanceReport, "roundTripMs" | "aloneMs">,
  trips: Record<Kind, Trips>,
  samples: readonly RestoreSample[],
): DistanceReport {
  const values = (kind: string, key: keyof Omit<RestoreSample, "kind">) =>
    samples.filter((sample) => sample.kind === kind).map((sample) => sample[key]);
  const over = (kind: Kind, key: keyof Omit<RestoreSample, "kind">) => median(values(kind, key));
  const reports = kinds.map((kind): [Kind, KindReport] => [
    kind,
    {
      roundTrips: trips[kind],
      statementsPerSecond: Math.round(over(kind, "statementsPerSecond")),
      p50Ms: rounded(over(kind, "p50Ms"), 2),
      p90Ms: rounded(over(kind, "p90Ms"), 2),
      p99Ms: rounded(over(kind, "p99Ms"), 2),
      maxMs: rounded(over(kind, "maxMs"), 2),
      databaseCpuUs: known(over(kind, "databaseCpuUs")),
    },
  ]);
  const ratios = compared.map((pair) => {
    const [ours = "", theirs = ""] = pair.split("/");
    return [
      pair,
      Object.fromEntries(measures.map((key) => [key, ratioOf(values(ours, key), values(theirs, key))])),
    ];
  });
  return {
    ...distance,
    otherCores: meanOtherCores(samples),
    kinds: Object.fromEntries(reports) as DistanceReport["kinds"],
    ratios: Object.fromEntries(ratios) as DistanceReport["ratios"],
  };
}

/** The report as text for a terminal. */
export function formatDistance({ roundTripMs, aloneMs, kinds: reports, ratios }: DistanceReport): string[] {
  const rows = kinds.map((kind) => {
    const { roundTrips, statementsPerSecond, p50Ms, p90Ms, p99Ms, maxMs, databaseCpuUs } = reports[kind];
    return [
      labels[kind],
      `${roundTrips.answer} + ${roundTrips.restore}`,
      statementsPerSecond.toLocaleString("en"),
      ...[p50Ms, p90Ms, p99Ms, maxMs].map((ms) => ms.toFixed(1)),
      databaseCpuUs?.toLocaleString("en") ?? "-",
    ];
  });
  return [
    "",
    `a round trip of ${roundTripMs} ms (a hot statement alone: ${aloneMs} ms)`,
    ...table(
      [["", "round trips", "statements/s", "p50 ms", "p90 ms", "p99 ms", "max ms", "database µs"], ...rows],
      [28, 13, 14, 9, 9, 9, 9, 13],
    ),
    ...compared.flatMap((pair) =>
      measures.map((key) => ratioLine(`${pair}, ${measureLabels[key]}`, ratios[pair][key])),
    ),
  ];
}
