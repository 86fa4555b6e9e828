import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { limits } from "../../../../../src/limits.ts";
import type { FakeConnection } from "./fake-connection.ts";
import { idleMs, lifetimeMs, poolWith, request, settle } from "./fake-pool.ts";

/** Connections in a run: plain SELECTs continue it, all else needs a restored connection. */

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  vi.spyOn(Math, "random").mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const plain = "SELECT 1 FROM a";
const elsewhere = "SELECT 1 FROM b";

/** A pool with idle connections, of which the given ones are in a run of `plain`. */
async function poolWithRuns(count: number, ...inRun: number[]) {
  const made = await poolWith(count, { size: count });
  const { checkout, connections } = made;
  const asked = connections.map((_, i) => request(checkout, `starter ${i}`));
  await settle();
  for (const { lease } of asked) {
    const connection = lease?.connection;
    if (!connection) throw new Error("no connection");
    if (inRun.includes(connections.indexOf(connection))) connection.run = [plain];
  }
  for (const connection of connections) checkout.release(connection);
  return made;
}

describe("a plain SELECT", () => {
  test("takes a connection in its run before a restored one", async () => {
    const { checkout, connections } = await poolWithRuns(3, 1);
    const asked = request(checkout, "a", plain);
    await settle();
    expect(asked.lease?.connection).toBe(connections[1]);
  });

  test("takes a restored one if the runs are of other texts", async () => {
    const { checkout, connections, restoring } = await poolWithRuns(3, 0, 2);
    const asked = request(checkout, "a", elsewhere);
    await settle();
    expect(asked.lease?.connection).toBe(connections[1]);
    // None is left for other work, so one is restored at once.
    expect(restoring).toEqual([connections[0]]);
  });

  test("waits for a restore if only runs of other texts are left", async () => {
    const { checkout, connections, restoring, server } = await poolWithRuns(1, 0);
    const asked = request(checkout, "a", elsewhere);
    await settle();
    expect(asked.lease).toBeUndefined();
    expect(restoring).toEqual(connections);
    const [connection] = connections;
    if (!connection) throw new Error("no connection");
    connection.run = undefined;
    checkout.release(connection);
    await settle();
    expect(asked.lease?.connection).toBe(connection);
    expect(server.opened).toHaveLength(1);
  });
});

describe("other work", () => {
  test("takes a restored connection, although one in a run was used last", async () => {
    const { checkout, connections, restoring } = await poolWithRuns(2, 1);
    const asked = request(checkout);
    await settle();
    expect(asked.lease?.connection).toBe(connections[0]);
    expect(restoring).toEqual([connections[1]]);
  });

  test("gets a connection in a run only after its restore, in its turn", async () => {
    const { checkout, connections, restoring } = await poolWithRuns(1, 0);
    const [connection] = connections;
    if (!connection) throw new Error("no connection");
    const holder = request(checkout, "a", plain);
    await settle();
    expect(holder.lease?.connection).toBe(connection);
    const write = request(checkout, "b");
    const read = request(checkout, "c", plain);
    checkout.release(connection);
    await settle();
    expect([write.lease, read.lease, restoring]).toEqual([undefined, undefined, [connection]]);
    connection.run = undefined;
    checkout.release(connection);
    await settle();
    expect(write.lease?.connection).toBe(connection);
    expect(read.lease).toBeUndefined();
  });

  test("does not open a connection while one is restored for it", async () => {
    const { checkout, connections, restoring, server } = await poolWith(1, { size: 2 });
    const [connection] = connections;
    const holder = request(checkout, "a");
    await settle();
    if (!connection) throw new Error("no connection");
    connection.run = [plain];
    checkout.release(connection);
    const first = request(checkout, "b");
    expect([restoring.length, server.pending.length]).toEqual([1, 0]);
    request(checkout, "c");
    expect([restoring.length, server.pending.length]).toEqual([1, 1]);
    connection.run = undefined;
    checkout.release(connection);
    await settle();
    expect(first.lease?.connection).toBe(connection);
    expect(holder.lease?.connection).toBe(connection);
  });
});

describe("an idle connection in a run", () => {
  test("is restored after its time if another one is restored", async () => {
    const { restoring, connections } = await poolWithRuns(2, 1);
    await vi.advanceTimersByTimeAsync(limits.runIdleMs - 1);
    expect(restoring).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(restoring).toEqual([connections[1]]);
  });

  test("is restored sooner if no other one is", async () => {
    const { restoring, connections } = await poolWithRuns(1, 0);
    await vi.advanceTimersByTimeAsync(limits.lastRunIdleMs - 1);
    expect(restoring).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(restoring).toEqual(connections);
  });

  test("is not restored while it is in use", async () => {
    const { checkout, restoring } = await poolWithRuns(1, 0);
    request(checkout, "a", plain);
    await vi.advanceTimersByTimeAsync(10 * limits.runIdleMs);
    expect(restoring).toEqual([]);
  });

  test("becomes idle after its restore, and is closed after the idle time", async () => {
    const { checkout, connections, closed } = await poolWithRuns(1, 0);
    await vi.advanceTimersByTimeAsync(limits.lastRunIdleMs);
    const [connection] = connections;
    if (!connection) throw new Error("no connection");
    expect(checkout.gauges).toMatchObject({ idle: 0, busy: 1 });
    connection.run = undefined;
    checkout.release(connection);
    expect(checkout.gauges).toMatchObject({ idle: 1, busy: 0 });
    await vi.advanceTimersByTimeAsync(idleMs);
    expect(closed).toEqual(["idle"]);
  });

  test("closes if its restore fails, and a waiting request gets another one", async () => {
    const { checkout, connections, server } = await poolWithRuns(1, 0);
    const asked = request(checkout);
    await settle();
    const [connection] = connections;
    if (!connection) throw new Error("no connection");
    checkout.discard(connection, "not_restored");
    await settle();
    const another = server.accept();
    await settle();
    expect(asked.lease?.connection).toBe(another);
  });

  test("closes at a drain, and while it is restored after that", async () => {
    const { checkout, connections, closed, restoring } = await poolWithRuns(2, 0, 1);
    const [first, second] = connections;
    if (!first || !second) throw new Error("no connection");
    await vi.advanceTimersByTimeAsync(limits.lastRunIdleMs);
    expect(restoring).toEqual([first]);
    checkout.drain();
    expect(closed).toEqual(["drained"]);
    checkout.release(first);
    expect(closed).toEqual(["drained", "drained"]);
  });

  test("closes when its lifetime is over", async () => {
    const { checkout, connections, closed } = await poolWithRuns(1, 0);
    const [connection] = connections;
    if (!connection) throw new Error("no connection");
    request(checkout, "a", plain);
    await vi.advanceTimersByTimeAsync(lifetimeMs);
    checkout.release(connection);
    expect(closed).toEqual(["lifetime"]);
  });
});

describe("a caller's share", () => {
  /** Puts the connections that the caller has into a run, and gives them back. */
  function release(
    checkout: Awaited<ReturnType<typeof poolWith>>["checkout"],
    leased: FakeConnection[],
  ): void {
    for (const connection of leased) {
      connection.run = [plain];
      checkout.release(connection);
    }
  }

  test("has the connections of its runs in it, until they are restored or others continue them", async () => {
    const { checkout, connections } = await poolWith(4, { size: 4, share: 2 });
    const mine = [request(checkout, "x", plain), request(checkout, "x", plain)];
    await settle();
    release(
      checkout,
      mine.map(({ lease }) => lease?.connection as FakeConnection),
    );
    // Other work of x waits for a restore of its own, although two restored ones are idle.
    const write = request(checkout, "x");
    await settle();
    expect(write.lease).toBeUndefined();
    // Another caller continues a run of x, which then counts for the other one.
    const other = request(checkout, "y", plain);
    await settle();
    expect(other.lease?.connection.isInRun).toBe(true);
    expect(new Set(connections).has(other.lease?.connection as FakeConnection)).toBe(true);
    expect(write.lease?.connection.isInRun).toBe(false);
  });

  test("does not let its later requests overtake one that waits for a restore", async () => {
    const { checkout, restoring } = await poolWith(2, { size: 2, share: 1 });
    const holder = request(checkout, "x", plain);
    await settle();
    const connection = holder.lease?.connection as FakeConnection;
    const write = request(checkout, "x");
    release(checkout, [connection]);
    expect(restoring).toEqual([connection]);
    // The other connection is restored and idle, but x has its share.
    const later = request(checkout, "x", plain);
    await settle();
    expect([write.lease, later.lease]).toEqual([undefined, undefined]);
    connection.run = undefined;
    checkout.release(connection);
    await settle();
    expect(write.lease?.connection).toBeDefined();
    expect(later.lease).toBeUndefined();
  });
});

test("one request that needs a restore has one connection restored; the others continue their runs", async () => {
  const { checkout, restoring } = await poolWith(3, { size: 3 });
  const holders = ["a", "b", "c"].map((caller) => request(checkout, caller, plain));
  await settle();
  const leased = holders.map(({ lease }) => lease?.connection as FakeConnection);
  const write = request(checkout, "d");
  const reads = ["e", "f"].map((caller) => request(checkout, caller, plain));
  for (const connection of leased) {
    connection.run = [plain];
    checkout.release(connection);
  }
  await settle();
  expect(restoring).toEqual([leased[0]]);
  expect(write.lease).toBeUndefined();
  expect(reads.map(({ lease }) => lease?.connection)).toEqual([leased[1], leased[2]]);
});

test("a drain lends no connection that it closes, and restores none", async () => {
  const { checkout, restoring, closed, server } = await poolWith(3, { size: 3, share: 1 });
  const holder = request(checkout, "x", plain);
  await settle();
  const connection = holder.lease?.connection as FakeConnection;
  connection.run = [plain];
  checkout.release(connection);
  const write = request(checkout, "x");
  expect(restoring).toEqual([connection]);
  checkout.drain();
  await settle();
  expect(write.lease).toBeUndefined();
  expect(closed).toEqual(["drained", "drained"]);
  expect(restoring).toEqual([connection]);
  // A new login serves the request, and not the connection that was retired in its restore.
  connection.run = undefined;
  checkout.release(connection);
  const another = server.accept();
  await settle();
  expect(write.lease?.connection).toBe(another);
});
