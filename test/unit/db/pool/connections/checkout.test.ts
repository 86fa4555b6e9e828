import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Lease } from "../../../../../src/db/pool/connections/lease.ts";
import { TidegateError } from "../../../../../src/errors.ts";
import { limits } from "../../../../../src/limits.ts";
import type { FakeConnection } from "./fake-connection.ts";
import { codeOf, idleMs, lifetimeMs, pool, poolWith, queueWaitMs, request, settle } from "./fake-pool.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  // No jitter, except in tests that set it.
  vi.spyOn(Math, "random").mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("opening", () => {
  test("nothing is opened before a request", async () => {
    const { server } = pool();
    await settle();
    expect(server.pending).toHaveLength(0);
  });

  test("one is opened for each request that finds none free", async () => {
    const { server, checkout } = pool();
    const [a, b] = [request(checkout), request(checkout)];
    expect(server.pending).toHaveLength(2);
    const [first, second] = [server.accept(), server.accept()];
    await settle();
    expect([a.lease?.connection, b.lease?.connection]).toEqual([first, second]);
  });

  test("never more than the size, for any number of requests", async () => {
    const { server, checkout } = pool({ size: 2 });
    for (let i = 0; i < 8; i++) request(checkout);
    expect(server.pending).toHaveLength(2);
    server.accept();
    server.accept();
    await settle();
    expect(server.pending).toHaveLength(0);
    expect(server.opened).toHaveLength(2);
  });

  test("an open one is used before another is opened", async () => {
    const { server, checkout, connections } = await poolWith(1, { size: 2 });
    const next = request(checkout);
    await settle();
    expect(next.lease?.connection).toBe(connections[0]);
    expect(server.pending).toHaveLength(0);
  });

  test("one that is released while another is being opened serves the waiter, and the new one is kept", async () => {
    const { server, checkout } = pool({ size: 2 });
    const first = request(checkout);
    const connection = server.accept();
    await settle();
    const second = request(checkout);
    expect(server.pending).toHaveLength(1);
    checkout.release(connection);
    await settle();
    expect(second.lease?.connection).toBe(connection);
    const late = server.accept();
    await settle();
    const third = request(checkout);
    await settle();
    expect(third.lease?.connection).toBe(late);
    expect(first.lease?.connection).toBe(connection);
  });
});

describe("handing out", () => {
  test("last in, first out", async () => {
    const { checkout, connections } = await poolWith(3);
    const taken = [request(checkout), request(checkout), request(checkout)];
    await settle();
    expect(taken.map((state) => state.lease?.connection)).toEqual(connections.toReversed());
  });

  test("a connection in use is never handed out again", async () => {
    const { checkout } = await poolWith(2);
    const states = Array.from({ length: 5 }, () => request(checkout));
    await settle();
    const held = states.flatMap(({ lease }) => (lease ? [lease.connection] : []));
    expect(new Set(held).size).toBe(2);
    expect(held).toHaveLength(2);
  });

  test("a free one comes at once", async () => {
    const { checkout } = await poolWith(1);
    expect(await checkout.acquire("somebody")).toMatchObject({ queueMs: 0, connectMs: 0 });
  });
});

describe("the queue", () => {
  test("is served in the order of arrival", async () => {
    const { checkout, connections } = await poolWith(1);
    const [connection] = connections as [FakeConnection];
    request(checkout);
    const waiting = [request(checkout), request(checkout), request(checkout)];
    for (const [i] of waiting.entries()) {
      checkout.release(connection);
      await settle();
      expect(waiting.map(({ lease }) => lease !== undefined)).toEqual(waiting.map((_, n) => n <= i));
    }
  });

  test("refuses a request beyond its length at once", async () => {
    const { checkout } = await poolWith(1, { queueLength: 2 });
    const states = Array.from({ length: 5 }, () => request(checkout));
    await settle();
    expect(states[0]?.lease).toBeDefined();
    expect(states.slice(1, 3).map(({ error }) => error)).toEqual([undefined, undefined]);
    for (const { error } of states.slice(3)) {
      expect(error).toMatchObject({ code: "pool_full", status: 503, retryable: true });
      expect((error as TidegateError).details.retryAfter).toBe(limits.retryAfterSeconds);
    }
  });

  test("has room again after a request was served", async () => {
    const { checkout, connections } = await poolWith(1, { queueLength: 1 });
    request(checkout);
    request(checkout);
    checkout.release(connections[0] as FakeConnection);
    const next = request(checkout);
    await settle();
    expect(next.error).toBeUndefined();
  });

  test("has room again after a request gave up", async () => {
    const { checkout } = await poolWith(1, { queueLength: 1 });
    request(checkout);
    request(checkout);
    await vi.advanceTimersByTimeAsync(queueWaitMs);
    const next = request(checkout);
    await settle();
    expect(next.error).toBeUndefined();
  });

  test("keeps a request no longer than the wait", async () => {
    const { checkout } = await poolWith(1);
    request(checkout);
    const waiting = request(checkout);
    await vi.advanceTimersByTimeAsync(queueWaitMs - 1);
    expect(waiting.error).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(waiting.error).toMatchObject({ code: "pool_timeout", status: 503, retryable: true });
    expect((waiting.error as TidegateError).details.retryAfter).toBe(limits.retryAfterSeconds);
  });

  test("drops a request that gave up: a connection goes to the next", async () => {
    const { checkout, connections } = await poolWith(1);
    request(checkout);
    const first = request(checkout);
    await vi.advanceTimersByTimeAsync(queueWaitMs / 2);
    const second = request(checkout);
    await vi.advanceTimersByTimeAsync(queueWaitMs / 2);
    checkout.release(connections[0] as FakeConnection);
    await settle();
    expect(codeOf(first.error)).toBe("pool_timeout");
    expect(second.lease?.connection).toBe(connections[0]);
  });

  test("a waiter that was served is not refused later", async () => {
    const { checkout, connections } = await poolWith(1);
    request(checkout);
    const waiting = request(checkout);
    checkout.release(connections[0] as FakeConnection);
    await vi.advanceTimersByTimeAsync(queueWaitMs * 2);
    expect(waiting.error).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("the wait bounds a slow login too, and the connection is kept for others", async () => {
    const { server, checkout } = pool({ size: 1 });
    const waiting = request(checkout);
    await vi.advanceTimersByTimeAsync(queueWaitMs);
    expect(codeOf(waiting.error)).toBe("pool_timeout");
    const connection = server.accept();
    await settle();
    expect((await checkout.acquire("somebody")).connection).toBe(connection);
  });
});

describe("the parts of a request's wait", () => {
  test("its own login is connecting, not queueing", async () => {
    const { server, checkout } = pool();
    const waiting = request(checkout);
    await vi.advanceTimersByTimeAsync(300);
    server.accept();
    await settle();
    expect(waiting.lease).toMatchObject({ queueMs: 0, connectMs: 300 });
  });

  test("a wait for a release is queueing", async () => {
    const { checkout, connections } = await poolWith(1);
    request(checkout);
    const waiting = request(checkout);
    await vi.advanceTimersByTimeAsync(200);
    checkout.release(connections[0] as FakeConnection);
    await settle();
    expect(waiting.lease).toMatchObject({ queueMs: 200, connectMs: 0 });
  });

  test("an earlier login counts only from the request's arrival", async () => {
    const { server, checkout } = pool({ size: 1 });
    const first = request(checkout);
    await vi.advanceTimersByTimeAsync(queueWaitMs - 100);
    const second = request(checkout);
    await vi.advanceTimersByTimeAsync(100);
    server.accept();
    await settle();
    expect(codeOf(first.error)).toBe("pool_timeout");
    expect(second.lease).toMatchObject({ queueMs: 0, connectMs: 100 });
  });
});

describe("a lost connection", () => {
  test("while idle is never handed out", async () => {
    const { server, checkout, connections, closed } = await poolWith(1);
    connections[0]?.lose("server went away");
    await settle();
    expect(closed).toEqual(["server went away"]);
    const next = request(checkout);
    expect(server.pending).toHaveLength(1);
    const fresh = server.accept();
    await settle();
    expect(next.lease?.connection).toBe(fresh);
  });

  test("while idle, at the moment of a request", async () => {
    const { server, checkout, connections } = await poolWith(1);
    connections[0]?.lose();
    const next = request(checkout);
    await settle();
    expect(server.pending).toHaveLength(1);
    server.accept();
    await settle();
    expect(next.lease).toBeDefined();
    expect(next.lease?.connection).not.toBe(connections[0]);
  });

  test("while busy frees its slot for a waiter", async () => {
    const { server, checkout, connections } = await poolWith(1);
    request(checkout);
    const waiting = request(checkout);
    expect(server.pending).toHaveLength(0);
    connections[0]?.lose();
    await settle();
    expect(server.pending).toHaveLength(1);
    const fresh = server.accept();
    await settle();
    expect(waiting.lease?.connection).toBe(fresh);
  });

  test("that is released later does not come back", async () => {
    const { server, checkout, connections, closed } = await poolWith(1);
    const [connection] = connections as [FakeConnection];
    request(checkout);
    connection.lose("reset by peer");
    await settle();
    checkout.release(connection);
    checkout.discard(connection, "not_restored");
    await settle();
    expect(closed).toEqual(["reset by peer"]);
    const next = request(checkout);
    server.accept();
    await settle();
    expect(next.lease?.connection).not.toBe(connection);
  });

  test("that is released before the loss is known does not come back", async () => {
    const { server, checkout, connections, closed } = await poolWith(1);
    const [connection] = connections as [FakeConnection];
    request(checkout);
    const waiting = request(checkout);
    connection.usable = false;
    checkout.release(connection);
    await settle();
    expect(closed).toHaveLength(1);
    expect(connection.destroyed).toBe(1);
    server.accept();
    await settle();
    expect(waiting.lease?.connection).not.toBe(connection);
  });
});

describe("a login that fails", () => {
  const failure = new TidegateError("database_login_failed");

  test("fails every request while nothing is open", async () => {
    const { server, checkout } = pool({ size: 1 });
    const states = [request(checkout), request(checkout), request(checkout)];
    server.refuse(failure);
    await settle();
    expect(states.map(({ error }) => error)).toEqual([failure, failure, failure]);
    expect(server.pending).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("fails no request while another connection is open, which serves all", async () => {
    const { server, checkout } = pool({ size: 2 });
    request(checkout);
    const open = server.accept();
    await settle();
    const [first, second] = [request(checkout), request(checkout)];
    server.refuse(failure);
    await settle();
    expect([first.error, second.error]).toEqual([undefined, undefined]);
    // The next login does not come at once, but a little later.
    expect(server.pending).toHaveLength(0);
    checkout.release(open);
    await settle();
    expect(first.lease?.connection).toBe(open);
    await vi.advanceTimersByTimeAsync(limits.openPauseMs);
    expect(server.pending).toHaveLength(1);
    const grown = server.accept();
    await settle();
    expect(second.lease?.connection).toBe(grown);
  });

  test("fails no request while another login is running", async () => {
    const { server, checkout } = pool({ size: 2 });
    const [first, second] = [request(checkout), request(checkout)];
    server.refuse(failure);
    await settle();
    const open = server.accept();
    await settle();
    expect(first.lease?.connection).toBe(open);
    checkout.release(open);
    await settle();
    expect(second.lease?.connection).toBe(open);
  });

  test("takes no slot: the next request tries again", async () => {
    const { server, checkout } = pool({ size: 1 });
    request(checkout);
    server.refuse(failure);
    await settle();
    const next = request(checkout);
    expect(server.pending).toHaveLength(1);
    server.accept();
    await settle();
    expect(next.lease).toBeDefined();
  });

  test("after all requests gave up has no effect", async () => {
    const { server, checkout } = pool({ size: 1 });
    const gone = request(checkout);
    await vi.advanceTimersByTimeAsync(queueWaitMs);
    server.refuse(failure);
    await settle();
    expect(codeOf(gone.error)).toBe("pool_timeout");
  });
});

describe("discarding", () => {
  test("destroys the connection and says why", async () => {
    const { checkout, connections, closed } = await poolWith(1);
    const [connection] = connections as [FakeConnection];
    await checkout.acquire("somebody");
    checkout.discard(connection, "not_restored");
    await settle();
    expect(connection).toMatchObject({ destroyed: 1, closed: 0 });
    expect(closed).toEqual(["not restored"]);
  });

  test("opens another for a waiter", async () => {
    const { server, checkout, connections } = await poolWith(1);
    await checkout.acquire("somebody");
    const waiting = request(checkout);
    checkout.discard(connections[0] as FakeConnection, "stopped");
    await settle();
    expect(server.pending).toHaveLength(1);
    const fresh = server.accept();
    await settle();
    expect(waiting.lease?.connection).toBe(fresh);
  });

  test("twice is once", async () => {
    const { checkout, connections, closed } = await poolWith(1);
    const [connection] = connections as [FakeConnection];
    await checkout.acquire("somebody");
    checkout.discard(connection, "stopped");
    checkout.discard(connection, "not_restored");
    checkout.release(connection);
    await settle();
    expect(connection.destroyed).toBe(1);
    expect(closed).toEqual(["stopped"]);
  });

  test("opens nothing without a waiter", async () => {
    const { server, checkout, connections } = await poolWith(1);
    await checkout.acquire("somebody");
    checkout.discard(connections[0] as FakeConnection, "stopped");
    expect(server.pending).toHaveLength(0);
  });
});

describe("lifetime", () => {
  test("a connection past it is closed when it comes back", async () => {
    const { checkout, connections, closed } = await poolWith(1);
    const [connection] = connections as [FakeConnection];
    await checkout.acquire("somebody");
    await vi.advanceTimersByTimeAsync(lifetimeMs);
    checkout.release(connection);
    await settle();
    expect(connection).toMatchObject({ closed: 1, destroyed: 0 });
    expect(closed).toEqual(["lifetime"]);
  });

  test("a moment before it may be used again", async () => {
    const { checkout, connections } = await poolWith(1);
    await checkout.acquire("somebody");
    await vi.advanceTimersByTimeAsync(lifetimeMs - 1);
    checkout.release(connections[0] as FakeConnection);
    expect((await checkout.acquire("somebody")).connection).toBe(connections[0]);
  });

  test("a busy connection is not interrupted", async () => {
    const { checkout, connections } = await poolWith(1);
    await checkout.acquire("somebody");
    await vi.advanceTimersByTimeAsync(lifetimeMs * 2);
    expect(connections[0]).toMatchObject({ closed: 0, destroyed: 0 });
  });

  test("an idle connection past it is not handed out", async () => {
    const { server, checkout, connections } = await poolWith(1, { idleMs: lifetimeMs * 2 });
    await vi.advanceTimersByTimeAsync(lifetimeMs);
    const next = request(checkout);
    expect(connections[0]?.closed).toBe(1);
    await settle();
    const fresh = server.accept();
    await settle();
    expect(next.lease?.connection).toBe(fresh);
  });

  test("a waiter gets a new one for it", async () => {
    const { server, checkout, connections } = await poolWith(1, { queueWaitMs: lifetimeMs * 2 });
    await checkout.acquire("somebody");
    const waiting = request(checkout);
    await vi.advanceTimersByTimeAsync(lifetimeMs);
    checkout.release(connections[0] as FakeConnection);
    await settle();
    const fresh = server.accept();
    await settle();
    expect(waiting.lease?.connection).toBe(fresh);
  });

  test("differs from connection to connection, by a tenth at most", async () => {
    for (const [random, expected] of [
      [0, 1],
      [0.5, 1 - limits.connectionLifetimeJitter / 2],
      [0.999999, 1 - limits.connectionLifetimeJitter],
    ] as const) {
      vi.mocked(Math.random).mockReturnValue(random);
      const { checkout, connections } = await poolWith(1);
      const [connection] = connections as [FakeConnection];
      await checkout.acquire("somebody");
      await vi.advanceTimersByTimeAsync(lifetimeMs * expected - 10);
      checkout.release(connection);
      expect(connection.closed).toBe(0);
      await checkout.acquire("somebody");
      await vi.advanceTimersByTimeAsync(20);
      checkout.release(connection);
      expect(connection.closed).toBe(1);
    }
  });
});

describe("an idle connection", () => {
  test("is closed", async () => {
    const { checkout, connections, closed, server } = await poolWith(1);
    await vi.advanceTimersByTimeAsync(idleMs - 1);
    expect(closed).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(connections[0]).toMatchObject({ closed: 1, destroyed: 0 });
    expect(closed).toEqual(["idle"]);
    request(checkout);
    expect(server.pending).toHaveLength(1);
  });

  test("stays while it is used now and then", async () => {
    const { checkout, closed } = await poolWith(1);
    for (let i = 0; i < 5; i++) {
      await vi.advanceTimersByTimeAsync(idleMs - 1);
      const { connection } = await checkout.acquire("somebody");
      checkout.release(connection);
    }
    expect(closed).toEqual([]);
  });

  test("stays while it is busy", async () => {
    const { checkout, connections } = await poolWith(1);
    await checkout.acquire("somebody");
    await vi.advanceTimersByTimeAsync(idleMs * 3);
    expect(connections[0]?.closed).toBe(0);
  });

  test("behind the used ones ages: only the unused ones close", async () => {
    const { checkout, connections } = await poolWith(3);
    for (let i = 0; i < 3; i++) {
      await vi.advanceTimersByTimeAsync(idleMs / 2);
      const { connection } = await checkout.acquire("somebody");
      checkout.release(connection);
    }
    expect(connections.map(({ closed }) => closed)).toEqual([1, 1, 0]);
  });

  test("leaves no timer behind", async () => {
    const { checkout, connections } = await poolWith(2);
    expect(vi.getTimerCount()).toBe(2);
    connections[0]?.lose();
    await settle();
    expect(vi.getTimerCount()).toBe(1);
    await checkout.acquire("somebody");
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("after random events", () => {
  test("the size holds, no connection is shared, and every request gets an answer", async () => {
    for (let seed = 1; seed <= 40; seed++) await upheaval(seed);
  });
});

/** Runs a long sequence of random events, and checks the invariants after each one. */
async function upheaval(seed: number): Promise<void> {
  const random = generator(seed);
  const size = 1 + random(3);
  const { server, checkout } = pool({ size, queueLength: 6 });
  const states: ReturnType<typeof request>[] = [];
  const returned = new Set<Lease<FakeConnection>>();
  /** The open connections and running logins at a drain: no later request may get one. */
  const drained = new Set<unknown>();
  const accept = () => {
    const login = server.pending[0];
    const connection = server.accept();
    connection.lingers = random(3) === 0;
    if (drained.has(login)) drained.add(connection);
  };
  /** Connections that have ended, but whose sockets have not. */
  const lingering = () => server.opened.filter(({ usable, isGone }) => !usable && !isGone);
  const leases = () => states.flatMap(({ lease }) => lease ?? []);
  const held = () =>
    states.flatMap(({ lease }) => (lease && !returned.has(lease) && lease.connection.usable ? [lease] : []));
  const give = (back: (lease: Lease<FakeConnection>) => void) => {
    const lease = held()[0];
    if (!lease) return;
    returned.add(lease);
    back(lease);
  };
  for (let step = 0; step < 200; step++) {
    const event = random(12);
    const known = new Set(leases());
    if (event < 4) states.push(request(checkout));
    else if (event < 6 && server.pending.length > 0) accept();
    else if (event === 6 && server.pending.length > 0)
      server.refuse(new TidegateError("database_unreachable"));
    else if (event === 7) give(({ connection }) => checkout.release(connection));
    else if (event === 8) give(({ connection }) => checkout.discard(connection, "stopped"));
    else if (event === 9) held().at(-1)?.connection.lose();
    else if (event === 10) {
      for (const old of [...server.opened, ...server.pending]) drained.add(old);
      checkout.drain();
    } else if (event === 11) lingering()[0]?.go();
    await vi.advanceTimersByTimeAsync(random(1_000));
    const served = leases().filter((lease) => !known.has(lease));
    expect(served.filter(({ connection }) => drained.has(connection))).toEqual([]);
    const connections = held().map(({ connection }) => connection);
    expect(new Set(connections).size).toBe(connections.length);
    const alive = server.opened.filter(({ usable }) => usable).length;
    expect(alive + lingering().length + server.pending.length).toBeLessThanOrEqual(size);
  }
  // After the random events, every request is answered.
  for (const connection of server.opened) {
    connection.lingers = false;
    if (!connection.usable) connection.go();
  }
  await settle();
  for (let lease = held()[0]; lease; lease = held()[0]) {
    returned.add(lease);
    checkout.release(lease.connection);
    await settle();
  }
  while (server.pending.length > 0) {
    server.accept();
    await settle();
    give(({ connection }) => checkout.release(connection));
    await settle();
  }
  await vi.advanceTimersByTimeAsync(queueWaitMs);
  expect(states.filter(({ lease, error }) => lease === undefined && error === undefined)).toEqual([]);
}

/** A small generator of pseudo-random integers (Lehmer), so that a failure can be repeated. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
