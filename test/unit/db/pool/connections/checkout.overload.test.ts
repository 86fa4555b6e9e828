import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TidegateError } from "../../../../../src/errors.ts";
import type { FakeConnection } from "./fake-connection.ts";
import { codeOf, idleMs, pool, poolWith, queueWaitMs, request, settle } from "./fake-pool.ts";

/** A checkout with too many requests of several callers, or without any connection to give. */

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  vi.spyOn(Math, "random").mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("callers", () => {
  test("take turns: 9 requests of one caller delay the only one of another by one", async () => {
    const { checkout, connections } = await poolWith(1);
    await checkout.acquire("greedy");
    const greedy = Array.from({ length: 9 }, () => request(checkout, "greedy"));
    const modest = request(checkout, "modest");
    checkout.release(connections[0] as FakeConnection);
    checkout.release(connections[0] as FakeConnection);
    await settle();
    expect(modest.lease).toBeDefined();
    expect(greedy.filter(({ lease }) => lease)).toHaveLength(1);
  });

  test("that disconnect free their place in the queue", async () => {
    const { checkout, connections } = await poolWith(1);
    await checkout.acquire("a");
    const { promise: gone, reject: leave } = Promise.withResolvers<never>();
    const left = checkout.acquire("b", gone).catch(codeOf);
    const next = request(checkout, "c");
    leave(new TidegateError("request_cancelled"));
    expect(await left).toBe("request_cancelled");
    expect(checkout.waiting).toBe(1);
    checkout.release(connections[0] as FakeConnection);
    await settle();
    expect(next.lease).toBeDefined();
  });

  test("that disconnect after they were served change nothing", async () => {
    const { checkout } = await poolWith(1);
    const { promise: gone, reject: leave } = Promise.withResolvers<never>();
    gone.catch(() => {});
    const { connection } = await checkout.acquire("a", gone);
    leave(new TidegateError("request_cancelled"));
    await settle();
    expect(connection.usable).toBe(true);
  });

  test("in a full queue: a newcomer replaces the last request of the greediest caller, which fails at once", async () => {
    const { checkout } = await poolWith(1, { queueLength: 3 });
    await checkout.acquire("greedy");
    const greedy = [1, 2, 3].map(() => request(checkout, "greedy"));
    const modest = request(checkout, "modest");
    await settle();
    expect(greedy.map(({ error }) => error && codeOf(error))).toEqual([undefined, undefined, "pool_full"]);
    expect(modest.error).toBeUndefined();
    const more = request(checkout, "greedy");
    await settle();
    expect(codeOf(more.error)).toBe("pool_full");
    // A refused request leaves no timer.
    expect(vi.getTimerCount()).toBe(3);
  });
});

describe("sockets that are still closing", () => {
  test("count: no login begins before one has ended", async () => {
    const { server, checkout, connections } = await poolWith(2);
    for (const connection of connections) connection.lingers = true;
    await Promise.all([checkout.acquire("a"), checkout.acquire("a")]);
    const waiting = request(checkout);
    for (const connection of connections) checkout.discard(connection, "stopped");
    await settle();
    expect([server.pending.length, waiting.lease, waiting.error]).toEqual([0, undefined, undefined]);
    connections[0]?.go();
    await settle();
    expect(server.pending).toHaveLength(1);
    server.accept();
    await settle();
    expect(waiting.lease).toBeDefined();
  });

  test("after a drain too", async () => {
    const { server, checkout, connections } = await poolWith(1);
    (connections[0] as FakeConnection).lingers = true;
    checkout.drain();
    request(checkout);
    await settle();
    expect(server.pending).toHaveLength(0);
    connections[0]?.go();
    await settle();
    expect(server.pending).toHaveLength(1);
  });
});

describe("when no connection can be opened", () => {
  const refusal = new TidegateError("database_unreachable", { retryAfter: 3 });

  test("no request waits, and nothing is tried", async () => {
    const { server, checkout } = pool({ refusal: () => refusal });
    const state = request(checkout);
    await settle();
    expect(state.error).toBe(refusal);
    expect([server.pending.length, checkout.waiting, vi.getTimerCount()]).toEqual([0, 0, 0]);
  });

  test("an open connection still serves, and requests wait for a busy one", async () => {
    let down = false;
    const { checkout, connections } = await poolWith(1, { refusal: () => (down ? refusal : undefined) });
    down = true;
    const first = request(checkout);
    const second = request(checkout);
    await settle();
    expect([first.lease?.connection, second.error]).toEqual([connections[0], undefined]);
    checkout.release(connections[0] as FakeConnection);
    await settle();
    expect(second.lease?.connection).toBe(connections[0]);
  });
});

describe("saturated", () => {
  test("is a checkout in which a request would wait for another request's connection", async () => {
    const { server, checkout } = pool({ size: 1 });
    expect(checkout.saturated).toBe(false);
    request(checkout);
    // A new login has no room.
    expect(checkout.saturated).toBe(true);
    const connection = server.accept();
    await settle();
    expect(checkout.saturated).toBe(true);
    checkout.release(connection);
    expect(checkout.saturated).toBe(false);
  });
});

test("an object with nothing to keep has no timer: after the last connection and the last waiter", async () => {
  const { server, checkout, connections } = await poolWith(2, { queueLength: 5 });
  await Promise.all([checkout.acquire("a"), checkout.acquire("b")]);
  for (const caller of ["a", "b", "c", "c", "c", "d"]) request(checkout, caller);
  checkout.discard(connections[0] as FakeConnection, "stopped");
  await settle();
  server.refuse(new TidegateError("database_unreachable"));
  await vi.advanceTimersByTimeAsync(queueWaitMs);
  for (let i = 0; i < 3; i++) {
    while (server.pending.length > 0) server.refuse(new TidegateError("database_unreachable"));
    await vi.advanceTimersByTimeAsync(queueWaitMs);
  }
  checkout.release(connections[1] as FakeConnection);
  await vi.advanceTimersByTimeAsync(idleMs);
  expect([checkout.waiting, vi.getTimerCount()]).toEqual([0, 0]);
});
