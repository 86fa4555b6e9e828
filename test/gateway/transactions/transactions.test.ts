import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { has } from "../support/features.ts";
import { databaseServer, expectProblem } from "../support/harness.ts";
import type { Ledger } from "../support/ledger.ts";
import { dropLedger, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

let administrator: Connection;
let ledger: Ledger;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  ledger = await startLedger();
});
afterAll(async () => {
  await ledger?.gateway.close();
  await dropLedger(administrator);
  await administrator?.end();
});
beforeEach(() => resetLedger(administrator));

/** @returns the balances as other sessions see them */
async function balances(): Promise<number[]> {
  const [rows] = await administrator.query<RowDataPacket[]>("SELECT amount FROM ledger.balances ORDER BY id");
  return rows.map(({ amount }) => amount);
}

async function notes(): Promise<string[]> {
  const [rows] = await administrator.query<RowDataPacket[]>("SELECT note FROM ledger.entries ORDER BY id");
  return rows.map(({ note }) => note);
}

const take = "UPDATE balances SET amount = amount - ? WHERE id = ?";
const note = "INSERT INTO entries (account, note) VALUES (1, ?)";

describe("a transaction", () => {
  test("is invisible to others until it is committed, and then visible as a whole", async () => {
    const caller = ledger.as();
    const begun = await caller.begin();
    expect(begun.status).toBe(201);
    expect(begun.body).toEqual({
      id: expect.stringMatching(/^0-[0-9a-f]{32}$/),
      expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const { id, expires_at } = begun.body;
    expect(begun.headers.get("location")).toBe(`/v1/transactions/${id}`);
    const seconds = (Date.parse(expires_at) - Date.now()) / 1000;
    expect(seconds).toBeGreaterThan(270);
    expect(seconds).toBeLessThanOrEqual(300);
    expect((await caller.in(id, take, [10, 1])).body.rows_affected).toBe(1);
    expect((await caller.in(id, take, [-10, 2])).status).toBe(200);
    const seen = await caller.in(id, "SELECT id, amount FROM balances ORDER BY id");
    expect(seen.body.rows.map(({ amount }: { amount: number }) => amount)).toEqual([90, 110]);
    expect(seen.headers.get("server-timing")).toMatch(/^queue;dur=0, connect;dur=0, db;dur=\d+$/);
    expect(await balances()).toEqual([100, 100]);
    const committed = await caller.commit(id);
    expect([committed.status, committed.body]).toEqual([200, { status: "committed" }]);
    expect(await balances()).toEqual([90, 110]);
  });

  test("is undone by DELETE", async () => {
    const caller = ledger.as();
    const id = await caller.opened();
    await caller.in(id, take, [10, 1]);
    const undone = await caller.rollback(id);
    expect([undone.status, undone.body]).toEqual([200, { status: "rolled_back" }]);
    expect(await balances()).toEqual([100, 100]);
  });

  test("has its session to itself, which is clean for the next caller", async () => {
    const caller = ledger.as();
    const id = await caller.opened();
    const other = await caller.opened();
    const connection = "SELECT CAST(CONNECTION_ID() AS CHAR) AS id, LAST_INSERT_ID() AS last";
    const before = (await caller.in(id, connection)).body.rows[0];
    expect(before.last).toBe("0");
    await caller.in(id, note, ["mine"]);
    const own = (await caller.in(id, connection)).body.rows[0];
    expect(own.id).toBe(before.id);
    expect(Number(own.last)).toBeGreaterThan(0);
    expect((await caller.in(other, connection)).body.rows[0].id).not.toBe(own.id);
    await caller.rollback(id);
    await caller.rollback(other);
    // The next statements on these connections see nothing of it, and are READ ONLY again.
    const seen = await Promise.all(Array.from({ length: 6 }, () => caller.sql(connection)));
    expect(seen.map(({ body }) => body.rows[0].last)).toEqual(Array(6).fill("0"));
    expect(seen.some(({ body }) => body.rows[0].id === own.id)).toBe(true);
  });

  // The tests in test/gateway/tidb show how TiDB refuses the other two.
  const isolations = ["read committed", "repeatable read"];
  if (has.everyIsolation) isolations.push("read uncommitted", "serializable");
  test.each(isolations)("with the isolation %s is what the server says", async (isolation) => {
    const writer = ledger.as({ sub: "writer" });
    const caller = ledger.as({ sub: "looker" });
    const id = await caller.opened({ isolation });
    const amount = async () =>
      (await caller.in(id, "SELECT amount FROM balances WHERE id = 1")).body.rows?.[0].amount;
    expect(await amount()).toBe(100);
    const writing = await writer.opened();
    const write = writer.in(writing, take, [10, 1]);
    if (isolation === "serializable") {
      // The read took a lock, so the writer waits for the end of the reader.
      expect((await caller.commit(id)).status).toBe(200);
      expect((await write).status).toBe(200);
      await writer.rollback(writing);
      return;
    }
    await write;
    expect(await amount()).toBe(isolation === "read uncommitted" ? 90 : 100);
    await writer.commit(writing);
    expect(await amount()).toBe(isolation === "repeatable read" ? 100 : 90);
    await caller.rollback(id);
    // The level belonged to the transaction, not to the session.
    const shown = await caller.sql(
      "SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')",
    );
    expect(shown.body.rows[0].Value).toBe("REPEATABLE-READ");
  });

  test("may be read-only, and is read-only for a caller who may only read", async () => {
    const writer = ledger.as();
    const reader = ledger.as({ role: "reader" });
    const chosen = await writer.opened({ read_only: true });
    const denied = await writer.in(chosen, take, [1, 1]);
    expectProblem(denied, 403, "sql_denied");
    expect(denied.body).toMatchObject({ reason: "read_only", transaction: "open" });
    await writer.rollback(chosen);
    const own = await reader.opened();
    expect((await reader.in(own, "SELECT amount FROM balances WHERE id = 1")).status).toBe(200);
    await reader.rollback(own);
    expectProblem(await reader.begin({ read_only: false }), 403, "access_denied");
  });

  test.skipIf(!has.readOnly)("explains a change, which the servers do only where one may write", async () => {
    const caller = ledger.as();
    const plan = "EXPLAIN UPDATE balances SET amount = 0 WHERE id = 1";
    const alone = await caller.sql(plan);
    expectProblem(alone, 403, "sql_denied");
    expect(alone.body.errno).toBe(1792);
    const id = await caller.opened();
    const explained = await caller.in(id, plan);
    await caller.rollback(id);
    expect(explained.body.rows).toHaveLength(1);
  });
});

describe("an error of a statement", () => {
  test("leaves the transaction open, with what came before it", async () => {
    const caller = ledger.as();
    const id = await caller.opened();
    await caller.in(id, note, ["kept"]);
    const failed = await caller.in(id, "INSERT INTO balances VALUES (1, 1)");
    expectProblem(failed, 409, "sql_conflict");
    expect(failed.body.transaction).toBe("open");
    expectProblem(await caller.in(id, "SELECT nonsense FROM balances"), 400, "sql_error");
    await caller.commit(id);
    expect(await notes()).toEqual(["kept"]);
  });

  test("a deadlock undoes all of one transaction, which says so; the other goes on", async () => {
    const one = ledger.as({ sub: "one" });
    const two = ledger.as({ sub: "two" });
    const [first, second] = [await one.opened(), await two.opened()];
    await one.in(first, take, [1, 1]);
    await two.in(second, take, [1, 2]);
    const [crossed, crossing] = await Promise.all([
      one.in(first, take, [1, 2]),
      two.in(second, take, [1, 1]),
    ]);
    const [loser, id, victim] = crossed.status === 200 ? [two, second, crossing] : [one, first, crossed];
    const [winner, other] = crossed.status === 200 ? [one, first] : [two, second];
    expectProblem(victim, 409, "sql_transient");
    expect(victim.body).toMatchObject({ errno: 1213, retryable: true, transaction: "rolled_back" });
    const late = await loser.in(id, "SELECT 1");
    expectProblem(late, 410, "transaction_ended");
    expect(late.body).toMatchObject({ reason: "rolled_back", transaction: "rolled_back" });
    expectProblem(await loser.commit(id), 410, "transaction_ended");
    expect((await winner.commit(other)).status).toBe(200);
    expect(await balances()).toEqual([99, 99]);
  });

  test("a wait for a lock that is too long undoes its statement only, and leaves the transaction open", async () => {
    const [rows] = await administrator.query<RowDataPacket[]>(
      "SELECT @@GLOBAL.innodb_lock_wait_timeout AS s",
    );
    await administrator.query("SET GLOBAL innodb_lock_wait_timeout = 1");
    // New connections have the new time limit; old ones get it by a restore.
    const holder = ledger.as({ sub: "holder" });
    const waiter = ledger.as({ sub: "waiter" });
    try {
      await Promise.all(Array.from({ length: 5 }, () => holder.sql("SELECT 1")));
      const [held, waiting] = [await holder.opened(), await waiter.opened()];
      await holder.in(held, take, [1, 1]);
      await waiter.in(waiting, note, ["kept"]);
      const late = await waiter.in(waiting, take, [1, 1]);
      expectProblem(late, 409, "sql_transient");
      expect(late.body).toMatchObject({ errno: 1205, retryable: true, transaction: "open" });
      await holder.rollback(held);
      expect((await waiter.in(waiting, take, [1, 1])).status).toBe(200);
      await waiter.commit(waiting);
      expect([await balances(), await notes()]).toEqual([[99, 100], ["kept"]]);
    } finally {
      await administrator.query(`SET GLOBAL innodb_lock_wait_timeout = ${rows[0]?.s}`);
    }
  });
});

describe.skipIf(!has.storedPrograms)("a procedure", () => {
  test("takes part", async () => {
    const caller = ledger.as();
    const id = await caller.opened();
    expect((await caller.in(id, "CALL add_entry('called')")).status).toBe(200);
    expect(await notes()).toEqual([]);
    expect((await caller.commit(id)).status).toBe(200);
    expect(await notes()).toEqual(["called"]);
  });

  test.each([
    ["commits", "CALL commit_entry('by itself')"],
    ["commits and begins another transaction", "CALL commit_and_begin()"],
  ])("that %s ends the transaction, which is told", async (_, call) => {
    const caller = ledger.as();
    const id = await caller.opened();
    await caller.in(id, note, ["before"]);
    const ended = await caller.in(id, call);
    expectProblem(ended, 410, "transaction_ended");
    expect(ended.body).toMatchObject({ reason: "procedure", transaction: "ended" });
    expectProblem(await caller.in(id, "SELECT 1"), 410, "transaction_ended");
    expect((await notes())[0]).toBe("before");
  });

  test("that commits and then fails: its error, and the transaction has ended", async () => {
    const caller = ledger.as();
    const id = await caller.opened();
    await caller.in(id, note, ["before"]);
    const failed = await caller.in(id, "CALL commit_and_fail()");
    expectProblem(failed, 400, "sql_error");
    expect(failed.body).toMatchObject({ detail: "failed", transaction: "ended" });
    expect(await notes()).toEqual(["before"]);
  });

  test("that only fails leaves it open", async () => {
    const caller = ledger.as();
    const id = await caller.opened();
    const failed = await caller.in(id, "CALL add_entry(REPEAT('x', 51))");
    expect(failed.body).toMatchObject({ code: "sql_error", transaction: "open" });
    expect((await caller.rollback(id)).status).toBe(200);
  });
});

describe("a long answer", () => {
  const long = "SELECT a.name, REPEAT('x', 200) AS filler FROM world.cities a, world.cities b LIMIT 50000";

  test("keeps the transaction busy until it has been read", async () => {
    const caller = ledger.as();
    const id = await caller.opened();
    const response = await caller.request("POST", `/v1/transactions/${id}/sql`, { sql: long });
    const busy = await caller.in(id, "SELECT 1");
    expectProblem(busy, 409, "transaction_busy");
    expect(busy.body).toMatchObject({ retryable: true, transaction: "open" });
    expectProblem(await caller.commit(id), 409, "transaction_busy");
    expectProblem(await caller.rollback(id), 409, "transaction_busy");
    expect(((await response.json()) as { rows: unknown[] }).rows).toHaveLength(50_000);
    expect((await caller.in(id, "SELECT 1")).status).toBe(200);
    expect((await caller.rollback(id)).status).toBe(200);
  });

  test("with an abandoned answer ends it", async () => {
    const caller = ledger.as();
    const id = await caller.opened();
    await caller.in(id, note, ["undone"]);
    const response = await caller.request("POST", `/v1/transactions/${id}/sql`, { sql: long });
    await response.body?.cancel();
    const code = async () => (await caller.in(id, "SELECT 1")).body.code;
    await expect.poll(code).toBe("transaction_ended");
    expect((await caller.commit(id)).body).toMatchObject({ reason: "abandoned", transaction: "rolled_back" });
    expect(await notes()).toEqual([]);
  });
});
