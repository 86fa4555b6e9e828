import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer, engine, expectProblem } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, ledgerGrants, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

/** A read that locks rows still only reads, so it keeps the grant's ceilings like any other read. */

let administrator: Connection;
let ledger: Ledger;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  const [writer = {}] = ledgerGrants;
  ledger = await startLedger(
    {},
    {
      grants: [
        { ...writer, claims: { role: "few" }, max_rows: 1 },
        { ...writer, claims: { role: "small" }, max_bytes: 1_000 },
        writer,
      ],
    },
  );
});
afterAll(async () => {
  await ledger?.gateway.close();
  await dropLedger(administrator);
  await administrator?.end();
});
beforeEach(() => resetLedger(administrator));

const ways: Record<string, (caller: LedgerCaller, sql: string) => Promise<Answer>> = {
  "/v1/sql": async (caller, sql) => await caller.sql(sql),
  "/v1/batch": async (caller, sql) => await caller.batch([{ sql }]),
  "/v1/transactions": async (caller, sql) => {
    const id = await caller.opened();
    const answer = await caller.in(id, sql);
    await caller.rollback(id);
    return answer;
  },
};

describe.each(Object.entries(ways))("in %s", (_, send) => {
  const locks = {
    mysql: ["FOR UPDATE", "FOR SHARE", "LOCK IN SHARE MODE"],
    mariadb: ["FOR UPDATE", "LOCK IN SHARE MODE"],
    tidb: ["FOR UPDATE"],
  }[engine];

  test.each(locks)("%s keeps max_rows", async (lock) => {
    const few = ledger.as({ role: "few" });
    expect((await send(few, `SELECT * FROM balances WHERE id = 1 ${lock}`)).status).toBe(200);
    const refused = await send(few, `SELECT * FROM balances ${lock}`);
    expectProblem(refused, 413, "result_too_large");
    expect(refused.body.detail).toBe("It may have 1 rows.");
  });

  // On TiDB a KILL of an idle session in a transaction with locks ends the whole server (Tracker.Consume in
  // pkg/util/memory).
  test("FOR UPDATE keeps max_bytes, and its locks are gone", async () => {
    const sql = "SELECT REPEAT('x', 2000) AS x FROM balances WHERE id = 1 FOR UPDATE";
    expectProblem(await send(ledger.as({ role: "small" }), sql), 413, "result_too_large");
    const update = "UPDATE balances SET amount = 90 WHERE id = 1";
    expect((await ledger.as().sql(update)).status).toBe(200);
  });
});

test("a change is answered whole: it has happened", async () => {
  const few = ledger.as({ role: "few" });
  expect((await few.sql("UPDATE balances SET amount = 90")).body.rows_affected).toBe(2);
});
