import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer, engine, expectProblem } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

/**
 * A write that its deadline stops has not happened, and its caller is told so, whatever words the server
 * uses.
 */

let administrator: Connection;
/** This connection holds locks. */
let other: Connection;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  other = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  await administrator.query("CREATE TABLE ledger.many (a INT PRIMARY KEY)");
  const rows = Array.from({ length: 1_000 }, (_, i) => `(${i})`);
  await administrator.query(`INSERT INTO ledger.many VALUES ${rows.join()}`);
  await administrator.query("CREATE TABLE ledger.locked (id INT PRIMARY KEY, amount INT)");
  await administrator.query("INSERT INTO ledger.locked SELECT a, 100 FROM ledger.many WHERE a < 20");
  ledger = await startLedger({ connections_per_shard: 2, deadline_ms: 1_000 });
  caller = ledger.as();
});
beforeEach(() => resetLedger(administrator));
afterEach(async () => {
  await other.query("ROLLBACK");
});
afterAll(async () => {
  await ledger?.gateway.close();
  await dropLedger(administrator);
  await other?.end();
  await administrator?.end();
});

async function state(): Promise<RowDataPacket[]> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT id, amount, (SELECT COUNT(*) FROM ledger.entries) AS entries FROM ledger.balances UNION ALL SELECT id, amount, 0 FROM ledger.locked ORDER BY 3, 1",
  );
  return rows;
}

const first = "INSERT INTO entries (account, note) VALUES (9, 'before')";

let row = 1;

/** Each way to run a statement, and how its stop affects an earlier write. */
const ways: [string, (sql: string) => Promise<Answer>][] = [
  ["alone", (sql) => caller.sql(sql)],
  ["in a batch", (sql) => caller.batch([{ sql: first }, { sql }, { sql: first }])],
  [
    "in a transaction",
    async (sql) => {
      const id = await caller.opened();
      expect((await caller.in(id, first)).status).toBe(200);
      const answer = await caller.in(id, sql);
      expect(answer.body.transaction).toBe("rolled_back");
      expectProblem(await caller.commit(id), 410, "transaction_ended");
      return answer;
    },
  ],
];

/**
 * A KILL ends SLEEP() with a row, and TiDB goes on to commit a single statement. With tidb_enable_1pc that
 * commit is one write, which the KILL cancels too: TiDB does not know its outcome, and closes the
 * connection.
 */
const isUnknown = (way: string, what: string) =>
  engine === "tidb" && way === "alone" && what === "that sleeps over a row";

describe.each(ways)("%s", (way, run) => {
  test.each([
    ["that sleeps at each row", "INSERT INTO entries (account) SELECT SLEEP(2) FROM many"],
    ["that sleeps over a row", "UPDATE balances SET amount = amount + 1 + SLEEP(20) WHERE id = 1"],
    [
      "that joins",
      "INSERT INTO entries (account) SELECT COUNT(*) FROM many a, many b, many c WHERE a.a + b.a + c.a = 7",
    ],
    [
      "that sorts",
      "INSERT INTO entries (account) SELECT a.a FROM many a, many b, many c ORDER BY a.a * b.a + c.a",
    ],
  ])("a write %s is stopped at its deadline, and has not happened", async (what, sql) => {
    const before = await state();
    const answer = await run(sql);
    if (isUnknown(way, what) && answer.body.code === "outcome_unknown") {
      expectProblem(answer, 503, "outcome_unknown");
      expect(answer.body.retryable).toBe(false);
      // All of it or nothing: a SLEEP() that a KILL ends answers 1.
      const [amounts] = await administrator.query("SELECT amount FROM ledger.balances ORDER BY id");
      expect([
        [{ amount: 100 }, { amount: 100 }],
        [{ amount: 102 }, { amount: 100 }],
      ]).toContainEqual(amounts);
      return;
    }
    expectProblem(answer, 504, "deadline_exceeded");
    expect(answer.body).toMatchObject({ retryable: false, detail: "The deadline is 1000 ms." });
    expect(await state()).toEqual(before);
  });

  test.each([
    ["UPDATE", "UPDATE locked SET amount = 7 WHERE id = ID"],
    ["DELETE", "DELETE FROM locked WHERE id = ID"],
    ["INSERT", "INSERT INTO locked VALUES (ID, 7)"],
  ])("a locked row's %s is stopped at its deadline, and has not happened", async (_name, sql) => {
    // A new row each time, because TiDB may keep a lock of a stopped statement for 20 s.
    const id = String(row++);
    const before = await state();
    await other.query("START TRANSACTION");
    await other.query(`UPDATE ledger.locked SET amount = amount + 1 WHERE id = ${id}`);
    expectProblem(await run(sql.replace("ID", id)), 504, "deadline_exceeded");
    await other.query("ROLLBACK");
    expect(await state()).toEqual(before);
  });
});
