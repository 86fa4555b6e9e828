import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { databaseServer } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, prepareLedger, startLedger } from "../support/ledger.ts";
import { inLines } from "../support/lines.ts";
import { expectComparedWithText, resetNotes } from "../values/implicit-conversion.ts";

/** When TiDB converts a text to a number, it warns in a read and refuses a change, with its own words. */

let administrator: Connection;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  ledger = await startLedger({ connections_per_shard: 2 });
  caller = ledger.as();
});
beforeEach(() => resetNotes(administrator));
afterAll(async () => {
  await ledger?.gateway.close();
  await dropLedger(administrator);
  await administrator?.end();
});

const declared = { type: "INTEGER", value: 0 };

const alone = (sql: string, params: unknown[], path?: string) =>
  inLines(ledger.gateway, { sql, params }, { role: "writer", ...(path && { path }) });
const within = (id: string, sql: string, params: unknown[]) =>
  alone(sql, params, `/v1/transactions/${id}/sql`);

describe("a read", () => {
  test.each([
    "SELECT note FROM entries WHERE note = ?",
    "SELECT COUNT(*) AS n FROM entries WHERE note IN ('a', ?)",
    "SELECT note FROM entries WHERE note BETWEEN ? AND 5",
    "SELECT note FROM entries WHERE note <=> ? OR account = 7",
    "SELECT note FROM entries ORDER BY note = ?",
    "SELECT note FROM entries GROUP BY note HAVING note = ?",
    "SELECT note FROM entries WHERE NULLIF(note, ?) IS NULL",
    "SELECT note FROM entries WHERE CASE note WHEN ? THEN 1 ELSE 0 END",
    "SELECT note FROM entries WHERE COALESCE(note, '') = ?",
    "SELECT note FROM entries WHERE note = (SELECT ?)",
    "SELECT note FROM entries WHERE note IN (SELECT ?)",
    "SELECT note FROM entries JOIN (SELECT ? AS v) AS one ON note = v",
    "WITH one AS (SELECT ? AS v) SELECT note FROM entries, one WHERE note = v",
    "SELECT note FROM entries WHERE EXISTS (SELECT 1 FROM entries AS e WHERE e.note = ?)",
    "SELECT note + ? AS n FROM entries",
    // In a comparison TiKV uses the words that TiDB uses here.
    "SELECT CAST(note AS SIGNED) AS n FROM entries WHERE account > ?",
  ])("%s", async (sql) => {
    // Cold at first, then hot, with a plan from TiDB's cache.
    for (let time = 0; time < 3; time++) expectComparedWithText(await alone(sql, [0]));
    const batch = await caller.batch([{ sql: "SELECT 1 AS one" }, { sql, params: [0] }]);
    expectComparedWithText(batch);
    expect(batch.body.statement).toBe(1);
    const id = await caller.opened();
    expectComparedWithText(await within(id, sql, [0]));
    expect((await within(id, sql, [declared])).status).toBe(200);
    await caller.rollback(id);
  });

  test("that rounds a number is none: TiDB warns of it with the same number", async () => {
    const sql = "SELECT CAST(amount / 3 AS DECIMAL(10, 2)) AS third FROM balances WHERE id = ?";
    const { status, body } = await alone(sql, [1]);
    expect([status, body.rows]).toEqual([200, [{ third: "33.33" }]]);
    expect(body.warnings).toMatchObject([
      { code: 1292, message: "Truncated incorrect DECIMAL value: '33.3333'" },
    ]);
  });
});

describe("a change is refused by TiDB itself", () => {
  test.each([
    "DELETE FROM entries WHERE note = ?",
    "DELETE FROM entries WHERE note = (SELECT ?)",
    "DELETE FROM entries WHERE note IN (SELECT ?)",
    "DELETE FROM entries WHERE note = ? ORDER BY id LIMIT 2",
    "DELETE FROM entries WHERE id IN (SELECT id FROM (SELECT id FROM entries WHERE note = ?) AS found)",
    "UPDATE entries SET account = 7 WHERE note = (SELECT ?)",
    "UPDATE entries SET account = IF(note = ?, 1, 2)",
    "INSERT INTO entries (account, note) SELECT 7, note FROM entries WHERE note = ?",
    "REPLACE INTO entries (account, note) SELECT 7, note FROM entries WHERE note = (SELECT ?)",
  ])("%s", async (sql) => {
    const notes = async () =>
      (await administrator.query("SELECT account, note FROM ledger.entries ORDER BY id"))[0];
    const before = await notes();
    for (const value of [0, declared]) {
      expect(await alone(sql, [value])).toMatchObject({ status: 400, body: { errno: 1292 } });
      expect(await caller.batch([{ sql, params: [value] }])).toMatchObject({
        status: 400,
        body: { errno: 1292 },
      });
    }
    expect(await notes()).toEqual(before);
  });
});
