import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TidegateError } from "../../../../../src/errors.ts";
import type { FakeConnection } from "./fake-connection.ts";
import { codeOf, lifetimeMs, pool, poolWith, queueWaitMs, request, settle } from "./fake-pool.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  vi.spyOn(Math, "random").mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("a drain", () => {
  test("of a pool without connections finds none", () => {
    expect(pool().checkout.drain()).toEqual({ idle: 0, busy: 0, opening: 0 });
  });

  test("closes idle connections at once, and leaves no timer", async () => {
    const { server, checkout, connections, closed } = await poolWith(2);
    expect(checkout.drain()).toEqual({ idle: 2, busy: 0, opening: 0 });
    for (const connection of connections) expect(connection).toMatchObject({ closed: 1, destroyed: 0 });
    await settle();
    expect(closed).toEqual(["drained", "drained"]);
    expect(vi.getTimerCount()).toBe(0);
    const next = request(checkout);
    const fresh = server.accept();
    await settle();
    expect(next.lease?.connection).toBe(fresh);
  });

  test("leaves a busy one to its request, and closes it after that", async () => {
    const { checkout, connections, closed } = await poolWith(2);
    const { connection } = await checkout.acquire("somebody");
    expect(checkout.drain()).toEqual({ idle: 1, busy: 1, opening: 0 });
    await vi.advanceTimersByTimeAsync(lifetimeMs);
    expect(connection).toMatchObject({ closed: 0, destroyed: 0, usable: true });
    expect(connection).toBe(connections[1]);
    checkout.release(connection);
    expect(connection).toMatchObject({ closed: 1, destroyed: 0 });
    await settle();
    expect(closed).toEqual(["drained", "drained"]);
  });

  test("of some connections leaves the others in use, and closes the given ones with their reason", async () => {
    const { checkout, connections, closed } = await poolWith(3);
    const { connection } = await checkout.acquire("somebody");
    checkout.retire((one) => one === connection || one === connections[0], "left");
    expect(connections.map((one) => one.closed)).toEqual([1, 0, 0]);
    checkout.release(connection);
    expect(connections.map((one) => one.closed)).toEqual([1, 0, 1]);
    const next = await checkout.acquire("somebody");
    expect(next.connection).toBe(connections[1]);
    await settle();
    expect(closed).toEqual(["left", "left"]);
  });

  test("closes a busy one without a restore", async () => {
    const { checkout, closed } = await poolWith(1);
    const { connection } = await checkout.acquire("somebody");
    expect(checkout.endIfExpired(connection)).toBe(false);
    checkout.drain();
    expect(checkout.endIfExpired(connection)).toBe(true);
    expect(connection.closed).toBe(1);
    await settle();
    // The connection has been closed, so this release has no effect.
    checkout.release(connection);
    checkout.discard(connection, "not_restored");
    expect(checkout.endIfExpired(connection)).toBe(false);
    expect(closed).toEqual(["drained"]);
  });

  test("in the middle of a restore gives a waiter a new one, not the restored one", async () => {
    const { server, checkout } = await poolWith(1);
    const { connection } = await checkout.acquire("somebody");
    const waiting = request(checkout);
    expect(checkout.endIfExpired(connection)).toBe(false);
    expect(checkout.drain()).toEqual({ idle: 0, busy: 1, opening: 0 });
    // No login can begin yet, because an account's connections are bounded.
    expect(server.pending).toHaveLength(0);
    checkout.release(connection);
    await settle();
    expect([connection.closed, waiting.lease]).toEqual([1, undefined]);
    const fresh = server.accept();
    await settle();
    expect(waiting.lease?.connection).toBe(fresh);
  });

  test("in the middle of a restore that fails destroys it", async () => {
    const { checkout, closed } = await poolWith(1);
    const { connection } = await checkout.acquire("somebody");
    checkout.drain();
    checkout.discard(connection, "not_restored");
    await settle();
    expect([connection.destroyed, closed]).toEqual([1, ["not restored"]]);
  });

  test("drops a running login, and its request gets one that began later", async () => {
    const { server, checkout, closed } = pool({ size: 2 });
    const waiting = request(checkout);
    expect(checkout.drain()).toEqual({ idle: 0, busy: 0, opening: 1 });
    // A second login has room, so it does not wait for the end of the first one.
    expect(server.pending).toHaveLength(2);
    const old = server.accept();
    await settle();
    expect([old.closed, closed, waiting.lease]).toEqual([1, ["drained"], undefined]);
    const fresh = server.accept();
    await settle();
    expect(waiting.lease?.connection).toBe(fresh);
    checkout.release(fresh);
    expect((await checkout.acquire("somebody")).connection).toBe(fresh);
  });

  test("drops a running login without a waiter", async () => {
    const { server, checkout } = pool({ size: 1 });
    const gone = request(checkout);
    await vi.advanceTimersByTimeAsync(queueWaitMs);
    expect(codeOf(gone.error)).toBe("pool_timeout");
    checkout.drain();
    expect(server.accept()).toMatchObject({ closed: 0 });
    await settle();
    expect(server.opened[0]).toMatchObject({ closed: 1 });
    expect(server.pending).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("with waiting requests keeps the slots, and serves all of them with new ones in turn", async () => {
    const { server, checkout } = pool({ size: 2 });
    const states = Array.from({ length: 6 }, () => request(checkout));
    expect(checkout.drain()).toEqual({ idle: 0, busy: 0, opening: 2 });
    expect(server.pending).toHaveLength(2);
    server.accept();
    await settle();
    // The next login takes its slot; there is never a third one.
    expect(server.pending).toHaveLength(2);
    server.accept();
    await settle();
    expect(server.opened.map(({ closed }) => closed)).toEqual([1, 1]);
    expect(states.filter(({ lease }) => lease)).toEqual([]);
    const fresh = [server.accept(), server.accept()];
    for (let i = 0; i < 4; i++) {
      await settle();
      checkout.release(fresh[i % 2] as FakeConnection);
    }
    await settle();
    expect(states.map(({ lease }) => lease?.connection)).toEqual([...fresh, ...fresh, ...fresh]);
  });

  test("twice counts the open ones, and closes none twice", async () => {
    const { server, checkout, closed } = await poolWith(3);
    const { connection: busy } = await checkout.acquire("somebody");
    expect(checkout.drain()).toEqual({ idle: 2, busy: 1, opening: 0 });
    await settle();
    request(checkout);
    expect(checkout.drain()).toEqual({ idle: 0, busy: 1, opening: 1 });
    expect(checkout.drain()).toEqual({ idle: 0, busy: 1, opening: 2 });
    checkout.release(busy);
    await settle();
    expect(busy.closed).toBe(1);
    // Two logins began before a drain, one of them before two drains. The third one counts.
    for (const expected of [1, 1]) {
      const old = server.accept();
      await settle();
      expect(old.closed).toBe(expected);
    }
    const fresh = server.accept();
    await settle();
    expect(fresh.closed).toBe(0);
    expect(closed).toHaveLength(5);
    expect(server.pending).toHaveLength(0);
  });

  describe("and a login that fails", () => {
    const failure = new TidegateError("database_login_failed");

    test("that began before it: fails no request, another is tried at once", async () => {
      const { server, checkout } = pool({ size: 1 });
      const waiting = request(checkout);
      checkout.drain();
      server.refuse(failure);
      await settle();
      expect(waiting.error).toBeUndefined();
      expect(server.pending).toHaveLength(1);
      const fresh = server.accept();
      await settle();
      expect(waiting.lease?.connection).toBe(fresh);
    });

    test("that began after it: fails all requests, although old connections are still busy", async () => {
      const { server, checkout } = await poolWith(2);
      await checkout.acquire("somebody");
      checkout.drain();
      await settle();
      const states = [request(checkout), request(checkout)];
      server.refuse(failure);
      await settle();
      expect(states.map(({ error }) => error)).toEqual([failure, failure]);
    });

    test("just before it: the pause after a failure ends", async () => {
      const { server, checkout } = pool({ size: 3 });
      request(checkout);
      server.accept();
      await settle();
      const waiting = request(checkout);
      server.refuse(failure);
      await settle();
      expect(server.pending).toHaveLength(0);
      checkout.drain();
      expect(server.pending).toHaveLength(1);
      const fresh = server.accept();
      await settle();
      expect(waiting.lease?.connection).toBe(fresh);
    });
  });

  test("does not depend on the clock: after the clock goes back, a drained connection stays drained", async () => {
    const { checkout } = await poolWith(1);
    const { connection } = await checkout.acquire("somebody");
    checkout.drain();
    vi.setSystemTime(1);
    checkout.release(connection);
    expect(connection.closed).toBe(1);
  });
});
