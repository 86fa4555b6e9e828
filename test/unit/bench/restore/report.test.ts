import { expect, test } from "vitest";
import type { Kind, RestoreSample } from "../../../../bench/restore/report.ts";
import { distanceReport, formatDistance } from "../../../../bench/restore/report.ts";

const sample = (kind: Kind, statementsPerSecond: number, p50Ms: number): RestoreSample => ({
  kind,
  statementsPerSecond,
  p50Ms,
  p90Ms: 2 * p50Ms,
  p99Ms: 3 * p50Ms,
  maxMs: 4 * p50Ms,
  databaseCpuUs: 100,
  otherCores: 0.5,
});

const trips = {
  hot: { answer: 1, restore: 1 },
  cold: { answer: 2, restore: 1 },
  sequential: { answer: 2, restore: 4 },
  none: { answer: 1, restore: 0 },
};

// The machine was twice as fast in the second round, which began with another kind.
const samples = [
  sample("hot", 300, 10),
  sample("cold", 200, 20),
  sample("sequential", 100, 20),
  sample("none", 600, 10),
  sample("cold", 400, 10),
  sample("sequential", 200, 10),
  sample("none", 1200, 5),
  sample("hot", 600, 5),
];

test("kinds are compared within a round, and reported by their medians", () => {
  const { kinds, ratios, otherCores } = distanceReport({ roundTripMs: 2, aloneMs: 2.4 }, trips, samples);
  expect(otherCores).toBe(0.5);
  expect(kinds.hot).toEqual({
    roundTrips: { answer: 1, restore: 1 },
    statementsPerSecond: 450,
    p50Ms: 7.5,
    p90Ms: 15,
    p99Ms: 22.5,
    maxMs: 30,
    databaseCpuUs: 100,
  });
  expect(ratios["hot/sequential"]).toEqual({
    statementsPerSecond: { median: 3, min: 3, max: 3 },
    p50Ms: { median: 0.5, min: 0.5, max: 0.5 },
    p99Ms: { median: 0.5, min: 0.5, max: 0.5 },
  });
  expect(ratios["hot/none"].statementsPerSecond.median).toBe(0.5);
  expect(ratios["cold/sequential"].statementsPerSecond.median).toBe(2);
});

test("unknown CPU time is not a number in the report", () => {
  const unknown = samples.map((one) => ({ ...one, databaseCpuUs: NaN }));
  const report = distanceReport({ roundTripMs: 0, aloneMs: 1 }, trips, unknown);
  expect(report.kinds.none.databaseCpuUs).toBeNull();
  expect(formatDistance(report).find((line) => line.startsWith("no restore"))).toMatch(/1 \+ 0 .* -$/);
});
