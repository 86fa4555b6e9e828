import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Spot } from "../../../servers/wire/tampering.ts";
import { has } from "../support/features.ts";
import { databaseServer, engine, expectProblem, read } from "../support/harness.ts";
import { startHostileServer } from "../support/hostility.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";
import { countRunning } from "../support/running.ts";

/** A COMMIT that the server refuses has not happened: its caller gets the reason, not an unknown outcome. */

/** Makes the server read-only for all logins without a special right, or ends that. */
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

describe.skipIf(!has.readOnly)("under an Idempotency-Key", () => {
  const insert = "INSERT INTO entries (account, note) VALUES (1, 'once')";

  async function send(path: string, key: string, body: unknown, { gateway }: Ledger = ledger) {
    const headers = {
      authorization: `Bearer ${await gateway.token({ role: "writer" })}`,
      "content-type": "application/json",
      "idempotency-key": key,
    };
    return await read(await gateway.fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
  }

  async function entries(): Promise<number> {
    const [rows] = await administrator.query<RowDataPacket[]>("SELECT COUNT(*) AS n FROM ledger.entries");
    return Number(rows[0]?.n);
  }

  test("of a batch: nothing has happened, and the same request may come again", async () => {
    const statements = [{ sql: insert }, { sql: "SELECT GET_LOCK('before_commit', 50) AS got" }];
    await administrator.query("SELECT GET_LOCK('before_commit', 0)");
    const sent = send("/v1/batch", "batch", { statements });
    const waiting = () => countRunning(administrator, "SELECT GET_LOCK('before_commit', 50)");
    await expect.poll(waiting).toBe(1);
    for (const sql of readOnly.on) await administrator.query(sql);
    await administrator.query("SELECT RELEASE_LOCK('before_commit')");
    const refused = await sent;
    expectProblem(refused, 503, "database_unavailable");
    expect(refused.body).toMatchObject({
      ...{ errno: readOnly.errno, transaction: "rolled_back", retryable: true },
    });
    expect(await entries()).toBe(0);
    for (const sql of readOnly.off) await administrator.query(sql);
    const again = await send("/v1/batch", "batch", { statements });
    expect([again.status, again.headers.get("idempotency-replayed"), await entries()]).toEqual([
      200,
      null,
      1,
    ]);
    const third = await send("/v1/batch", "batch", { statements });
    expect([third.status, third.headers.get("idempotency-replayed"), await entries()]).toEqual([
      200,
      "true",
      1,
    ]);
  });

  test("of a statement that stands alone", async () => {
    for (const sql of readOnly.on) await administrator.query(sql);
    expectProblem(await send("/v1/sql", "alone", { sql: insert }), 503, "database_unavailable");
    for (const sql of readOnly.off) await administrator.query(sql);
    const again = await send("/v1/sql", "alone", { sql: insert });
    expect([again.status, again.headers.get("idempotency-replayed"), await entries()]).toEqual([
      200,
      null,
      1,
    ]);
  });

  // A separate transaction only on MariaDB, which may only warn about the converted value.
  test.skipIf(engine !== "mariadb")("of a statement that its warnings may have taken back", async () => {
    const sql = "UPDATE balances SET amount = ? WHERE id = 1";
    const server = await startHostileServer();
    const own = await startLedger({}, { cluster: { hosts: [`localhost:${server.proxy.port}`] } });
    try {
      const isAnswer = (spot: Spot) => spot.command === "COM_STMT_EXECUTE" && spot.text === sql;
      const executed = new Promise<void>((resolve) => {
        // The answer passes, and the COMMIT after it waits.
        server.play(isAnswer, () => {
          server.proxy.blackHole(true);
          resolve();
          return undefined;
        });
      });
      const sent = send("/v1/sql", "revocable", { sql, params: [7] }, own);
      await executed;
      for (const one of readOnly.on) await administrator.query(one);
      server.proxy.blackHole(false);
      const refused = await sent;
      expectProblem(refused, 503, "database_unavailable");
      expect(refused.body).toMatchObject({ errno: readOnly.errno, transaction: "rolled_back" });
      expect(await amounts()).toEqual([100, 100]);
      for (const one of readOnly.off) await administrator.query(one);
      const again = await send("/v1/sql", "revocable", { sql, params: [7] }, own);
      expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, null]);
      expect(await amounts()).toEqual([7, 100]);
    } finally {
      server.proxy.blackHole(false);
      await own.gateway.close();
      await server.stop();
    }
  });
});
