import { describe, expect, test } from "vitest";
import { median, quantile, ratioOf, table } from "../../../bench/figures.ts";

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

test("a ratio is taken round by round: not the ratio of the medians", () => {
  // The machine was four times as fast in the last round; ours was always twice as fast as theirs.
  expect(ratioOf([10, 20, 80], [5, 10, 40])).toEqual({ median: 2, min: 2, max: 2 });
  expect(ratioOf([10, 30, 10], [10, 10, 20])).toEqual({ median: 1, min: 0.5, max: 3 });
});

test("the last width is that of all further columns", () => {
  expect(table([["a", "b", "c", "d"]], [3, 2, 4])).toEqual(["a   b   c   d"]);
});
