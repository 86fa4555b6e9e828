import { expect, test } from "vitest";
import type { Asked } from "../../../../bench/keys/client.ts";
import { placesReport } from "../../../../bench/keys/report.ts";

const asked: Asked[] = [
  { round: 0, place: "static", ms: 1, hops: 0, fetches: 0 },
  { round: 0, place: "object", ms: 3, hops: 1, fetches: 0 },
  { round: 1, place: "object", ms: 8, hops: 1, fetches: 0 },
  { round: 1, place: "static", ms: 2, hops: 0, fetches: 0 },
];

test("a place is compared with keys in the policy within a round", () => {
  const [baseline, object, ...more] = placesReport(asked);
  expect(baseline).toMatchObject({ place: "static", ratio: { low: 1, median: 1, high: 1 } });
  expect(object).toEqual({
    place: "object",
    hops: 1,
    fetches: 0,
    ms: { low: 4.25, median: 5.5, high: 6.75 },
    ratio: { low: 3.25, median: 3.5, high: 3.75 },
    moreMs: { low: 3, median: 4, high: 5 },
  });
  expect(more).toEqual([]);
});

test.each([
  ["hops", { hops: 2 }],
  ["fetches", { fetches: 1 }],
])("%s that differ between rounds are not an exact number", (what, change) => {
  const [first, ...others] = asked.toReversed();
  const changed = [{ ...(first as Asked), ...change }, ...others];
  expect(() => placesReport(changed)).toThrow(`the number of ${what} is not the same each time`);
});

test("a request that is missing in the log does not count as one without hops", () => {
  const lost = asked.map((one) => (one.place === "object" ? { ...one, hops: NaN } : one));
  expect(() => placesReport(lost)).toThrow("the number of hops");
});
