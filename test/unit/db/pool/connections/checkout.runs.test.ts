import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { limits } from "../../../../../src/limits.ts";
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
