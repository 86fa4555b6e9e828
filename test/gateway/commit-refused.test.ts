import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { connectAdministrator } from "../servers/connection.ts";
import { databaseServer, engine, expectProblem } from "./harness.ts";
import type { Ledger, LedgerCaller } from "./ledger.ts";
import { dropLedger, prepareLedger, resetLedger, startLedger } from "./ledger.ts";

/** A COMMIT that the server refuses has not happened: its caller is told why, and not that the outcome is unknown. */

/** Makes the server read-only for everybody who may not more, or not any more. */
const readOnly = {
  mysql: { on: ["SET GLOBAL read_only = ON"], off: ["SET GLOBAL read_only = OFF"], errno: 1290 },
  mariadb: { on: ["SET GLOBAL read_only = ON"], off: ["SET GLOBAL read_only = OFF"], errno: 1290 },
  tidb: {
    on: ["SET GLOBAL tidb_super_read_only = ON"],
    off: ["SET GLOBAL tidb_super_read_only = OFF", "SET GLOBAL tidb_restricted_read_only = OFF"],
    errno: 1836,
  },
}[engine];

let administrator: Connection;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  ledger = await startLedger({ connections_per_shard: 2 });
  caller = ledger.as();
});
beforeEach(() => resetLedger(administrator));
afterEach(async () => {
  for (const sql of readOnly.off) await administrator.query(sql);
});
afterAll(async () => {
  await ledger?.gateway.close();
  await dropLedger(administrator);
  await administrator?.end();
});

async function amounts(): Promise<number[]> {
  const [rows] = await administrator.query<RowDataPacket[]>("SELECT amount FROM ledger.balances ORDER BY id");
  return rows.map(({ amount }) => amount);
}

test("of a transaction, by a server that has become read-only", async () => {
  const id = await caller.opened();
  expect((await caller.in(id, "UPDATE balances SET amount = 7")).body.rows_affected).toBe(2);
  for (const sql of readOnly.on) await administrator.query(sql);
  const refused = await caller.commit(id);
  expectProblem(refused, 503, "database_unavailable");
  expect(refused.body).toMatchObject({
    ...{ errno: readOnly.errno, transaction: "rolled_back", retryable: true },
  });
  const late = await caller.commit(id);
  expectProblem(late, 410, "transaction_ended");
  expect(late.body).toMatchObject({ reason: "rolled_back", transaction: "rolled_back" });
  for (const sql of readOnly.off) await administrator.query(sql);
  expect(await amounts()).toEqual([100, 100]);
  const again = await caller.opened();
  expect((await caller.in(again, "UPDATE balances SET amount = 8")).body.rows_affected).toBe(2);
  expect((await caller.commit(again)).status).toBe(200);
  expect(await amounts()).toEqual([8, 8]);
});
