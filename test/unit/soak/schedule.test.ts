import { expect, test } from "vitest";
import { Random } from "../../../soak/random.ts";
import { faultKinds, planFaults } from "../../../soak/schedule.ts";

function first(seed: number, count: number) {
  const plan = planFaults(seed);
  return Array.from({ length: count }, () => plan.next().value);
}

test("equal seeds plan equal faults, other seeds other ones", () => {
  expect(first(1, 50)).toEqual(first(1, 50));
  expect(first(1, 50)).not.toEqual(first(2, 50));
});

test("every kind comes once before one repeats", () => {
  for (let seed = 0; seed < 20; seed++) {
    const kinds = first(seed, faultKinds.length * 3).map(({ kind }) => kind);
    for (let from = 0; from < kinds.length; from += faultKinds.length) {
      expect(kinds.slice(from, from + faultKinds.length).toSorted()).toEqual(faultKinds.toSorted());
    }
  }
});

test("a long black hole comes, and never in the first round, so that a short run has time for all", () => {
  const isLong = ({ forMs }: { forMs: number }) => forMs > 10_000;
  for (let seed = 0; seed < 20; seed++) expect(first(seed, faultKinds.length).some(isLong)).toBe(false);
  const long = first(1, 400).filter(isLong);
  expect(long.length).toBeGreaterThan(0);
  expect(new Set(long.map(({ kind }) => kind))).toEqual(new Set(["black hole"]));
});

test("choices stay within their bounds", () => {
  const random = new Random(3);
  const rolls = Array.from({ length: 1_000 }, () => random.between(1, 6));
  expect(new Set(rolls)).toEqual(new Set([1, 2, 3, 4, 5, 6]));
  expect(Array.from({ length: 100 }, () => random.chance(0))).not.toContain(true);
  expect(Array.from({ length: 100 }, () => random.chance(1))).not.toContain(false);
  expect(random.shuffled([1, 2, 3]).toSorted()).toEqual([1, 2, 3]);
});
