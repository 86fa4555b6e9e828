import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { restored, texts } from "../support/commands.ts";
import { has } from "../support/features.ts";
import type { Gateway } from "../support/harness.ts";
import {
  databaseServer,
  expectProblem,
  issuers,
  server,
  startGateway,
  startProxy,
  testAccount,
} from "../support/harness.ts";

/** The members after the rows: rows affected and changed, keys, info, warnings. */

let administrator: Connection;
let proxy: CountingProxy;
let gateway: Gateway;
const grantee = server.actsAs.editor === undefined ? "gw_editor" : "editor";
const role = "editor";

const procedures = {
  results_none: "() UPDATE world.results SET n = 2 WHERE n = 1",
  results_one: "() SELECT name FROM world.results ORDER BY id",
  results_three:
    "(wanted INT) BEGIN SELECT name FROM world.results WHERE n = wanted; UPDATE world.results SET n = 7; SELECT id, n FROM world.results ORDER BY id LIMIT 1; SELECT 1/0 AS q; END",
  results_broken:
    "(wanted INT) BEGIN SELECT name, REPEAT('x', wanted) AS pad FROM world.results; UPDATE world.results SET n = 8; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'in the middle'; END",
  results_out: "(given INT, OUT made INT) BEGIN SELECT given AS given; SET made = given + 1; END",
};

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await administrator.query("DROP TABLE IF EXISTS world.results");
  await administrator.query(
    "CREATE TABLE world.results (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) UNIQUE, n INT NOT NULL)",
  );
  await administrator.query(`GRANT INSERT, UPDATE, DELETE ON world.results TO ${grantee}`);
  for (const [name, body] of Object.entries(has.storedPrograms ? procedures : {})) {
    await administrator.query(`DROP PROCEDURE IF EXISTS world.${name}`);
    await administrator.query(`CREATE PROCEDURE world.${name}${body}`);
    await administrator.query(`GRANT EXECUTE ON PROCEDURE world.${name} TO ${grantee}`);
  }
  proxy = await startProxy();
  const one = { connections_per_shard: 2 };
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${proxy.port}`] },
    accounts: { analyst: testAccount("analyst", one), editor: testAccount("editor", one) },
    grants: ["analyst", "editor"].map((account) => ({
      ...{ issuer: issuers.remote, claims: { role: account }, account },
      allow: ["sql:read", ...(account === role ? ["sql:write", "transaction"] : [])],
    })),
  });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
  for (const name of has.storedPrograms ? Object.keys(procedures) : [])
    await administrator?.query(`DROP PROCEDURE IF EXISTS world.${name}`);
  await administrator?.query("DROP TABLE IF EXISTS world.results");
  await administrator?.end();
});
beforeEach(async () => {
  await administrator.query("TRUNCATE TABLE world.results");
  await administrator.query("INSERT INTO world.results (name, n) VALUES ('a', 1), ('b', 1), ('c', 2)");
});

async function write(sql: string, params: unknown[] = []) {
  const { status, body } = await gateway.sql({ sql, params }, { role });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

describe("rows affected and changed, keys, info", () => {
  test("of an UPDATE: rows_affected counts the matching rows", async () => {
    expect(await write("UPDATE results SET n = 2")).toEqual({
      columns: [],
      rows: [],
      rows_affected: 3,
      rows_changed: 2,
      last_insert_id: null,
      info: "Rows matched: 3  Changed: 2  Warnings: 0",
      warnings: [],
    });
  });

  test("of an INSERT: the first of the keys that were made", async () => {
    expect(await write("INSERT INTO results (name, n) VALUES ('d', 1)")).toMatchObject({
      ...{ rows_affected: 1, rows_changed: null, last_insert_id: "4", info: null, warnings: [] },
    });
    expect(await write("INSERT INTO results (name, n) VALUES ('e', 1), ('f', 1)")).toMatchObject({
      ...{ rows_affected: 2, rows_changed: null, last_insert_id: "5" },
      info: "Records: 2  Duplicates: 0  Warnings: 0",
    });
  });

  test("of a key beyond 2^53, as text", async () => {
    await administrator.query("ALTER TABLE world.results AUTO_INCREMENT = 9007199254740993");
    const { last_insert_id } = await write("INSERT INTO results (name, n) VALUES ('far', 1)");
    expect(last_insert_id).toBe("9007199254740993");
  });

  test("of an INSERT that updates: 2 for a row that is different now, 1 for one that is not", async () => {
    const upsert = "INSERT INTO results (name, n) VALUES ('a', ?) ON DUPLICATE KEY UPDATE n = ?";
    expect((await write(upsert, [9, 9])).rows_affected).toBe(2);
    expect((await write(upsert, [9, 9])).rows_affected).toBe(1);
  });

  test("of REPLACE and DELETE", async () => {
    expect((await write("REPLACE INTO results (name, n) VALUES ('a', 5)")).rows_affected).toBe(2);
    expect(await write("DELETE FROM results WHERE n = 5")).toMatchObject({ rows_affected: 1, info: null });
  });
});

describe("warnings", () => {
  const divided = { sql: "SELECT 1/0 AS q" };

  test("of a read stand behind its rows, and are gone with the next statement", async () => {
    const { body } = await gateway.sql(divided);
    expect(body).toMatchObject({
      rows: [{ q: null }],
      rows_affected: 0,
      warnings: [{ level: "Warning", code: 1365, message: "Division by 0" }],
    });
    expect((await gateway.sql({ sql: "SELECT 2 AS two" })).body.warnings).toEqual([]);
  });

  test("cost 1 round trip, and only where there are any", async () => {
    const cost = async (body: object) => {
      await restored(proxy);
      const mark = proxy.mark();
      expect((await gateway.sql(body)).status).toBe(200);
      await restored(proxy);
      const answered = texts(mark.commands);
      const end = answered.indexOf("COM_RESET_CONNECTION");
      return { commands: answered.slice(0, end), roundTrips: mark.roundTrips };
    };
    await gateway.sql({ sql: "SELECT 1 AS warm" });
    const without = await cost({ sql: "SELECT 8/2 AS q" });
    expect(without.commands).toEqual(["COM_STMT_PREPARE", "COM_STMT_EXECUTE"]);
    const withThem = await cost({ sql: "SELECT 8/0 AS q" });
    expect(withThem.commands).toEqual([...without.commands, "SHOW"]);
    expect(withThem.roundTrips).toBe(without.roundTrips + 1);
  });

  test("of a write quote the caller's own values", async () => {
    const body = await write("INSERT IGNORE INTO results (name, n) VALUES (?, 1), ('new', 1)", ["a"]);
    expect(body).toMatchObject({ rows_affected: 1, info: "Records: 2  Duplicates: 1  Warnings: 1" });
    expect(body.warnings).toEqual([
      { level: "Warning", code: 1062, message: expect.stringMatching(/^Duplicate entry 'a' for key/) },
    ]);
  });

  test("are at most 64, also behind an answer that is streamed", async () => {
    const wide = "SELECT name, REPEAT('x', 50) AS pad, CAST(name AS SIGNED) AS n FROM cities LIMIT 2000";
    const { body } = await gateway.sql({ sql: wide });
    expect(body.rows).toHaveLength(2000);
    expect(body.warnings).toHaveLength(64);
    expect(body.warnings[0]).toMatchObject({ code: 1292, message: expect.stringContaining("INTEGER value") });
  });

  test("of a batch's statements are not asked for: null where there are some", async () => {
    const statements = [divided, { sql: "SELECT 1 AS one" }, { sql: "SELECT 2/0 AS q" }];
    const { body } = await gateway.sql({ statements }, { path: "/v1/batch" });
    const warnings = body.results.map((result: { warnings: unknown }) => result.warnings);
    expect(warnings).toEqual([null, [], null]);
  });

  test("as NDJSON stand in the trailer", async () => {
    const lines = await ndjson(divided);
    expect(lines.at(-1)).toEqual({
      ...{ rows_affected: 0, rows_changed: null, last_insert_id: null, info: null },
      warnings: [{ level: "Warning", code: 1365, message: "Division by 0" }],
    });
  });

  test("that are lost with the connection are null: the statement has been executed", async () => {
    await write("DELETE FROM results WHERE id = 0");
    await restored(proxy);
    proxy.setDelayMs(300);
    try {
      const answered = write("INSERT IGNORE INTO results (name, n) VALUES ('a', 1), ('kept', 1)");
      await seen("SHOW WARNINGS ");
      proxy.dropAll();
      expect(await answered).toMatchObject({ rows_affected: 1, warnings: null });
    } finally {
      proxy.setDelayMs(0);
    }
    const [rows] = await administrator.query("SELECT COUNT(*) AS n FROM world.results WHERE name = 'kept'");
    expect(rows).toEqual([{ n: 1 }]);
  });

  /** Resolves when the proxy receives a command that begins with `text`. */
  async function seen(text: string): Promise<void> {
    const count = () => proxy.commands().filter((command) => command.text?.startsWith(text)).length;
    const before = count();
    while (count() === before) await sleep(5);
  }
});

/** @returns the lines of an NDJSON answer */
async function ndjson(statement: object, as = "analyst"): Promise<unknown[]> {
  const answer = await gateway.fetch("/v1/sql", {
    method: "POST",
    headers: {
      authorization: `Bearer ${await gateway.token({ role: as })}`,
      "content-type": "application/json",
      accept: "application/x-ndjson",
    },
    body: JSON.stringify(statement),
  });
  expect(answer.status).toBe(200);
  const text = await answer.text();
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe.skipIf(!has.storedPrograms)("CALL", () => {
  const call = async (sql: string, params: unknown[] = []) => await write(`CALL ${sql}`, params);
  const summary = ["rows_affected", "rows_changed", "last_insert_id", "info", "warnings"];

  test("without a result set", async () => {
    const body = await call("results_none()");
    expect(Object.keys(body)).toEqual(["results", ...summary]);
    expect(body).toMatchObject({ results: [], rows_affected: 2, warnings: [] });
  });

  test("with one", async () => {
    const { results } = await call("results_one()");
    expect(results).toEqual([
      {
        columns: [{ name: "name", type: "VARCHAR", nullable: true }],
        rows: [{ name: "a" }, { name: "b" }, { name: "c" }],
      },
    ]);
  });

  test("with three, one of them empty, and the warnings of the last", async () => {
    const body = await call("results_three(?)", [100]);
    expect(body.results.map(({ rows }: { rows: unknown[] }) => rows)).toEqual([
      [],
      [{ id: "1", n: 7 }],
      [{ q: null }],
    ]);
    expect(body.results[1].columns.map(({ name }: { name: string }) => name)).toEqual(["id", "n"]);
    expect(body.warnings).toMatchObject([{ code: 1365 }]);
  });

  test("as NDJSON has a line of columns before the rows of each", async () => {
    const lines = await ndjson({ sql: "CALL results_three(1)" }, role);
    const kinds = lines.map((line) => Object.keys(line as object)[0]);
    expect(kinds).toEqual(["columns", "name", "name", "columns", "id", "columns", "q", "rows_affected"]);
    expect(await ndjson({ sql: "CALL results_none()" }, role)).toMatchObject([
      { columns: [] },
      { warnings: [] },
    ]);
  });

  test.each(["/v1/sql", "a transaction"])("as CSV is refused before it is executed, by %s", async (where) => {
    const begun = await gateway.sql({}, { role, path: "/v1/transactions" });
    const path = where === "/v1/sql" ? where : `/v1/transactions/${begun.body.id}/sql`;
    const answer = await gateway.sql(
      { sql: "CALL results_none()" },
      { role, path, headers: { accept: "text/csv" } },
    );
    expectProblem(answer, 406, "not_acceptable");
    expect(answer.body.detail).toBe("It can be had as application/json, application/x-ndjson.");
    const either = { accept: "text/csv, application/json;q=0.5" };
    expect((await gateway.sql({ sql: "CALL results_one()" }, { role, path, headers: either })).status).toBe(
      200,
    );
    const [rows] = await administrator.query("SELECT SUM(n) AS n FROM world.results");
    expect(Number((rows as { n: string }[])[0]?.n)).toBe(4);
    await gateway.sql({}, { role, path: `/v1/transactions/${begun.body.id}/commit` });
  });

  test("that fails in the middle is an error, and what it did before stays done", async () => {
    const { status, body } = await gateway.sql({ sql: "CALL results_broken(1)" }, { role });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: "sql_error", errno: 1644, detail: "in the middle", retryable: false });
    const [rows] = await administrator.query("SELECT SUM(n) AS n FROM world.results");
    expect(Number((rows as { n: string }[])[0]?.n)).toBe(24);
  });

  test("that fails behind rows that have left ends NDJSON with the error", async () => {
    const lines = await ndjson({ sql: "CALL results_broken(40000)" }, role);
    expect(lines).toHaveLength(1 + 3 + 1);
    expect(lines.at(-1)).toMatchObject({ error: { code: "sql_error", errno: 1644, retryable: false } });
    expect((await call("results_one()")).results).toHaveLength(1);
  });

  test("with an OUT parameter, whose value is not answered", async () => {
    const { results } = await call("results_out(?, ?)", [1, null]);
    expect(results.map(({ rows }: { rows: unknown[] }) => rows)).toEqual([[{ given: 1 }]]);
  });
});
