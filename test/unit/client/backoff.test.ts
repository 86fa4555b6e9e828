import { describe, expect, test, vi } from "vitest";
import { defaults, retryAfterMs, sleep, waitMs } from "../../../client/backoff.ts";

describe("the wait before the next try", () => {
  test("doubles, up to a bound, and is anything below that", () => {
    const longest = [1, 2, 3, 4, 5, 6, 40].map((tried) => waitMs(tried, 0, defaults, 1));
    expect(longest).toEqual([200, 400, 800, 1600, 3200, 5000, 5000]);
    expect(waitMs(3, 0, defaults, 0)).toBe(0);
    expect(waitMs(3, 0, defaults, 0.5)).toBe(400);
    const drawn = new Set(Array.from({ length: 20 }, () => waitMs(6, 0, defaults)));
    expect(drawn.size).toBeGreaterThan(10);
  });

  test("is never shorter than the answer demands", () => {
    expect(waitMs(1, 3000, defaults, 0)).toBe(3000);
    expect(waitMs(1, 3000, defaults, 1)).toBe(3200);
  });
});

describe("Retry-After", () => {
  const now = Date.parse("2026-12-01T12:00:00Z");
  test.each([
    [null, 0],
    ["0", 0],
    ["3", 3000],
    ["Tue, 01 Dec 2026 12:00:05 GMT", 5000],
    ["Tue, 01 Dec 2026 11:00:00 GMT", 0],
    ["-1", 0],
    ["soon", 0],
    ["", 0],
  ])("%s is %i ms", (header, ms) => {
    expect(retryAfterMs(header, now)).toBe(ms);
  });
});

describe("sleep", () => {
  test("ends with its signal, and leaves no listener", async () => {
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, "removeEventListener");
    const began = performance.now();
    const slept = sleep(60_000, controller.signal);
    controller.abort();
    await slept;
    expect(performance.now() - began).toBeLessThan(10_000);
    const { signal } = new AbortController();
    const removedLater = vi.spyOn(signal, "removeEventListener");
    await sleep(1, signal);
    expect([removed.mock.calls.length, removedLater.mock.calls.length]).toEqual([1, 1]);
  });
});
