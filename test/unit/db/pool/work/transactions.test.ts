import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Ceilings } from "../../../../../src/db/contract/requests.ts";
import { mysql } from "../../../../../src/db/mysql/engines/mysql.ts";
import type { StatementResult } from "../../../../../src/db/mysql/session/statement-result.ts";
import { unreadWarnings } from "../../../../../src/db/mysql/session/warnings.ts";
import type { ExecuteWork } from "../../../../../src/db/pool/messages/protocol.ts";
import { CancellableStatement } from "../../../../../src/db/pool/work/cancellable-statement.ts";
import type { TransactionSession } from "../../../../../src/db/pool/work/transaction.ts";
import { Transactions } from "../../../../../src/db/pool/work/transactions.ts";
import { TidegateError } from "../../../../../src/errors.ts";
import { limits } from "../../../../../src/limits.ts";
import { platformTimers } from "../../../../../src/timers.ts";
import { summary } from "../../encode/wire.ts";
import { settle } from "../connections/fake-pool.ts";

/** Timers and counting. test/gateway/transactions/transactions.test.ts shows the server's part. */

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A session whose statements run until the test ends them. */
class FakeSession implements TransactionSession {
  usable = true;
  readonly timers = platformTimers;
  readonly said: string[] = [];
  readonly #loss = Promise.withResolvers<string>();
  readonly lost = this.#loss.promise;
  #running = Promise.withResolvers<StatementResult>();

  async control(sql: string): Promise<boolean> {
    if (!this.usable) throw new Error("lost");
    this.said.push(sql);
    return true;
  }
  async run() {
    this.#running = Promise.withResolvers();
    return await this.#running.promise;
  }
  succeed(): void {
    this.#running.resolve({
      ...{ ...summary, ...unreadWarnings(0, []) },
      ...{ serverStatus: 2, columnsChanged: false },
    });
  }
  lose(): void {
    this.usable = false;
    this.#running.promise.catch(() => {});
    this.#running.reject(new TidegateError("connection_lost"));
    this.#loss.resolve("closed");
  }
  pause(): void {}
  resume(): void {}
  destroy(): void {
    this.lose();
  }
}

function shard(limit = 2) {
  const sessions: FakeSession[] = [];
  const returned: FakeSession[] = [];
  const stopped: FakeSession[] = [];
  const discarded: string[] = [];
  const endings: string[] = [];
  const transactions = new Transactions<FakeSession>({
    dialect: mysql,
    limit,
    acquire: async () => {
      const connection = new FakeSession();
      sessions.push(connection);
      return { connection };
    },
    enter: ({ ceilings: { deadlineMs } }, _, stopping) => {
      const running = new CancellableStatement<FakeSession>({
        deadlineMs,
        writes: false,
        control: {
          prepare() {},
          kill: async (session) => {
            stopped.push(session);
            session.lose();
            return false;
          },
        },
        giveBack: (session) => returned.push(session),
        discard: (_, reason) => discarded.push(reason),
        stopping,
      });
      return { running, caller: "a", leave: () => {} };
    },
    giveBack: (session) => returned.push(session),
    discard: (_, reason) => discarded.push(reason),
    ended: (ending, durationMs) => endings.push(`${ending} after ${durationMs}`),
  });
  const begin = (
    id: string,
    more: Partial<{ caller: string; readOnly: boolean; limit: number; idleMs: number; totalMs: number }> = {},
  ) =>
    transactions.begin({
      kind: "begin",
      id,
      caller: "a",
      readOnly: false,
      idleMs: 1_000,
      totalMs: 10_000,
      limit: 2,
      ...more,
    });
  return { transactions, begin, sessions, returned, stopped, discarded, endings };
}

const ceilings: Ceilings = { deadlineMs: 5_000, bytes: 1_000_000 };
const work: ExecuteWork = {
  kind: "execute",
  caller: "a",
  sql: "SELECT 1",
  values: [],
  writable: false,
  bounded: true,
  author: "caller",
  atomic: true,
  returning: false,
  format: "json",
  shape: "object",
  ceilings,
};
const run = (transactions: Transactions<FakeSession>, id: string, caller = "a") =>
  transactions.execute({ kind: "transaction", id, caller, mayWrite: true, execute: work }, tag, () => {});
const nothing = () => {
  throw new Error("nothing runs");
};
const tag = { requestId: "r", workId: "w" };
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "none",
    (error) => (error instanceof TidegateError ? error.code : `not ours: ${error}`),
  );

describe("expiry", () => {
  test("after the idle time, counted from the end of the last statement", async () => {
    const { transactions, begin, sessions, returned } = shard();
    await begin("x");
    await vi.advanceTimersByTimeAsync(999);
    const running = run(transactions, "x");
    // A transaction with a running statement is not idle.
    await vi.advanceTimersByTimeAsync(3_000);
    sessions[0]?.succeed();
    expect((await running).body).toBeInstanceOf(Uint8Array);
    await vi.advanceTimersByTimeAsync(999);
    expect(returned).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(returned).toEqual(sessions);
    expect(await codeOf(run(transactions, "x"))).toBe("transaction_expired");
    expect(await codeOf(run(transactions, "x", "b"))).toBe("transaction_unknown");
  });

  test("after the whole time, also if it was busy", async () => {
    const { transactions, begin, sessions, returned } = shard();
    expect(await begin("x")).toEqual({ expiresAt: 1_010_000 });
    for (let i = 0; i < 10; i++) {
      await vi.advanceTimersByTimeAsync(950);
      const running = run(transactions, "x");
      await settle();
      sessions[0]?.succeed();
      await running;
    }
    await vi.advanceTimersByTimeAsync(499);
    expect(returned).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(returned).toEqual(sessions);
    expect(await codeOf(run(transactions, "x"))).toBe("transaction_expired");
  });

  test("a statement is stopped at its deadline or at the transaction's end, whichever is earlier", async () => {
    for (const [totalMs, stoppedAfterMs, late] of [
      [10_000, 5_000, "transaction_ended"],
      [3_000, 3_000, "transaction_expired"],
    ] as const) {
      const { transactions, begin, sessions, stopped } = shard();
      await begin("x", { totalMs });
      const code = codeOf(run(transactions, "x"));
      await vi.advanceTimersByTimeAsync(stoppedAfterMs - 1);
      expect(stopped).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      expect(stopped).toEqual(sessions);
      expect(await code).toBe("deadline_exceeded");
      expect(await codeOf(run(transactions, "x"))).toBe(late);
    }
  });

  test("a transaction that has ended or lost its connection leaves no timer", async () => {
    const { transactions, begin, sessions, endings } = shard();
    await begin("x");
    await vi.advanceTimersByTimeAsync(5);
    await transactions.end({ kind: "end", id: "x", caller: "a", how: "commit", mayWrite: true });
    await begin("y");
    sessions[1]?.lose();
    // The session may serve another transaction now, so its loss does not matter for the first one.
    sessions[0]?.lose();
    await settle();
    expect(vi.getTimerCount()).toBe(0);
    expect(await codeOf(run(transactions, "y"))).toBe("transaction_lost");
    expect(await codeOf(run(transactions, "x"))).toBe("transaction_ended");
    expect(endings).toEqual(["committed after 5", "lost after 0"]);
  });

  test("a session that is used again reports its loss to the current transaction", async () => {
    const session = new FakeSession();
    const { transactions } = shard();
    const one = new Transactions<FakeSession>({
      ...{ dialect: mysql, limit: 1, enter: nothing, giveBack: () => {}, discard: () => {} },
      ...{ ended: () => {} },
      acquire: async () => ({ connection: session }),
    });
    const asked = {
      kind: "begin",
      caller: "a",
      readOnly: true,
      idleMs: 100,
      totalMs: 100,
      limit: 1,
    } as const;
    await one.begin({ ...asked, id: "1" });
    await one.end({ kind: "end", id: "1", caller: "a", how: "rollback", mayWrite: true });
    await one.begin({ ...asked, id: "2" });
    session.lose();
    await settle();
    expect(await codeOf(run(one, "1"))).toBe("transaction_ended");
    expect(await codeOf(run(one, "2"))).toBe("transaction_lost");
    expect(await codeOf(run(transactions, "2"))).toBe("transaction_unknown");
  });
});

test("a read-only transaction refuses a write, also while another statement runs, and stays open", async () => {
  const { transactions, begin, sessions } = shard();
  await begin("1", { readOnly: true });
  const execute = { ...work, writable: true };
  const write = { kind: "transaction", id: "1", caller: "a", mayWrite: true, execute } as const;
  const refusal = () => transactions.execute(write, tag, () => {}).catch((error: TidegateError) => error);
  const expected = { code: "sql_denied", details: { reason: "read_only", transaction: "open" } };
  expect(await refusal()).toMatchObject(expected);
  const reading = run(transactions, "1");
  expect(await refusal()).toMatchObject(expected);
  expect(sessions[0]?.said).toEqual(["START TRANSACTION READ ONLY"]);
  sessions[0]?.succeed();
  expect((await reading).body).toBeInstanceOf(Uint8Array);
  // Another caller only hears that there is no such transaction.
  const other = transactions.execute({ ...write, caller: "b" }, tag, () => {});
  expect(await codeOf(other)).toBe("transaction_unknown");
});

test("a token without sql:write can only ROLLBACK a transaction that may write", async () => {
  const { transactions, begin, sessions } = shard();
  await begin("1", { readOnly: false });
  const of = { id: "1", caller: "a", mayWrite: false } as const;
  const refusal = { code: "access_denied", details: { transaction: "open" } };
  const read = transactions.execute({ kind: "transaction", ...of, execute: work }, tag, () => {});
  await expect(read).rejects.toMatchObject(refusal);
  await expect(transactions.end({ kind: "end", ...of, how: "commit" })).rejects.toMatchObject(refusal);
  expect(sessions[0]?.said).toHaveLength(1);
  await transactions.end({ kind: "end", ...of, how: "rollback" });
  expect(sessions[0]?.said.slice(1)).toEqual(["ROLLBACK"]);
  await begin("2", { readOnly: true });
  await transactions.end({ kind: "end", ...of, id: "2", how: "commit" });
});

describe("slots", () => {
  test("are limited per shard and per caller; each is free again after the transaction's end", async () => {
    const { transactions, begin } = shard();
    await begin("1");
    expect(await codeOf(begin("2", { limit: 1 }))).toBe("transactions_exceeded");
    await begin("3", { caller: "b" });
    expect(await begin("4", { caller: "c" })).toEqual({ full: true, ofCaller: 0 });
    expect(await begin("5", { caller: "b" })).toEqual({ full: true, ofCaller: 1 });
    await transactions.end({ kind: "end", id: "1", caller: "a", how: "rollback", mayWrite: true });
    expect(await begin("4", { caller: "c" })).toHaveProperty("expiresAt");
  });

  test("are taken by transactions that begin, and free again if they fail to begin", async () => {
    const { begin } = shard(1);
    const first = begin("1");
    expect(await begin("2", { caller: "b" })).toEqual({ full: true, ofCaller: 0 });
    await first;
    const { transactions } = shard();
    const failing = new Transactions<FakeSession>({
      ...{ dialect: mysql, limit: 1, enter: nothing, giveBack: () => {}, discard: () => {} },
      ...{ ended: () => {} },
      acquire: () => Promise.reject(new TidegateError("pool_timeout")),
    });
    const asked = { kind: "begin", caller: "a", readOnly: true, idleMs: 1, totalMs: 1, limit: 2 } as const;
    expect(await codeOf(failing.begin({ ...asked, id: "1" }))).toBe("pool_timeout");
    expect(await codeOf(failing.begin({ ...asked, id: "2" }))).toBe("pool_timeout");
    expect(await codeOf(run(transactions, "1"))).toBe("transaction_unknown");
  });

  test("a bounded number of ended transactions is remembered, and the oldest go first", async () => {
    const { transactions, begin } = shard();
    for (let i = 0; i <= limits.endedTransactions; i++) {
      await begin(String(i));
      await transactions.end({ kind: "end", id: String(i), caller: "a", how: "commit", mayWrite: true });
    }
    expect(await codeOf(run(transactions, "0"))).toBe("transaction_unknown");
    expect(await codeOf(run(transactions, "1"))).toBe("transaction_ended");
    expect(await codeOf(run(transactions, String(limits.endedTransactions)))).toBe("transaction_ended");
  });
});

test("a statement counts while it runs, and a refused one does not count", async () => {
  let running = 0;
  const session = new FakeSession();
  const transactions = new Transactions<FakeSession>({
    ...{ dialect: mysql, limit: 1, giveBack: () => {}, discard: () => {}, ended: () => {} },
    acquire: async () => ({ connection: session }),
    enter: () => {
      if (running === 1) throw new TidegateError("concurrency_exceeded");
      running += 1;
      const statement = new CancellableStatement<FakeSession>({
        ...{ deadlineMs: 1_000, writes: false, giveBack: () => {}, discard: () => {} },
        control: { prepare: () => {}, kill: async () => false },
      });
      const leave = () => {
        running -= 1;
      };
      return { running: statement, caller: "a", leave };
    },
  });
  const asked = {
    kind: "begin",
    caller: "a",
    readOnly: true,
    idleMs: 100,
    totalMs: 1_000,
    limit: 1,
  } as const;
  await transactions.begin({ ...asked, id: "x" });
  const first = run(transactions, "x");
  expect(await codeOf(run(transactions, "x"))).toBe("transaction_busy");
  expect(running).toBe(1);
  session.succeed();
  await first;
  expect(running).toBe(0);
  // Another transaction's statement takes the grant's only slot. This statement is refused, and the
  // transaction stays idle.
  running = 1;
  expect(await codeOf(run(transactions, "x"))).toBe("concurrency_exceeded");
  running = 0;
  const second = run(transactions, "x");
  await settle();
  session.succeed();
  expect((await second).body).toBeInstanceOf(Uint8Array);
  await vi.advanceTimersByTimeAsync(100);
  expect(await codeOf(run(transactions, "x"))).toBe("transaction_expired");
});
