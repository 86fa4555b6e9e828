import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TidegateError } from "../../../src/errors.ts";
import { limits } from "../../../src/limits.ts";
import { type Finding, SharedCheck } from "../../../src/routes/shared-check.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const down = new TidegateError("database_unreachable");

/** A check that the test ends. It counts how often it began. */
function manual() {
  const started: PromiseWithResolvers<Finding>[] = [];
  return {
    started,
    check: () => {
      started.push(Promise.withResolvers<Finding>());
      return (started.at(-1) as PromiseWithResolvers<Finding>).promise;
    },
  };
}

describe("the first check", () => {
  test("lets all requests wait, and runs once", async () => {
    const { started, check } = manual();
    const shared = new SharedCheck();
    let answered = 0;
    const asked = Array.from({ length: 5 }, async () => {
      const finding = await shared.ask(check);
      answered += 1;
      return finding;
    });
    await vi.advanceTimersByTimeAsync(limits.readinessAgeMs);
    expect([started.length, answered]).toEqual([1, 0]);
    started[0]?.resolve({});
    expect((await Promise.all(asked)).map(({ error }) => error)).toEqual(Array(5).fill(undefined));
    expect(started).toHaveLength(1);
  });

  test("that fails gives its failure to each request", async () => {
    const { started, check } = manual();
    const shared = new SharedCheck();
    const asked = [shared.ask(check), shared.ask(check)];
    started[0]?.resolve({ error: down });
    expect((await Promise.all(asked)).map(({ error }) => error)).toEqual([down, down]);
  });

  test("that never ends has a bounded wait, and another one runs", async () => {
    const { started, check } = manual();
    const shared = new SharedCheck();
    void shared.ask(check);
    await vi.advanceTimersByTimeAsync(1_000);
    const second = shared.ask(check);
    await vi.advanceTimersByTimeAsync(limits.readinessPatienceMs - 1_000);
    expect((await second).error?.code).toBe("database_unreachable");
    const third = shared.ask(check);
    expect(started).toHaveLength(2);
    started[1]?.resolve({});
    expect((await third).error).toBeUndefined();
    // The late result of the abandoned check does not count.
    started[0]?.resolve({ error: down });
    await vi.advanceTimersByTimeAsync(0);
    expect((await shared.ask(check)).error).toBeUndefined();
  });

  test("continues when its request goes away", async () => {
    const { started, check } = manual();
    const kept: Promise<unknown>[] = [];
    const shared = new SharedCheck();
    void shared.ask(check, (promise) => kept.push(promise));
    void shared.ask(check, (promise) => kept.push(promise));
    expect(kept).toHaveLength(1);
    started[0]?.resolve({});
    await kept[0];
    expect((await shared.ask(check)).error).toBeUndefined();
    expect(started).toHaveLength(1);
  });

  test("that throws is not kept: the next request checks again", async () => {
    const shared = new SharedCheck();
    const fails = () => Promise.reject(new TypeError("ours"));
    await expect(shared.ask(fails)).rejects.toThrow("ours");
    expect(await shared.ask(async () => ({ error: down }))).toMatchObject({ error: down });
  });
});

describe("a later check", () => {
  test("runs when the result is too old; meanwhile the others get the old result", async () => {
    const shared = new SharedCheck();
    await shared.ask(async () => ({}));
    const { started, check } = manual();
    await vi.advanceTimersByTimeAsync(limits.readinessAgeMs - 1);
    expect((await shared.ask(check)).error).toBeUndefined();
    expect(started).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    const asked = shared.ask(check);
    expect((await shared.ask(check)).error).toBeUndefined();
    started[0]?.resolve({ error: down });
    expect((await asked).error).toBe(down);
    expect((await shared.ask(check)).error).toBe(down);
    expect(started).toHaveLength(1);
  });
});
