import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Checkout } from "../../../../../src/db/pool/connections/checkout.ts";
import type { Lease } from "../../../../../src/db/pool/connections/lease.ts";
import type { Use } from "../../../../../src/db/pool/connections/shares.ts";
import { Shares, shareOf } from "../../../../../src/db/pool/connections/shares.ts";
import { TidegateError } from "../../../../../src/errors.ts";
import type { FakeConnection } from "./fake-connection.ts";
import { pool, poolWith, queueWaitMs, settle } from "./fake-pool.ts";

/** The connections per caller: 5 in all, of which each caller may have 2. */

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  vi.spyOn(Math, "random").mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

interface Asked {
  caller: string;
  lease?: Lease<FakeConnection>;
  error?: unknown;
}

/** All requests to a checkout, and the callers that have a connection. */
function asking(checkout: Checkout<FakeConnection>) {
  const served: Asked[] = [];
  const ask = (caller: string, use: Use = "statement"): Asked => {
    const asked: Asked = { caller };
    checkout.acquire(caller, undefined, use).then(
      (lease) => {
        asked.lease = lease;
        served.push(asked);
      },
      (error) => {
        asked.error = error;
      },
    );
    return asked;
  };
  const many = (count: number, caller: string) => Array.from({ length: count }, () => ask(caller));
  /** Ends one request, and waits for the consequences. */
  const end = async (asked: Asked | undefined, how: "release" | "discard" = "release") => {
    if (!asked?.lease) throw new Error("it has no connection");
    const { connection } = asked.lease;
    served.splice(served.indexOf(asked), 1);
    if (how === "release") checkout.release(connection);
    else checkout.discard(connection, "stopped");
    await settle();
  };
  /** The callers that have a connection now, in the order in which they got it. */
  const holders = () => served.map(({ caller }) => caller);
  return { ask, many, end, holders, served };
}

const five = { size: 5, share: 2, queueLength: 500 };

describe("the share", () => {
  test.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 2],
  ])("of %i connections is %i", (connections_per_shard, share) => {
    expect(shareOf({ connections_per_shard })).toBe(share);
  });

  test("is the account's setting", () => {
    expect(shareOf({ connections_per_shard: 5, connections_per_caller: 4 })).toBe(4);
  });
});

describe("one caller asks for 20", () => {
  test("and has 2, also when it is alone; the others cause no login", async () => {
    const { server, checkout } = pool(five);
    const { many, holders } = asking(checkout);
    many(20, "a");
    expect(server.pending).toHaveLength(2);
    server.accept();
    server.accept();
    await settle();
    expect(holders()).toEqual(["a", "a"]);
    expect([server.pending.length, checkout.waiting]).toEqual([0, 18]);
  });

  test("each other caller gets one at once, up to its share, and then waits", async () => {
    const { checkout } = await poolWith(5, five);
    const { many, holders } = asking(checkout);
    many(20, "a");
    await settle();
    many(3, "b");
    many(3, "c");
    await settle();
    expect(holders()).toEqual(["a", "a", "b", "b", "c"]);
    expect(checkout.waiting).toBe(18 + 1 + 2);
  });

  test("a connection goes to the next caller below the share, or to its own next request if there is none", async () => {
    const { checkout } = await poolWith(5, five);
    const { many, end, holders, served } = asking(checkout);
    many(4, "a");
    await settle();
    await end(served[0]);
    expect(holders()).toEqual(["a", "a"]);
    many(3, "b");
    many(2, "c");
    await settle();
    expect(holders()).toEqual(["a", "a", "b", "b", "c"]);
    // Each end serves the next caller: a asked first, then b, then c.
    await end(served[0]);
    expect(holders()).toEqual(["a", "b", "b", "c", "a"]);
    await end(served[0]);
    expect(holders()).toEqual(["b", "b", "c", "a", "c"]);
    await end(served[0]);
    expect(holders()).toEqual(["b", "c", "a", "c", "b"]);
    expect(checkout.waiting).toBe(0);
  });

  test("when its connection is closed and others are free, its next request gets a free one", async () => {
    const { server, checkout, connections } = await poolWith(5, five);
    const { many, end, holders, served } = asking(checkout);
    many(3, "a");
    await settle();
    (served[0]?.lease?.connection as FakeConnection).lingers = true;
    await end(served[0], "discard");
    expect(holders()).toEqual(["a", "a"]);
    expect(server.pending).toHaveLength(0);
    expect(connections).toContain(served[1]?.lease?.connection);
  });

  test("a lost connection no longer counts", async () => {
    const { checkout } = await poolWith(5, five);
    const { many, served } = asking(checkout);
    many(3, "a");
    await settle();
    served[0]?.lease?.connection.lose();
    await settle();
    expect(served).toHaveLength(3);
  });

  test("a request that waited for its own caller's requests gets this reason, and one that waited for others does not", async () => {
    const { checkout } = await poolWith(2, { size: 2, share: 1 });
    const { ask } = asking(checkout);
    const states = [ask("a"), ask("b"), ask("a"), ask("c")];
    await vi.advanceTimersByTimeAsync(queueWaitMs);
    const details = states.map(({ error }) => error instanceof TidegateError && error.details.detail);
    expect(details).toEqual([false, false, expect.stringMatching(/^Your own statements/), undefined]);
  });

  test("readiness does not count its waiting requests as a full pool", async () => {
    const { server, checkout } = pool(five);
    const { many } = asking(checkout);
    many(20, "a");
    server.accept();
    server.accept();
    await settle();
    expect(checkout.saturated).toBe(false);
  });
});

describe("transactions", () => {
  test("count, and leave their caller one parallel statement", async () => {
    const { checkout } = await poolWith(5, five);
    const { ask, many, end, holders } = asking(checkout);
    const transactions = [ask("a", "transaction"), ask("a", "transaction")];
    const [first] = many(3, "a");
    await settle();
    expect(holders()).toEqual(["a", "a", "a"]);
    expect(checkout.waiting).toBe(2);
    await end(first);
    expect([holders().length, checkout.waiting]).toEqual([3, 1]);
    await end(transactions[0]);
    // The caller has a transaction and a statement, which is its whole share.
    expect([holders().length, checkout.waiting]).toEqual([2, 1]);
  });

  test("this statement comes after every caller below the share", async () => {
    const { checkout } = await poolWith(3, { size: 3, share: 1 });
    const { ask, end, holders, served } = asking(checkout);
    ask("a", "transaction");
    ask("b");
    ask("c");
    await settle();
    ask("a");
    ask("d");
    await settle();
    expect(holders()).toEqual(["a", "b", "c"]);
    await end(served[1]);
    expect(holders()).toEqual(["a", "c", "d"]);
    await end(served[1]);
    expect(holders()).toEqual(["a", "d", "a"]);
  });

  test("one that is served lets the statement behind it be served", async () => {
    const { checkout } = await poolWith(5, { size: 5, share: 1 });
    const { ask, end, holders } = asking(checkout);
    const first = ask("a");
    await settle();
    ask("a", "transaction");
    ask("a");
    await settle();
    expect(holders()).toEqual(["a"]);
    await end(first);
    expect(holders()).toEqual(["a", "a"]);
  });
});

test("in every order, no caller has more than its share, and none waits beside a free connection", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    let state = seed;
    const random = (below: number) => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
    const { server, checkout } = pool({ ...five, queueWaitMs: 1e9, idleMs: 1e9 });
    const { ask, end, served, holders } = asking(checkout);
    const waitingOf = new Map<string, number>();
    const all: Asked[] = [];
    for (let step = 0; step < 150; step++) {
      const event = random(5);
      if (event < 2) all.push(ask(["a", "b", "c", "d"][random(4)] as string));
      else if (event === 2 && server.pending.length > 0) server.accept();
      else if (served.length > 0)
        await end(served[random(served.length)], event === 3 ? "release" : "discard");
      await settle();
      const counts = Map.groupBy(holders(), (caller) => caller);
      for (const [caller, of] of counts) expect(of.length, caller).toBeLessThanOrEqual(2);
      waitingOf.clear();
      for (const { caller, lease, error } of all)
        if (!lease && !error) waitingOf.set(caller, (waitingOf.get(caller) ?? 0) + 1);
      const below = [...waitingOf.keys()].filter((caller) => (counts.get(caller)?.length ?? 0) < 2);
      if (below.length > 0) expect(checkout.gauges.idle).toBe(0);
    }
  }
});

test("the queue counts the requests that a connection would serve", () => {
  const shares = new Shares<{ caller: string; use: Use }>(2, 50);
  const request = (caller: string, use: Use = "statement") => ({ caller, use });
  for (const caller of ["a", "a", "a", "b"]) shares.push(request(caller));
  expect([shares.waiting, shares.servable]).toEqual([4, 3]);
  shares.take(request("a"));
  expect(shares.servable).toBe(2);
  shares.take(request("a", "transaction"));
  expect([shares.servable, shares.mayHave("a")]).toEqual([1, false]);
  shares.give(request("a"));
  expect([shares.servable, shares.mayHave("a")]).toEqual([2, true]);
});
