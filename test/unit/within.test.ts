import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { within } from "../../src/within.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a result in time is returned, and no timer is left", async () => {
  expect(await within(Promise.resolve(1), 1_000, () => 2)).toBe(1);
  await expect(within(Promise.reject(new Error("no")), 1_000, () => 2)).rejects.toThrow("no");
  expect(vi.getTimerCount()).toBe(0);
});

test("a late result is ignored, also a late failure", async () => {
  const { promise, reject } = Promise.withResolvers<number>();
  const answer = within(promise, 1_000, () => 2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await answer).toBe(2);
  reject(new Error("late"));
  await vi.advanceTimersByTimeAsync(0);
});

test("`late` may throw", async () => {
  const answer = within(new Promise(() => {}), 1_000, () => {
    throw new Error("no reply");
  });
  const refused = expect(answer).rejects.toThrow("no reply");
  await vi.advanceTimersByTimeAsync(1_000);
  await refused;
});

test("with a time of zero, only a result that exists already is returned", async () => {
  expect(await within(Promise.resolve(1), -5, () => 2)).toBe(1);
  const answer = within(new Promise(() => {}), 0, () => 2);
  await vi.advanceTimersByTimeAsync(1);
  expect(await answer).toBe(2);
});
