import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { databaseServer, expectProblem, type Gateway, issuers, startGateway } from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";

/**
 * Statements of TiDB that the guard must know, because TiDB's sessions have no READ ONLY state behind the
 * guard.
 */

let administrator: Connection;
let gateway: Gateway;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await drop();
  await administrator.query("CREATE DATABASE tickets");
  await administrator.query("CREATE SEQUENCE tickets.seq NOCACHE");
  await administrator.query("CREATE TABLE tickets.t (n BIGINT DEFAULT (NEXT VALUE FOR tickets.seq), a INT)");
  await administrator.query("INSERT INTO tickets.t VALUES (0, 1)");
  await createLogin(administrator, "gw_tickets", "IDENTIFIED BY SECRET REQUIRE SSL");
  await administrator.query("GRANT ALL ON tickets.* TO gw_tickets");
  const grant = { issuer: issuers.remote, account: "tickets" };
  gateway = await startGateway({
    cluster: { database: "tickets" },
    accounts: { tickets: { user: "gw_tickets", password: "ANALYST_PASSWORD" } },
    grants: [
      // A grant that only reads may not share this account. This grant changes no rows.
      { ...grant, claims: { role: "reader" }, allow: ["sql:read", "sql:ddl"] },
      { ...grant, claims: { role: "writer" }, allow: ["sql:read", "sql:write"] },
    ],
  });
});
afterAll(async () => {
  await gateway?.close();
  if (administrator) await drop();
  await administrator?.end();
});

async function drop(): Promise<void> {
  await administrator.query("DROP DATABASE IF EXISTS tickets");
  await administrator.query("DROP USER IF EXISTS gw_tickets");
}

/** @returns the sequence's next value, without taking it */
async function next(): Promise<string> {
  const [rows] = await administrator.query<RowDataPacket[]>("SHOW TABLE tickets.seq NEXT_ROW_ID");
  return String(rows.find(({ ID_TYPE }) => ID_TYPE === "SEQUENCE")?.NEXT_GLOBAL_ROW_ID);
}

describe("what advances a sequence is a write", () => {
  const advancing = [
    "SELECT NEXTVAL(seq) AS n",
    "SELECT NEXT VALUE FOR seq AS n",
    "SELECT `nextval`('tickets.seq') AS n",
    "SELECT `NextVal` (CONCAT('tickets', '.seq')) AS n",
    "SELECT a FROM t WHERE a < (SELECT `nextval`('tickets.seq'))",
    "SELECT DEFAULT(n) AS n FROM t",
    "WITH x AS (SELECT NEXTVAL(seq) AS n) SELECT * FROM x",
  ];

  test.each(advancing)("%s", async (sql) => {
    const before = await next();
    expectProblem(await gateway.sql({ sql }, { role: "reader" }), 403, "access_denied");
    expect(await next()).toBe(before);
    expect((await gateway.sql({ sql }, { role: "writer" })).status).toBe(200);
    // It does what the reader may not do.
    expect(await next()).not.toBe(before);
  });

  test.each(["SELECT SETVAL(seq, 1000)", "SELECT `setval`('tickets.seq', 2000)"])("%s", async (sql) => {
    const before = await next();
    expectProblem(await gateway.sql({ sql }, { role: "reader" }), 403, "access_denied");
    expect(await next()).toBe(before);
    expect((await gateway.sql({ sql }, { role: "writer" })).status).toBe(200);
    expect(await next()).not.toBe(before);
  });

  test("what only tells of one is a read", async () => {
    for (const sql of ["SHOW CREATE SEQUENCE seq", "SELECT LASTVAL(seq) AS n"])
      expect((await gateway.sql({ sql }, { role: "reader" })).status).toBe(200);
  });
});

describe("what sets something by another name is refused", () => {
  test.each([
    ["a variable", "SELECT SETVAR('canary', 'dead') AS x", "SELECT @canary AS canary", { canary: "dead" }],
    ["a variable", "SELECT `setvar`('canary', 'gone') AS x", "SELECT @canary AS canary", { canary: "gone" }],
  ])("%s: %s", async (_, sql, look, left) => {
    const answer = await gateway.sql({ sql }, { role: "writer" });
    expectProblem(answer, 400, "statement_refused");
    expect(answer.body.reason).toBe("not_allowed");
    // TiDB itself accepts it.
    await administrator.query(sql);
    expect((await administrator.query<RowDataPacket[]>(look))[0]).toEqual([left]);
  });

  test("the time after which the server ends a statement", async () => {
    // SLEEP() answers 1 if it was ended.
    const slept = async (hint: string) => {
      const [rows] = await administrator.query<RowDataPacket[]>(`SELECT ${hint} SLEEP(0.5) AS ended`);
      return rows[0]?.ended;
    };
    await administrator.query("SET SESSION max_execution_time = 50");
    expect(await slept("")).toBe(1);
    const lifting = [
      "/*+ MAX_EXECUTION_TIME(0) */",
      "/*+ MAX_EXECUTION_TIME(60001) */",
      "/*+ SET_VAR(max_execution_time = 0) */",
    ];
    for (const hint of lifting) {
      expect(await slept(hint), hint).toBe(0);
      const answer = await gateway.sql({ sql: `SELECT ${hint} 1` }, { role: "reader" });
      expectProblem(answer, 400, "statement_refused");
    }
    await administrator.query("SET SESSION max_execution_time = 0");
    const own = await gateway.sql({ sql: "SELECT /*+ MAX_EXECUTION_TIME(1000) */ 1" }, { role: "reader" });
    expect(own.status).toBe(200);
  });
});

test("a statement of old rows is a read, a global temporary table is ddl", async () => {
  const old = "SELECT a FROM t AS OF TIMESTAMP NOW(3) - INTERVAL 1 MICROSECOND";
  const { status, body } = await gateway.sql({ sql: old }, { role: "reader" });
  expect({ status, rows: body.rows }).toEqual({ status: 200, rows: [{ a: 1 }] });
  const scratch = "CREATE GLOBAL TEMPORARY TABLE scratch (a INT) ON COMMIT DELETE ROWS";
  expectProblem(await gateway.sql({ sql: scratch }, { role: "writer" }), 403, "access_denied");
  expect((await gateway.sql({ sql: scratch }, { role: "reader" })).status).toBe(200);
});
