import { expect, test } from "vitest";
import type { Reading, Way } from "../../../../bench/stream/report.ts";
import { formatStreams, summarizeStreams, ways } from "../../../../bench/stream/report.ts";

const bytes: Record<Way, number> = {
  ndjson: 110_000,
  json: 109_000,
  csv: 102_000,
  mysql2: 109_500,
  mysql2Rows: 5,
};

const reading = (way: Way, seconds: number, cpuMs: number): Reading => ({
  way,
  rows: 1000,
  bytes: bytes[way],
  seconds,
  cpuMs,
});

// The machine was half as fast in the second round, which began with another way.
const readings = [
  reading("ndjson", 1, 4),
  reading("json", 1, 4),
  reading("csv", 1, 3),
  reading("mysql2", 0.5, 2),
  reading("mysql2Rows", 0.25, 1),
  reading("mysql2Rows", 0.5, 2),
  reading("mysql2", 1, 4),
  reading("csv", 2, 6),
  reading("json", 2, 8),
  reading("ndjson", 2, 8),
];

test("ways are compared within a round, and reported by their medians", () => {
  const report = summarizeStreams("1 column", readings);
  expect(report).toMatchObject({ label: "1 column", rows: 1000, bytesPerRow: 110 });
  // Rows per second in the two rounds: 1000 and 500. Bytes per second: 110,000 and 55,000. CPU is per million
  // rows.
  expect(report.ways.ndjson).toEqual({ rowsPerSecond: 750, megabytesPerSecond: 0.1, cpuMs: 6000 });
  expect(report.ways.mysql2Rows).toEqual({ rowsPerSecond: 3000, megabytesPerSecond: null, cpuMs: 1500 });
  const same = (value: number) => ({ median: value, min: value, max: value });
  expect(report.ratios.mysql2).toEqual({ rowsPerSecond: same(0.5), cpu: same(2) });
  expect(report.ratios.mysql2Rows).toEqual({ rowsPerSecond: same(0.25), cpu: same(4) });
});

test("unknown CPU time is not a number in the report", () => {
  const report = summarizeStreams(
    "1 column",
    readings.map((one) => ({ ...one, cpuMs: NaN })),
  );
  expect(ways.map((way) => report.ways[way].cpuMs)).toEqual([null, null, null, null, null]);
  expect(report.ratios.mysql2.cpu).toBeNull();
  const lines = formatStreams(report);
  expect(lines.filter((line) => line.includes("CPU"))).toEqual([
    expect.stringMatching(/^1 column.* CPU ms$/),
  ]);
  expect(lines.find((line) => line.startsWith("mysql2, rows only"))).toMatch(/3,000 +- +-$/);
});
