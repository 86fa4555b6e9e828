import { describe, expect, test } from "vitest";
import { median, percentiles, quantile, ratioOf, table } from "../../../../bench/lib/figures.ts";

describe("quantile", () => {
  test.each([
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.5, 2.5],
    [[4, 1, 3, 2], 0, 1],
    [[4, 1, 3, 2], 1, 4],
    [[10, 20, 30, 40, 50], 0.25, 20],
    [[10, 20], 0.75, 17.5],
    [[7], 0.25, 7],
    [[], 0.5, NaN],
  ])("of %j at %f is %f", (values, part, expected) => {
    expect(quantile(values, part)).toBe(expected);
  });

  test("leaves the values in their order", () => {
    const values = [3, 1, 2];
    expect(median(values)).toBe(2);
    expect(values).toEqual([3, 1, 2]);
  });
});

test("percentiles are measured values, in any order of measurement", () => {
  const latencies = Array.from({ length: 1001 }, (_, i) => 1000 - i);
  expect(percentiles(latencies)).toEqual({ p50Ms: 500, p90Ms: 900, p99Ms: 990, maxMs: 1000 });
  expect(latencies[0]).toBe(1000);
  expect(percentiles([1, 9])).toEqual({ p50Ms: 1, p90Ms: 1, p99Ms: 1, maxMs: 9 });
  expect(percentiles([])).toEqual({ p50Ms: NaN, p90Ms: NaN, p99Ms: NaN, maxMs: NaN });
});

test("a ratio is computed per round: it is not the ratio of the medians", () => {
  // The machine was four times as fast in the last round. Our way was twice as fast as the other one in each
  // round.
  expect(ratioOf([10, 20, 80], [5, 10, 40])).toEqual({ median: 2, min: 2, max: 2 });
  expect(ratioOf([10, 30, 10], [10, 10, 20])).toEqual({ median: 1, min: 0.5, max: 3 });
});

test("the last width is for all further columns", () => {
  expect(table([["a", "b", "c", "d"]], [3, 2, 4])).toEqual(["a   b   c   d"]);
});
