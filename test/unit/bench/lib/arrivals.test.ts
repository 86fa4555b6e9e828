import { expect, test } from "vitest";
import { arrivalTimes } from "../../../../bench/lib/arrivals.ts";
import { median } from "../../../../bench/lib/figures.ts";

const times = arrivalTimes(1_000, 10);
const gaps = times.map((time, i) => time - (times[i - 1] ?? 0));

test("so many requests come as were asked for, within the time", () => {
  expect(Math.abs(times.length - 10_000)).toBeLessThan(100);
  expect(times.at(-1)).toBeLessThan(10_000);
  expect(gaps.every((gap) => gap > 0)).toBe(true);
});

test("the gaps are spread as those of random arrivals are", () => {
  const shareAbove = (gapMs: number) => gaps.filter((gap) => gap > gapMs).length / gaps.length;
  expect(median(gaps)).toBeCloseTo(Math.log(2), 2);
  expect(shareAbove(1)).toBeCloseTo(Math.exp(-1), 2);
  expect(shareAbove(3)).toBeCloseTo(Math.exp(-3), 2);
});
