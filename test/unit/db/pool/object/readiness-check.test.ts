import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ReadinessCheck } from "../../../../../src/db/pool/object/readiness-check.ts";
import { TidegateError } from "../../../../../src/errors.ts";
import { limits } from "../../../../../src/limits.ts";

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

/**
 * A pool with one connection, and the admin connection beside it. `fails` is the result of a ping, or of
 * the wait for a connection.
 */
function setUp() {
  const events: string[] = [];
  const state = { isSaturated: false, ping: undefined as unknown, acquire: undefined as unknown };
  const ping = (name: string) => ({
    ping: async () => {
      events.push(`ping ${name}`);
      if (state.ping !== undefined) throw state.ping;
    },
  });
  const session = ping("pooled") as never;
  const readiness = new ReadinessCheck(
    {
      isSaturated: () => state.isSaturated,
      acquire: async () => {
        events.push("acquire");
        if (state.acquire !== undefined) throw state.acquire;
        return { connection: session, queueMs: 0, connectMs: 0 };
      },
      release: () => void events.push("release"),
      discard: (_, reason) => void events.push(`discard ${reason}`),
    },
    ping("control"),
  );
  return { readiness, state, events };
}

const pooled = ["acquire", "ping pooled", "release"];

describe("the check of the server", () => {
  test("uses a pooled connection, and releases it", async () => {
    const { readiness, events } = setUp();
    await readiness.check();
    expect(events).toEqual(pooled);
  });

  test("uses the admin connection if all are busy, so it never waits behind statements", async () => {
    const { readiness, state, events } = setUp();
    state.isSaturated = true;
    await readiness.check();
    expect(events).toEqual(["ping control"]);
  });

  test("holds for a while from the answer on, and every answer of the server prolongs it", async () => {
    const { readiness, events } = setUp();
    await readiness.check();
    vi.advanceTimersByTime(limits.readinessAgeMs - 1);
    await readiness.check();
    readiness.heard();
    vi.advanceTimersByTime(limits.readinessAgeMs - 1);
    await readiness.check();
    expect(events).toEqual(pooled);
    vi.advanceTimersByTime(1);
    await readiness.check();
    expect(events).toEqual([...pooled, ...pooled]);
  });

  test("does not hold after a drain", async () => {
    const { readiness, events } = setUp();
    await readiness.check();
    readiness.forget();
    await readiness.check();
    expect(events).toEqual([...pooled, ...pooled]);
  });
});

describe("a server that does not answer", () => {
  test("costs the connection, and is checked again the next time", async () => {
    const { readiness, state, events } = setUp();
    state.ping = new Error("no reply within 5000 ms");
    const failed = { code: "database_unavailable", operator: "Error: no reply within 5000 ms" };
    await expect(readiness.check()).rejects.toMatchObject(failed);
    expect(events).toEqual(["acquire", "ping pooled", "discard ping_failed"]);
    state.ping = undefined;
    await readiness.check();
    expect(events.slice(3)).toEqual(pooled);
  });

  test("is reported with the failure's code", async () => {
    const { readiness, state } = setUp();
    state.isSaturated = true;
    for (const code of ["database_login_failed", "database_unreachable"] as const) {
      state.ping = new TidegateError(code);
      await expect(readiness.check()).rejects.toMatchObject({ code });
    }
  });

  test("without any connection the check fails with this reason, and releases none", async () => {
    const { readiness, state, events } = setUp();
    state.acquire = new TidegateError("pool_timeout");
    await expect(readiness.check()).rejects.toMatchObject({ code: "pool_timeout" });
    expect(events).toEqual(["acquire"]);
  });
});
