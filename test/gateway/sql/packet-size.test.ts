import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { logged } from "../support/ask.ts";
import { databaseServer, expectProblem } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

/**
 * The gateway refuses a statement larger than `max_allowed_packet` before it sends it. Otherwise the server
 * would close the connection, and the outcome of a write would be unknown.
 */

/** Each server has a buffer of at least 16 KiB, and accepts what fits there. */
const limit = 256 * 1024;

let administrator: Connection;
let usual: number;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  await administrator.query("CREATE TABLE ledger.texts (id INT PRIMARY KEY, text LONGTEXT)");
  const [rows] = await administrator.query<RowDataPacket[]>("SELECT @@GLOBAL.max_allowed_packet AS bytes");
  usual = Number(rows[0]?.bytes);
  await administrator.query(`SET GLOBAL max_allowed_packet = ${limit}`);
  ledger = await startLedger({ connections_per_shard: 2 });
  caller = ledger.as();
});
beforeEach(async () => {
  await resetLedger(administrator);
  await administrator.query("DELETE FROM ledger.texts");
});
afterAll(async () => {
  await administrator.query(`SET GLOBAL max_allowed_packet = ${usual}`);
  await ledger?.gateway.close();
  await dropLedger(administrator);
  await administrator?.end();
});

const insert = "INSERT INTO texts (id, text) VALUES (?, ?)";
const large = "x".repeat(limit);

async function lengths(): Promise<number[]> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT LENGTH(text) AS bytes FROM ledger.texts ORDER BY id",
  );
  return rows.map(({ bytes }) => Number(bytes));
}

function expectTooLarge(answer: Awaited<ReturnType<LedgerCaller["sql"]>>): void {
  expectProblem(answer, 413, "statement_too_large");
  expect(answer.body.retryable).toBe(false);
  expect(answer.body.detail).toContain(`${limit} bytes`);
}

describe("a statement that is larger than the server takes", () => {
  test.each([
    ["a write's value", insert, [1, large]],
    // Each character has three bytes.
    ["a value of other characters", insert, [1, "€".repeat(limit / 3)]],
    ["a read's value", "SELECT LENGTH(?) AS n", [large]],
    ["a text", `SELECT '${large}' AS n`, []],
    ["a change's text", `INSERT INTO texts (id, text) VALUES (1, '${large}')`, []],
  ])("%s: is refused before it is sent, and the connection serves on", async (_, sql, params) => {
    expect((await caller.sql("SELECT 1")).status).toBe(200);
    expectTooLarge(await caller.sql(sql, params));
    expect((await caller.sql("SELECT 1")).status).toBe(200);
    expect(logged(ledger.gateway, "connection_closed")).toEqual([]);
    expect(await lengths()).toEqual([]);
  });

  test("just what it takes is executed", async () => {
    const fits = "x".repeat(limit - 100);
    const answer = await caller.sql(insert, [1, fits]);
    expect([answer.status, await lengths()]).toEqual([200, [fits.length]]);
  });

  test("in a transaction: that goes on without it", async () => {
    const id = await caller.opened();
    expect((await caller.in(id, insert, [1, "small"])).status).toBe(200);
    const refused = await caller.in(id, insert, [2, large]);
    expectTooLarge(refused);
    expect(refused.body.transaction).toBe("open");
    expect((await caller.commit(id)).status).toBe(200);
    expect(await lengths()).toEqual([5]);
  });

  test("in a batch: which one it was, and nothing has happened", async () => {
    const statements = [
      { sql: insert, params: [1, "small"] },
      { sql: insert, params: [2, large] },
    ];
    const refused = await caller.batch(statements);
    expectTooLarge(refused);
    expect([refused.body.statement, await lengths()]).toEqual([1, []]);
  });

  test("in a batch, of what another one has found", async () => {
    const fits = "x".repeat(limit - 100);
    expect((await caller.sql(insert, [1, fits])).status).toBe(200);
    const found = { $ref: "0.rows.0.text" };
    const statements = [
      { sql: "SELECT text FROM texts WHERE id = 1" },
      { sql: "INSERT INTO texts (id, text) VALUES (2, CONCAT(?, ?))", params: [found, found] },
    ];
    const refused = await caller.batch(statements);
    expectTooLarge(refused);
    expect([refused.body.statement, await lengths()]).toEqual([1, [fits.length]]);
  });
});
