import type { Ratio } from "../lib/figures.ts";
import { known, median, ratioLine, ratioOf, rounded, table } from "../lib/figures.ts";

/**
 * The compared ways: the gateway in each format, mysql2 with the same lines, and mysql2's rows without a
 * format.
 */
export const ways = ["ndjson", "json", "csv", "mysql2", "mysql2Rows"] as const;
export type Way = (typeof ways)[number];

const labels: Record<Way, string> = {
  ndjson: "gateway, NDJSON",
  json: "gateway, JSON",
  csv: "gateway, CSV",
  mysql2: "mysql2, NDJSON",
  mysql2Rows: "mysql2, rows only",
};

/** One answer, read to its end. */
export interface Reading {
  way: Way;
  rows: number;
  bytes: number;
  seconds: number;
  /** CPU time of the process that answered; NaN if not known. */
  cpuMs: number;
}

export interface WayReport {
  rowsPerSecond: number;
  /** The speed of the body; null if it has none. */
  megabytesPerSecond: number | null;
  /** Milliseconds of the answering process for 1,000,000 rows; null if not known. */
  cpuMs: number | null;
}

export interface StreamReport {
  label: string;
  rows: number;
  bytesPerRow: number;
  ways: Record<Way, WayReport>;
  /** Rows/s and CPU: the gateway's NDJSON divided by mysql2's, in each round. */
  ratios: Record<"mysql2" | "mysql2Rows", { rowsPerSecond: Ratio; cpu: Ratio | null }>;
}

/** @param readings of one result; the nth of each way belong to the same round */
export function summarizeStreams(label: string, readings: readonly Reading[]): StreamReport {
  const of = (way: Way) => readings.filter((reading) => reading.way === way);
  const speeds = (way: Way) => of(way).map(({ rows, seconds }) => rows / seconds);
  const costs = (way: Way) => of(way).map(({ rows, cpuMs }) => (cpuMs / rows) * 1e6);
  const report = (way: Way): WayReport => ({
    rowsPerSecond: Math.round(median(speeds(way))),
    megabytesPerSecond:
      way === "mysql2Rows"
        ? null
        : rounded(median(of(way).map(({ bytes, seconds }) => bytes / 1e6 / seconds)), 1),
    cpuMs: known(median(costs(way))),
  });
  const ratio = (way: Way) => {
    const cpu = ratioOf(costs("ndjson"), costs(way));
    return {
      rowsPerSecond: ratioOf(speeds("ndjson"), speeds(way)),
      cpu: Number.isNaN(cpu.median) ? null : cpu,
    };
  };
  const [first] = of("ndjson");
  return {
    label,
    rows: first?.rows ?? 0,
    bytesPerRow: rounded((first?.bytes ?? NaN) / (first?.rows ?? NaN), 1),
    ways: Object.fromEntries(ways.map((way) => [way, report(way)])) as Record<Way, WayReport>,
    ratios: { mysql2: ratio("mysql2"), mysql2Rows: ratio("mysql2Rows") },
  };
}

export function formatStreams(report: StreamReport): string[] {
  const ratios = (["mysql2", "mysql2Rows"] as const).flatMap((way) => {
    const { rowsPerSecond, cpu } = report.ratios[way];
    const label = `NDJSON / mysql2's ${way === "mysql2" ? "NDJSON" : "rows"}`;
    return [
      ratioLine(`${label}, rows/s`, rowsPerSecond),
      ...(cpu === null ? [] : [ratioLine(`${label}, CPU`, cpu)]),
    ];
  });
  return [
    "",
    ...table(
      [
        [
          `${report.label}, ${report.rows.toLocaleString("en")} rows of ${report.bytesPerRow} bytes`,
          "rows/s",
          "MB/s",
          "CPU ms",
        ],
        ...ways.map((way) => {
          const { rowsPerSecond, megabytesPerSecond, cpuMs } = report.ways[way];
          const numbers = [megabytesPerSecond?.toFixed(1), cpuMs?.toLocaleString("en")];
          return [labels[way], rowsPerSecond.toLocaleString("en"), ...numbers.map((text) => text ?? "-")];
        }),
      ],
      [58, 12],
    ),
    ...ratios,
  ];
}
