import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer, expectProblem, issuers } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";
import type { ThroughHyperdrive } from "../support/through-hyperdrive.ts";
import { startThroughHyperdrive } from "../support/through-hyperdrive.ts";

/**
 * Mistakes that TiDB finds only at COMMIT: the transaction is rolled back, and the caller gets the reason.
 */

const settings = {
  optimistic: ["SET GLOBAL tidb_txn_mode = 'optimistic'", "SET GLOBAL tidb_txn_mode = 'pessimistic'"],
  small: ["SET GLOBAL tidb_mem_quota_query = 131072", "SET GLOBAL tidb_mem_quota_query = DEFAULT"],
} as const;

let administrator: Connection;
let ledger: Ledger;
let caller: LedgerCaller;
let hyperdrive: ThroughHyperdrive;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  await administrator.query("CREATE TABLE ledger.mails (id INT PRIMARY KEY, mail VARCHAR(50) UNIQUE)");
  hyperdrive = await startThroughHyperdrive({
    grants: [
      {
        ...{ issuer: issuers.remote, claims: { role: "editor" }, account: "editor" },
        allow: ["sql:read", "sql:write"],
      },
    ],
  });
});
beforeEach(async () => {
  await resetLedger(administrator);
  await administrator.query("DELETE FROM ledger.mails");
  await administrator.query("INSERT INTO ledger.mails VALUES (1, 'somebody@example.com')");
});
afterEach(async () => {
  await ledger?.gateway.close();
  for (const [, off] of Object.values(settings)) await administrator.query(off);
});
afterAll(async () => {
  await hyperdrive?.close();
  await administrator?.query("DELETE FROM world.notes WHERE author = 'twice'");
  await dropLedger(administrator);
  await administrator?.end();
});

/** A gateway whose sessions have the setting. */
async function under(name: keyof typeof settings): Promise<void> {
  await administrator.query(settings[name][0]);
  ledger = await startLedger({ connections_per_shard: 2 });
  caller = ledger.as();
}

async function state(): Promise<unknown> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT id, mail, (SELECT COUNT(*) FROM ledger.entries) AS entries FROM ledger.mails ORDER BY id",
  );
  return rows;
}
const untouched = [{ id: 1, mail: "somebody@example.com", entries: 0 }];

const entry = "INSERT INTO entries (account, note) VALUES (1, 'before')";
const duplicate = "INSERT INTO mails VALUES (2, 'somebody@example.com')";

function expectRefused(answer: Answer, status: number, code: string, errno: number): void {
  expectProblem(answer, status, code);
  expect(answer.body).toMatchObject({ errno, transaction: "rolled_back" });
  // The answer has the key's name, but no values of a row.
  const { constraint, ...told } = answer.body;
  expect(constraint).toBe(errno === 1062 ? "mails.mail" : undefined);
  expect(JSON.stringify(told)).not.toMatch(/somebody|mails|indexValues|7480/);
}

describe("in optimistic transactions", () => {
  test("a duplicate key of a batch", async () => {
    await under("optimistic");
    const answer = await caller.batch([{ sql: entry }, { sql: duplicate }]);
    expectRefused(answer, 409, "sql_conflict", 1062);
    expect(answer.body).toMatchObject({ retryable: false, detail: "Duplicate entry '…'" });
    expect(await state()).toEqual(untouched);
  });

  test("a duplicate key of a transaction, whose connection serves on", async () => {
    await under("optimistic");
    const id = await caller.opened();
    expect((await caller.in(id, entry)).status).toBe(200);
    expect((await caller.in(id, duplicate)).status).toBe(200);
    expectRefused(await caller.commit(id), 409, "sql_conflict", 1062);
    const late = await caller.rollback(id);
    expectProblem(late, 410, "transaction_ended");
    expect(late.body.reason).toBe("rolled_back");
    expect(await state()).toEqual(untouched);
    const closed = ledger.gateway.logs().filter(({ message }) => message.includes("connection_closed"));
    expect(closed).toEqual([]);
  });

  test("a write conflict, whose key is not told", async () => {
    await under("optimistic");
    const id = await caller.opened();
    expect((await caller.in(id, "UPDATE mails SET mail = 'mine' WHERE id = 1")).status).toBe(200);
    await administrator.query("UPDATE ledger.mails SET mail = 'theirs' WHERE id = 1");
    const answer = await caller.commit(id);
    expectRefused(answer, 409, "sql_transient", 9007);
    expect(answer.body).toMatchObject({ retryable: true, detail: "Write conflict" });
    expect(await state()).toEqual([{ id: 1, mail: "theirs", entries: 0 }]);
  });

  test("a duplicate key of a statement alone is the statement's", async () => {
    await under("optimistic");
    const answer = await caller.sql(duplicate);
    expectProblem(answer, 409, "sql_conflict");
    expect(answer.body.errno).toBe(1062);
    expect(await state()).toEqual(untouched);
  });

  test("a duplicate key through Hyperdrive", async () => {
    await under("optimistic");
    hyperdrive.standIns.editor.forget();
    const insert = {
      sql: "INSERT INTO notes (id, city_id, author, body) VALUES (?, 1, 'twice', 'x')",
      params: [4_000_000],
    };
    const again = () => hyperdrive.gateway.sql(insert, { role: "editor" });
    expect((await again()).status).toBe(200);
    const refused = await again();
    expectProblem(refused, 409, "sql_conflict");
    expect(refused.body).toMatchObject({ errno: 1062, retryable: false });
  });
});

test("a statement that needs more memory than one may have is not retryable", async () => {
  await under("small");
  const sql =
    "SELECT a.TABLE_NAME FROM information_schema.columns a, information_schema.columns b ORDER BY CONCAT(a.COLUMN_NAME, b.COLUMN_NAME)";
  const answer = await caller.sql(sql);
  expectProblem(answer, 400, "sql_error");
  expect(answer.body).toMatchObject({ errno: 8175, retryable: false });
});
