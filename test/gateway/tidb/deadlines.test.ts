import { randomUUID } from "node:crypto";
import type { ResultSetHeader, RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { restored } from "../support/commands.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import {
  databaseServer,
  expectProblem,
  issuers,
  startGateway,
  startProxy,
  testAccount,
} from "../support/harness.ts";

/**
 * A statement that takes too long on TiDB ends at its deadline, whatever it waits for, and leaves nothing
 * at the server.
 */

let administrator: Connection;
let holder: Connection;
let proxy: CountingProxy;
let gateway: Gateway;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  holder = await connectAdministrator(databaseServer());
  await holder.query("USE world");
  await administrator.query(
    "CREATE USER IF NOT EXISTS gw_builder IDENTIFIED WITH caching_sha2_password BY 'late-builder' REQUIRE SSL",
  );
  await administrator.query("GRANT SELECT, CREATE, ALTER, INDEX, DROP ON world.* TO gw_builder");
  await administrator.query("DROP TABLE IF EXISTS world.late");
  await administrator.query("CREATE TABLE world.late (id INT PRIMARY KEY, n INT)");
  await administrator.query("INSERT INTO world.late VALUES (1, 1)");
  proxy = await startProxy();
  const grant = { issuer: issuers.remote, account: "editor", deadline_ms: 1_000 };
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${proxy.port}`] },
    accounts: {
      analyst: testAccount("analyst"),
      editor: testAccount("editor", { connections_per_shard: 2 }),
      builder: { user: "gw_builder", password: "BUILDER_PASSWORD" },
    },
    secrets: { BUILDER_PASSWORD: "late-builder" },
    grants: [
      {
        ...grant,
        claims: { role: "editor" },
        allow: ["sql:read", "sql:write", "transaction"],
      },
      { ...grant, claims: { role: "builder" }, account: "builder", allow: ["sql:ddl", "sql:read"] },
    ],
  });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
  await holder?.end();
  await administrator?.query("DELETE FROM world.notes WHERE body IN ('held', 'committed')");
  await administrator?.query("DROP TABLE IF EXISTS world.late");
  await administrator?.query("DROP USER IF EXISTS gw_builder");
  await administrator?.end();
});
beforeEach(() => restored(proxy));
afterEach(() => holder.query("ROLLBACK"));

const role = "editor";
const mark = () => `late_${randomUUID().slice(0, 8)}`;

/** The statements that the server runs for the gateway's login. */
async function running(): Promise<unknown[]> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT INFO FROM information_schema.PROCESSLIST WHERE USER = 'gw_editor' AND COMMAND <> 'Sleep'",
  );
  return rows.map(({ INFO }) => INFO);
}

/** The statement was stopped, nothing runs any more, and the pool serves. */
async function expectEnded(answer: Answer): Promise<void> {
  expectProblem(answer, 504, "deadline_exceeded");
  await expect.poll(running, { timeout: 2_000 }).toEqual([]);
  for (let i = 0; i < 2; i++)
    expect((await gateway.sql({ sql: "SELECT 1 AS n" }, { role })).body.rows).toEqual([{ n: "1" }]);
}

const join = (name: string) =>
  `SELECT COUNT(*) AS ${name} FROM cities AS a JOIN cities AS b ON a.id <> b.id JOIN cities AS c ON b.id <> c.id`;
const lock = (name: string) => `SELECT id AS ${name} FROM notes WHERE id = ${held} FOR UPDATE`;

/** The id of the row that another transaction has locked. */
let held: number;
/** Another transaction locks a row. */
async function hold(): Promise<void> {
  const insert = "INSERT INTO notes (city_id, body, author) VALUES (1, 'held', 1)";
  held = (await holder.query<ResultSetHeader>(insert))[0].insertId;
  await holder.query("BEGIN PESSIMISTIC");
  await holder.query(`SELECT id FROM notes WHERE id = ${held} FOR UPDATE`);
}

describe.each<[string, (name: string) => string]>([
  ["a long join", join],
  [
    "a change that sleeps",
    (name) =>
      `INSERT INTO notes (city_id, body, author) SELECT 1, '${name}', 1 FROM countries WHERE SLEEP(0.5) = 0`,
  ],
  [
    "a sort and a window",
    (name) =>
      `SELECT ROW_NUMBER() OVER (ORDER BY a.name, b.name) AS ${name} FROM cities AS a JOIN cities AS b ON a.id <> b.id ORDER BY 1 DESC LIMIT 1`,
  ],
  [
    "a recursion",
    (name) =>
      `WITH RECURSIVE ${name} AS (SELECT 1 AS n UNION ALL SELECT n + 0 FROM ${name} WHERE SLEEP(0.1) = 0) SELECT COUNT(*) FROM ${name}`,
  ],
])("%s ends at its deadline", (_, text) => {
  test("alone", async () => {
    const name = mark();
    await expectEnded(await gateway.sql({ sql: text(name) }, { role }));
  });

  test("as the third statement of a batch", async () => {
    const name = mark();
    const statements = [{ sql: "SELECT 1" }, { sql: "SELECT 2" }, { sql: text(name) }];
    await expectEnded(await gateway.sql({ statements }, { role, path: "/v1/batch" }));
  });

  test("in a transaction", async () => {
    const begun = await gateway.sql({}, { role, path: "/v1/transactions" });
    const path = `/v1/transactions/${begun.body.id}/sql`;
    await expectEnded(await gateway.sql({ sql: text(mark()) }, { role, path }));
  });
});

describe.each<[string, (name: string) => string]>([
  ["a locking read", lock],
  [
    "a locking read with a join",
    (name) =>
      `SELECT a.id AS ${name} FROM notes AS a LEFT JOIN cities AS b ON a.city_id = b.id WHERE a.id = ${held} FOR UPDATE`,
  ],
  ["an update", (name) => `UPDATE notes SET body = '${name}' WHERE id = ${held}`],
  ["a deletion", (name) => `DELETE FROM notes WHERE id = ${held} AND body <> '${name}'`],
  [
    "an insertion of its key",
    (name) =>
      `INSERT INTO notes (id, city_id, body, author) VALUES (${held}, 1, '${name}', 1) ON DUPLICATE KEY UPDATE author = 2`,
  ],
])("what waits for a row that another transaction has: %s", (_, text) => {
  beforeEach(hold);

  test("alone, in a batch and in a transaction", async () => {
    const name = mark();
    // TiDB locks rows of a read only in a transaction.
    if (!text(name).endsWith("FOR UPDATE"))
      await expectEnded(await gateway.sql({ sql: text(name) }, { role }));
    const statements = [{ sql: "SELECT 1" }, { sql: "SELECT 2" }, { sql: text(name) }];
    await expectEnded(await gateway.sql({ statements }, { role, path: "/v1/batch" }));
    const begun = await gateway.sql({}, { role, path: "/v1/transactions" });
    const path = `/v1/transactions/${begun.body.id}/sql`;
    await expectEnded(await gateway.sql({ sql: text(name) }, { role, path }));
    await holder.query("ROLLBACK");
    const [[row]] = await administrator.query<RowDataPacket[]>(
      `SELECT body FROM world.notes WHERE id = ${held}`,
    );
    expect(row?.body).toBe("held");
  });
});

test("TiDB does not end DDL that waits for a transaction: its outcome is unknown, and the pool serves", async () => {
  const builder = { role: "builder" };
  await holder.query("BEGIN");
  await holder.query("UPDATE late SET n = n + 1 WHERE id = 1");
  const sql = "ALTER TABLE late ADD COLUMN added INT";
  expectProblem(await gateway.sql({ sql }, builder), 503, "outcome_unknown");
  expect((await gateway.sql({ sql: "SELECT 1 AS n" }, builder)).body.rows).toEqual([{ n: "1" }]);
  const read = () => gateway.sql({ sql: "SELECT added FROM late" }, builder);
  expect((await read()).body.errno).toBe(1054);
  await holder.query("ROLLBACK");
  await expect.poll(async () => (await read()).body.rows, { timeout: 10_000 }).toEqual([{ added: null }]);
}, 30_000);

test("a COMMIT that waits, in an optimistic transaction, is given up after 15 s: its outcome is unknown", async () => {
  await hold();
  await administrator.query("SET GLOBAL tidb_txn_mode = 'optimistic'");
  try {
    // The mode applies to new sessions.
    proxy.dropAll();
    await restored(proxy);
    const statements = [{ sql: `UPDATE notes SET body = 'committed' WHERE id = ${held}` }];
    const answer = await gateway.sql({ statements }, { role, path: "/v1/batch" });
    expectProblem(answer, 503, "outcome_unknown");
    expect((await gateway.sql({ sql: "SELECT 1 AS n" }, { role })).body.rows).toEqual([{ n: "1" }]);
    await holder.query("ROLLBACK");
    await expect.poll(running, { timeout: 10_000 }).toEqual([]);
  } finally {
    await administrator.query("SET GLOBAL tidb_txn_mode = 'pessimistic'");
  }
}, 60_000);

test("rows that the caller does not read end at the deadline", async () => {
  const name = mark();
  const wide = `SELECT a.name, REPEAT('x', 1000) AS ${name} FROM cities AS a JOIN cities AS b ON a.id <> b.id`;
  const authorization = `Bearer ${await gateway.token({ role })}`;
  const response = await gateway.fetch("/v1/sql", {
    method: "POST",
    headers: { authorization, "content-type": "application/json", accept: "application/x-ndjson" },
    body: JSON.stringify({ sql: wide }),
  });
  expect(response.status).toBe(200);
  await expect.poll(running, { timeout: 5_000 }).toEqual([]);
  await response.body?.cancel().catch(() => {});
  expect((await gateway.sql({ sql: "SELECT 1 AS n" }, { role })).body.rows).toEqual([{ n: "1" }]);
});
