import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { logged } from "../support/ask.ts";
import { has } from "../support/features.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer, engine, expectProblem } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";
import { startThroughHyperdrive } from "../support/through-hyperdrive.ts";

/** A result may have 4,096 columns. One more is the caller's mistake, and costs no connection. */

let administrator: Connection;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  await resetLedger(administrator);
  // The first result has no row: a row that waits too long for the next ones begins the answer.
  if (has.storedPrograms)
    await administrator.query(
      `CREATE PROCEDURE ledger.wide() SQL SECURITY INVOKER MODIFIES SQL DATA BEGIN INSERT INTO ledger.entries (account, note) VALUES (1, 'wide'); SELECT 1 LIMIT 0; SELECT ${ones(4_097)}; END`,
    );
  ledger = await startLedger({ connections_per_shard: 2 });
  caller = ledger.as();
});
afterAll(async () => {
  await ledger?.gateway.close();
  await dropLedger(administrator);
  await administrator?.end();
});

const ones = (count: number) => Array.from({ length: count }, (_, index) => `${index}`).join();
const select = (count: number) => `SELECT ${ones(count)}`;

function expectTooWide(answer: Answer): void {
  expectProblem(answer, 413, "result_too_large");
  expect(answer.body.detail).toMatch(/^A result may have 4,096 columns\./);
}

/** The connection that a statement runs on. */
const connectionId = "SELECT CAST(CONNECTION_ID() AS CHAR) AS id";

/** The number of closed connections. */
const closed = () => logged(ledger.gateway, "connection_closed").length;

async function connectionOf(ask: (sql: string) => Promise<Answer>): Promise<string> {
  return (await ask(connectionId)).body.rows[0].id;
}

test("4,096 are answered", async () => {
  const { status, body } = await caller.sql(select(4_096));
  expect([status, body.columns.length, String(body.rows[0]["4095"])]).toEqual([200, 4_096, "4095"]);
});

describe("4,097 and more, up to what PREPARE can count", () => {
  test.each([4_097, 20_000, 65_535])(
    "%i are refused before anything runs, and the connection lives",
    async (count) => {
      const before = closed();
      for (let time = 0; time < 3; time++) expectTooWide(await caller.sql(select(count)));
      expectTooWide(await caller.sql(`${select(count - 1)}, ?`, [1]));
      expect((await caller.sql("SELECT 1 AS n")).status).toBe(200);
      expect(closed()).toBe(before);
    },
  );

  test("a transaction goes on", async () => {
    const id = await caller.opened();
    const ask = (sql: string) => caller.in(id, sql);
    const before = await connectionOf(ask);
    await caller.in(id, "INSERT INTO entries (account, note) VALUES (1, 'kept')");
    const refused = await caller.in(id, select(4_097));
    expectTooWide(refused);
    expect(refused.body.transaction).toBe("open");
    expect(await connectionOf(ask)).toBe(before);
    await caller.commit(id);
    expect((await caller.sql("SELECT COUNT(*) AS n FROM entries WHERE note = 'kept'")).body.rows).toEqual([
      { n: "1" },
    ]);
  });

  test("a batch says which statement, and nothing has happened", async () => {
    const insert = { sql: "INSERT INTO entries (account, note) VALUES (1, 'batched')" };
    for (const statements of [
      [insert, { sql: select(4_097) }],
      [insert, { sql: "SELECT ? AS n", params: [{ $ref: "0.last_insert_id" }] }, { sql: select(4_097) }],
    ]) {
      const refused = await caller.batch(statements);
      expectTooWide(refused);
      expect(refused.body.statement).toBe(statements.length - 1);
    }
    expect((await caller.sql("SELECT COUNT(*) AS n FROM entries WHERE note = 'batched'")).body.rows).toEqual([
      { n: "0" },
    ]);
    expect((await caller.batch([insert])).status).toBe(200);
  });
});

describe("beyond what PREPARE can count", () => {
  test.each([65_536, 65_537, 70_000, 200_000])("%i are refused, too", async (count) => {
    const before = closed();
    expectTooWide(await caller.sql(`SELECT ${Array(count).fill("1").join()}`));
    // The connection must be closed, because the next packets could be anything.
    await expect.poll(closed).toBe(before + 1);
    expect((await caller.sql("SELECT 1 AS n")).body.rows).toEqual([{ n: expect.anything() }]);
  });
});

describe("columns that PREPARE does not announce", () => {
  test.skipIf(!has.storedPrograms)("a procedure has run, and its answer says so", async () => {
    await administrator.query("DELETE FROM ledger.entries");
    const before = closed();
    const refused = await caller.sql("CALL wide()");
    expectTooWide(refused);
    expect(refused.body.detail).toContain("What the statement has changed stays");
    expect((await caller.sql("SELECT 1 AS n")).status).toBe(200);
    expect(closed()).toBe(before);
    const count = "SELECT COUNT(*) AS n FROM entries WHERE note = 'wide'";
    expect((await caller.sql(count)).body.rows).toEqual([{ n: "1" }]);
    const id = await caller.opened();
    const inside = await caller.in(id, "CALL wide()");
    expectTooWide(inside);
    expect(inside.body.transaction).toBe("open");
    expect((await caller.in(id, count)).body.rows).toEqual([{ n: "2" }]);
    await caller.rollback(id);
    expect((await caller.sql(count)).body.rows).toEqual([{ n: "1" }]);
  });

  test.runIf(engine === "mariadb")("a batch takes a change with RETURNING back", async () => {
    await administrator.query("DELETE FROM ledger.entries");
    const sql = `INSERT INTO entries (account, note) VALUES (1, 'returned') RETURNING ${ones(4_097)}`;
    const before = closed();
    expectTooWide(await caller.batch([{ sql: "SELECT 1" }, { sql }]));
    const count = "SELECT COUNT(*) AS n FROM entries WHERE note = 'returned'";
    expect((await caller.sql(count)).body.rows).toEqual([{ n: "0" }]);
    expectTooWide(await caller.sql(sql));
    expect((await caller.sql(count)).body.rows).toEqual([{ n: "1" }]);
    expect((await caller.sql("SELECT 1 AS n")).status).toBe(200);
    expect(closed()).toBe(before);
  });

  test("through Hyperdrive", async () => {
    const through = await startThroughHyperdrive();
    try {
      const answered = await through.gateway.sql({ sql: select(4_096) });
      expect(answered.body.columns).toHaveLength(4_096);
      for (const count of [4_097, 20_000]) expectTooWide(await through.gateway.sql({ sql: select(count) }));
    } finally {
      await through.close();
    }
  });
});
