import fc from "fast-check";
import { expect, test } from "vitest";
import type { Bucket } from "../../../src/rate/bucket.ts";
import { take } from "../../../src/rate/bucket.ts";

const rate = { requests: 3, windowSeconds: 30 };

test("gives its tokens, then refuses and says when to come back", () => {
  let bucket: Bucket | undefined;
  const seen = [0, 0, 0, 0].map((now) => {
    const taken = take(bucket, rate, now);
    bucket = taken.bucket;
    return [taken.allowed, taken.remaining, taken.resetSeconds];
  });
  expect(seen).toEqual([
    [true, 2, 10],
    [true, 1, 10],
    [true, 0, 10],
    [false, 0, 10],
  ]);
  expect(take(bucket, rate, 9_999).allowed).toBe(false);
  expect(take(bucket, rate, 10_000).allowed).toBe(true);
});

test("never has more than its size, and a clock that runs backwards adds nothing", () => {
  const empty = { tokens: 0, at: 1_000_000 };
  expect(take(empty, rate, 1e12).remaining).toBe(2);
  expect(take(empty, rate, 0)).toMatchObject({ allowed: false, bucket: { tokens: 0, at: 1_000_000 } });
});

test("in any span it gives at most its size plus the refill", () => {
  const steps = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 200 });
  const rates = fc.record({
    requests: fc.integer({ min: 1, max: 50 }),
    windowSeconds: fc.integer({ min: 1, max: 60 }),
  });
  fc.assert(
    fc.property(rates, steps, (given, waits) => {
      let now = 0;
      let bucket: Bucket | undefined;
      let allowed = 0;
      for (const wait of waits) {
        now += wait;
        const taken = take(bucket, given, now);
        bucket = taken.bucket;
        if (taken.allowed) allowed += 1;
      }
      const most = given.requests + (now / 1000) * (given.requests / given.windowSeconds);
      return allowed <= most + 1e-6;
    }),
  );
});
