import { expect, test } from "vitest";
import type { Build } from "../../../../bench/compare/builds.ts";
import { builds } from "../../../../bench/compare/builds.ts";
import type { DistanceName } from "../../../../bench/compare/distance-report.ts";
import { distancePoints, distanceReport, formatDistance } from "../../../../bench/compare/distance-report.ts";
import type { Sample } from "../../../../bench/lib/measure.ts";

/** The machine has another speed in each round. */
const machineSpeeds = [1, 4, 0.5];

/** The new build serves twice as much: its reads take half of the time, its writes take longer. */
const sample = (
  point: (typeof distancePoints)[number],
  build: Build,
  round: number,
): Sample<DistanceName> => {
  const speed = machineSpeeds[round] ?? NaN;
  const gain = build === "new" ? 2 : 1;
  const latencies = (p50Ms: number) => ({ p50Ms, p90Ms: 0, p99Ms: 0, maxMs: 0 });
  const read = latencies(20 / speed / gain);
  const write = latencies((build === "new" ? [30, 33, 36] : [30, 30, 30])[round] ?? NaN);
  return {
    target: `${build}-${point}`,
    connections: 64,
    round,
    requestsPerSecond: 100 * speed * gain,
    kinds: point === "select" ? { read } : { read, write },
    ...read,
    serverCpuUs: NaN,
    databaseCpuUs: 500 / gain,
    loadCpuUs: 100,
    otherCores: 0,
  };
};

const samples = machineSpeeds.flatMap((_, round) =>
  distancePoints.flatMap((point) => builds.map((build) => sample(point, build, round))),
);
const schedule = { connections: [64], rounds: 3, roundSeconds: 2, warmUpSeconds: 1 };
const report = distanceReport({ perSecond: 110, samples }, schedule);

const same = (value: number) => ({ median: value, low: value, high: value });

test("reads and writes are compared separately, each within a round", () => {
  expect(report.points.crowded.ratios).toEqual({
    requestsPerSecond: same(2),
    readP50Ms: same(0.5),
    writeP50Ms: { median: 1.1, low: 1.05, high: 1.15 },
    serverCpuUs: null,
    databaseCpuUs: same(0.5),
  });
  expect(report.points.calm.new).toMatchObject({ readP50Ms: 10, writeP50Ms: 33 });
});

test("a load without writes has no figure for writes", () => {
  expect(report.points.select.ratios.writeP50Ms).toBeNull();
  expect(report.points.select.base.writeP50Ms).toBeNull();
  const lines = formatDistance(report);
  expect(lines.find((line) => line.startsWith("select, 64 callers: new"))).toMatch(/200 +10\.0 +- /);
  expect(lines.filter((line) => line.includes("p50 of the writes"))).toHaveLength(2);
  expect(lines.join()).not.toContain("NaN");
});
