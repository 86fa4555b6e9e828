import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Checkout } from "../../src/db/pool/connections/checkout.ts";
import { CancellableStatement } from "../../src/db/pool/work/cancellable-statement.ts";
import { SharedTimers } from "../../src/timers.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("timers of an object", () => {
  test.each([0, 1, 100, 999, 1_000, 1_001, 14_000, 300_000])("run when they are due: %d ms", (ms) => {
    const timers = new SharedTimers();
    const run = vi.fn();
    timers.after(ms, run);
    if (ms > 0) vi.advanceTimersByTime(ms - 1);
    expect(run).toHaveBeenCalledTimes(0);
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(600_000);
    expect(run).toHaveBeenCalledTimes(1);
  });

  test("run in the order of their due times, set in any order", () => {
    const timers = new SharedTimers();
    const ran: number[] = [];
    for (const ms of [5_000, 100, 2_500, 50, 100, 14_000]) {
      timers.after(ms, () => ran.push(ms + Date.now() - 1_000_000 - ms));
    }
    vi.advanceTimersByTime(20_000);
    expect(ran).toEqual([50, 100, 100, 2_500, 5_000, 14_000]);
  });

  test("may be set and cancelled by a running one", () => {
    const timers = new SharedTimers();
    const ran: string[] = [];
    timers.after(100, () => {
      ran.push("first");
      cancel();
      timers.after(50, () => ran.push("third"));
    });
    const cancel = timers.after(100, () => ran.push("second"));
    vi.advanceTimersByTime(1_000);
    expect([ran, timers.size]).toEqual([["first", "third"], 0]);
  });

  test("one that fails stops no other", () => {
    const timers = new SharedTimers();
    const run = vi.fn();
    timers.after(100, () => {
      throw new Error("of the one before");
    });
    timers.after(100, run);
    timers.after(5_000, run);
    expect(() => vi.advanceTimersByTime(100)).toThrow("of the one before");
    vi.advanceTimersByTime(10_000);
    expect([run.mock.calls.length, timers.size]).toEqual([2, 0]);
  });

  test("that are cancelled do not run, and a second later the platform has none left", () => {
    const timers = new SharedTimers();
    const run = vi.fn();
    for (const ms of [100, 5_000, 60_000]) timers.after(ms, run)();
    expect(timers.size).toBe(0);
    vi.advanceTimersByTime(1_000);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(600_000);
    expect(run).toHaveBeenCalledTimes(0);
  });
});

/** workerd keeps each cleared timer until the object ends (docs/explanation/performance.md). */
test("ten thousand statements clear no platform timer, and use two at a time", async () => {
  const cleared = vi.spyOn(globalThis, "clearTimeout");
  const timers = new SharedTimers();
  const session = {
    usable: true,
    isInRun: false,
    mayServe: () => true,
    lost: new Promise<string>(() => {}),
    gone: new Promise<void>(() => {}),
    close() {},
    destroy() {},
    pause() {},
    resume() {},
  };
  const checkout = new Checkout<typeof session>({
    timers,
    open: async () => session,
    restore() {},
    ...{ size: 1, share: 1, queueLength: 10, queueWaitMs: 10_000, idleMs: 60_000 },
    lifetimeMs: () => 600_000,
  });
  const statement = () =>
    new CancellableStatement<typeof session>({
      timers,
      deadlineMs: 15_000,
      writes: false,
      control: { prepare() {}, kill: async () => true },
      giveBack() {},
      discard() {},
    });
  let mostTimers = 0;
  for (let i = 0; i < 5_000; i++) {
    // The second request waits for the first one's connection.
    const leases = [checkout.acquire("a"), checkout.acquire("b")];
    for (const lease of leases) {
      const { connection } = await lease;
      const running = statement();
      running.begin(connection);
      timers.after(100, () => {})();
      running.end();
      checkout.release(connection);
    }
    mostTimers = Math.max(mostTimers, vi.getTimerCount());
    vi.advanceTimersByTime(3);
  }
  expect(cleared).toHaveBeenCalledTimes(0);
  expect(mostTimers).toBeLessThanOrEqual(2);
  // Only the timer of the idle connection is left.
  expect(timers.size).toBe(1);
});
