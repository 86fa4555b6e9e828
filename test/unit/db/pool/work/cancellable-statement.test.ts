import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CancellableStatement } from "../../../../../src/db/pool/work/cancellable-statement.ts";
import { CancellationRegistry } from "../../../../../src/db/pool/work/cancellation-registry.ts";
import { TidegateError } from "../../../../../src/errors.ts";
import { limits } from "../../../../../src/limits.ts";
import { settle } from "../connections/fake-pool.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const cancelled = () => new TidegateError("request_cancelled");

function setUp(deadlineMs = 5_000, writes = true) {
  const kills: ((acknowledged: boolean) => void)[] = [];
  const events: string[] = [];
  const held: string[] = [];
  const session = { usable: true, pause: () => held.push("pause"), resume: () => held.push("resume") };
  const running = new CancellableStatement<typeof session>({
    deadlineMs,
    writes,
    control: {
      prepare: () => events.push("prepare"),
      kill: () => {
        events.push("kill");
        return new Promise((resolve) => kills.push(resolve));
      },
    },
    giveBack: () => events.push("give back"),
    discard: (_, ...closing) => events.push(`discard: ${closing.join(": ")}`),
    stopping: ({ code }) => events.push(`stopping: ${code}`),
  });
  let heard: string | undefined;
  running.stopped.catch((error: TidegateError) => {
    heard = error.code;
  });
  return { running, session, kills, events, held, heard: () => heard };
}

describe("a running statement", () => {
  test("that ends by itself gives its session back, and leaves no timer", () => {
    const { running, session, events } = setUp();
    expect(running.begin(session)).toBe(true);
    expect(running.end()).toBe(true);
    expect(running.stop(cancelled())).toBe(false);
    expect(events).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("opens the admin connection before its deadline, and is killed at the deadline", async () => {
    const { running, session, kills, events, heard } = setUp(5_000);
    running.begin(session);
    running.goOn();
    await vi.advanceTimersByTimeAsync(5_000 - limits.adminAheadMs - 1);
    expect(events).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(events).toEqual(["prepare"]);
    await vi.advanceTimersByTimeAsync(limits.adminAheadMs);
    expect(events).toEqual(["prepare", "stopping: deadline_exceeded", "kill"]);
    // The server may report the statement's result, so the caller waits a little.
    await vi.advanceTimersByTimeAsync(limits.stopGraceMs - 1);
    expect(heard()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    // The statement may have been executed, so the caller must not hear that nothing happened.
    expect(heard()).toBe("outcome_unknown");
    kills[0]?.(true);
    expect(running.end()).toBe(false);
    await settle();
    expect(events.at(-1)).toBe("give back");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that only reads fails at once, because a killed SLEEP() ends normally", async () => {
    const { running, session, heard } = setUp(5_000, false);
    running.begin(session);
    running.stop(cancelled());
    await settle();
    expect(heard()).toBe("request_cancelled");
  });

  test("keeps its rows back until the server acknowledged the KILL", async () => {
    const { running, session, kills, held } = setUp(5_000, false);
    running.begin(session);
    running.stop(cancelled());
    expect(held).toEqual(["pause"]);
    kills[0]?.(true);
    await settle();
    expect(held).toEqual(["pause", "resume"]);
    running.end();
  });

  test("with a short deadline opens the admin connection half-way", async () => {
    const { running, session, events } = setUp(100);
    running.begin(session);
    await vi.advanceTimersByTimeAsync(50);
    expect(events).toEqual(["prepare"]);
    running.end();
  });

  test("keeps its session until the server acknowledged the KILL, even if the statement has ended", async () => {
    const { running, session, kills, events } = setUp();
    running.begin(session);
    running.stop(cancelled());
    running.end();
    await vi.advanceTimersByTimeAsync(limits.killPatienceMs - 1);
    expect(events).toEqual(["stopping: request_cancelled", "kill"]);
    kills[0]?.(true);
    await settle();
    expect(events.at(-1)).toBe("give back");
  });

  test("loses its connection if the KILL is not acknowledged", async () => {
    const { running, session, kills, events } = setUp();
    running.begin(session);
    running.stop(cancelled());
    running.end();
    await settle();
    kills[0]?.(false);
    await settle();
    expect(events.at(-1)).toBe("discard: not_killed");
  });

  test("loses its connection if it continues after the KILL", async () => {
    const { running, session, kills, events, heard } = setUp();
    running.begin(session);
    running.goOn();
    running.stop(cancelled());
    kills[0]?.(true);
    await vi.advanceTimersByTimeAsync(limits.stopGraceMs + limits.killedStatementMs);
    expect(events.at(-1)).toBe("discard: stopped: request_cancelled");
    expect(heard()).toBe("outcome_unknown");
  });

  test("does not keep its slot for a KILL that does not arrive", async () => {
    const { running, session, events } = setUp(5_000, false);
    running.begin(session);
    running.stop(cancelled());
    await vi.advanceTimersByTimeAsync(limits.killPatienceMs + limits.killedStatementMs);
    expect(events.at(-1)).toBe("discard: stopped: request_cancelled");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that writes and was not sent yet has changed nothing", async () => {
    const { running, session, heard } = setUp(5_000);
    running.begin(session);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(heard()).toBe("deadline_exceeded");
    expect(() => running.goOn()).toThrow(TidegateError);
  });

  test("is not sent after a stop", () => {
    const { running, session } = setUp();
    running.begin(session);
    running.goOn();
    running.stop(cancelled());
    expect(() => running.goOn()).toThrow(TidegateError);
  });

  test("does not give back a lost session", async () => {
    const { running, session, kills, events } = setUp();
    running.begin(session);
    running.stop(cancelled());
    session.usable = false;
    running.end();
    kills[0]?.(true);
    await settle();
    expect(events.at(-1)).toMatch(/^discard/);
  });

  test("that waits for a session stops at once, and gets none", async () => {
    const { running, session, events, heard } = setUp();
    expect(running.stop(cancelled())).toBe(true);
    await settle();
    expect(heard()).toBe("request_cancelled");
    expect(running.begin(session)).toBe(false);
    expect(events).toEqual(["stopping: request_cancelled"]);
  });

  test("that has ended cannot be stopped, and is not late", async () => {
    const { running, session, events } = setUp(1_000);
    running.begin(session);
    expect(running.settle()).toBe(true);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(running.stop(cancelled())).toBe(false);
    expect(running.end()).toBe(true);
    expect(events).toEqual([]);
    const other = setUp();
    other.running.begin(other.session);
    other.running.stop(cancelled());
    expect(other.running.settle()).toBe(false);
  });

  test("keeps its first reason, which explains the server's error", () => {
    const { running, session } = setUp();
    running.begin(session);
    running.stop(cancelled());
    expect(running.stop(new TidegateError("deadline_exceeded"))).toBe(false);
    expect(running.why?.code).toBe("request_cancelled");
    const killed = new TidegateError("deadline_exceeded", { errno: 1317 });
    expect((running.explain(killed) as TidegateError).code).toBe("request_cancelled");
    const other = new TidegateError("sql_error");
    expect(running.explain(other)).toBe(other);
  });
});

describe("running requests", () => {
  test("are stopped by caller and id, all work of a request or one piece", () => {
    const requests = new CancellationRegistry();
    const stopped: string[] = [];
    const add = (caller: string, requestId: string, workId: string) =>
      requests.add(caller, { requestId, workId }, () => stopped.push(workId) > 0);
    add("a", "r", "1");
    add("a", "r", "2");
    add("b", "r", "3");
    const leave = add("a", "s", "4");
    expect(requests.stop("a", "r", "2")).toBe(1);
    expect(stopped).toEqual(["2"]);
    expect(requests.stop("a", "r")).toBe(2);
    expect(stopped).toEqual(["2", "1", "2"]);
    expect(requests.stop("c", "r")).toBe(0);
    leave();
    expect(requests.stop("a", "s")).toBe(0);
    expect(requests.stop('a","r', "")).toBe(0);
  });

  test("count only work that was stopped in time", () => {
    const requests = new CancellationRegistry();
    requests.add("a", { requestId: "r", workId: "1" }, () => false);
    expect(requests.stop("a", "r")).toBe(0);
  });
});
