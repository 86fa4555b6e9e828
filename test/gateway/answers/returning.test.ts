import { randomUUID } from "node:crypto";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { limits } from "../../../src/limits.ts";
import { restored, texts } from "../support/commands.ts";
import type { Gateway } from "../support/harness.ts";
import {
  databaseServer,
  engine,
  expectProblem,
  issuers,
  server,
  startGateway,
  startProxy,
  testAccount,
} from "../support/harness.ts";

/** INSERT | REPLACE | DELETE .. RETURNING of MariaDB: changes that answer with rows. */

let administrator: Connection;
let proxy: CountingProxy;
let gateway: Gateway;
const role = "editor";

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await administrator.query("DROP TABLE IF EXISTS world.returned");
  await administrator.query(
    "CREATE TABLE world.returned (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60) UNIQUE, n INT NOT NULL, `returning` INT)",
  );
  const grantee = server.actsAs.editor === undefined ? "gw_editor" : "editor";
  await administrator.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON world.returned TO ${grantee}`);
  proxy = await startProxy();
  const allow = ["sql:read", "sql:write", "transaction", "query:*"];
  const grant = { issuer: issuers.remote, account: "editor", allow };
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${proxy.port}`] },
    accounts: {
      analyst: testAccount("analyst", { connections_per_shard: 2 }),
      editor: testAccount("editor", { connections_per_shard: 2 }),
    },
    grants: [
      { ...grant, claims: { role } },
      ...(engine === "mariadb" ? [{ ...grant, claims: { role: "reader" }, allow: ["sql:read"] }] : []),
      { ...grant, claims: { role: "narrow" }, max_rows: 2, max_bytes: 400 },
      { ...grant, claims: { role: "hasty" }, deadline_ms: 1_000 },
    ],
    queries: [
      {
        name: "take-returned.sql",
        text: "-- Takes rows out.\n--\n-- @param n integer required  Which\nDELETE FROM returned WHERE n = :n RETURNING id, name",
      },
    ],
  });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
  await administrator?.query("DROP TABLE IF EXISTS world.returned");
  await administrator?.end();
});
beforeEach(async () => {
  await administrator.query("TRUNCATE TABLE world.returned");
  await administrator.query("INSERT INTO world.returned (name, n) VALUES ('a', 1), ('b', 1), ('c', 2)");
});

/** The real rows, read directly from the server. */
async function names(): Promise<string[]> {
  const [rows] = await administrator.query("SELECT name FROM world.returned ORDER BY id");
  return (rows as { name: string }[]).map(({ name }) => name);
}

async function write(sql: string, params: unknown[] = [], options: object = {}) {
  const { status, body } = await gateway.sql({ sql, params }, { role, ...options });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

const insert = "INSERT INTO returned (name, n) VALUES (?, 5) RETURNING id, name";
const id = { name: "id", type: "BIGINT UNSIGNED", nullable: false };
const name = { name: "name", type: "VARCHAR", nullable: true };
const summary = { rows_changed: null, last_insert_id: null, info: null, warnings: [] };

test("a column of that name changes nothing", async () => {
  expect(
    await write("INSERT INTO returned (name, n, `returning`) VALUES ('RETURNING id', 1, 1)"),
  ).toMatchObject({
    ...{ rows: [], rows_affected: 1, last_insert_id: "4" },
  });
  expect(await write("UPDATE returned t SET t.returning = 2 WHERE `returning` = 1")).toMatchObject({
    ...{ rows_affected: 1, rows_changed: 1 },
  });
  // RETURNING is a reserved word on MariaDB.
  const column = engine === "mariadb" ? "`returning`" : "returning";
  expect((await write(`DELETE FROM returned WHERE ${column} = 2`)).rows_affected).toBe(1);
  expect(await names()).toEqual(["a", "b", "c"]);
});

describe.skipIf(engine === "mariadb")("on MySQL and TiDB", () => {
  test.each([
    insert,
    "REPLACE INTO returned (name, n) VALUES (?, 1) RETURNING id",
    "DELETE FROM returned WHERE name = ? RETURNING id",
  ])("it is no SQL, and nothing happens: %s", async (sql) => {
    const statement = { sql, params: ["a"] };
    const refused = await gateway.sql(statement, { role });
    expectProblem(refused, 400, "sql_error");
    expect(refused.body.errno).toBe(1064);
    const statements = [{ sql: "DELETE FROM returned" }, statement];
    const batch = await gateway.sql({ statements }, { role, path: "/v1/batch" });
    expectProblem(batch, 400, "sql_error");
    expect(batch.body.statement).toBe(1);
    expect(await names()).toEqual(["a", "b", "c"]);
  });
});

describe.runIf(engine === "mariadb")("on MariaDB", () => {
  test("INSERT, of one row and of several", async () => {
    expect(await write(insert, ["d"])).toEqual({
      ...{ columns: [id, name], rows: [{ id: "4", name: "d" }], rows_affected: 1 },
      ...summary,
    });
    const several = "INSERT INTO returned (name, n) SELECT CONCAT(name, '!'), n FROM returned RETURNING id";
    expect(await write(several)).toMatchObject({
      ...{ rows: ["5", "6", "7", "8"].map((made) => ({ id: made })), rows_affected: 4, last_insert_id: null },
    });
    expect(await names()).toEqual(["a", "b", "c", "d", "a!", "b!", "c!", "d!"]);
  });

  test("REPLACE and INSERT .. ON DUPLICATE KEY UPDATE count the rows that came back", async () => {
    const replaced = await write("REPLACE INTO returned (name, n) VALUES ('a', 7) RETURNING id, n");
    expect(replaced).toMatchObject({ rows: [{ id: "4", n: 7 }], rows_affected: 1 });
    const upsert =
      "INSERT INTO returned (name, n) VALUES ('a', 1) ON DUPLICATE KEY UPDATE n = 8 RETURNING id, n";
    expect(await write(upsert)).toMatchObject({ rows: [{ id: "4", n: 8 }], rows_affected: 1 });
  });

  test("INSERT IGNORE, without the rows that were left out, and with its warnings", async () => {
    const body = await write(
      "INSERT IGNORE INTO returned (name, n) VALUES ('a', 1), ('new', 1) RETURNING name",
    );
    expect(body).toMatchObject({ rows: [{ name: "new" }], rows_affected: 1, warnings: [{ code: 1062 }] });
  });

  test("DELETE: of rows, of no rows, and when the server knows that there are none", async () => {
    const remove = "DELETE FROM returned WHERE n = ? RETURNING id, name";
    const rows = [
      { id: "1", name: "a" },
      { id: "2", name: "b" },
    ];
    expect(await write(remove, [1])).toEqual({ columns: [id, name], rows, rows_affected: 2, ...summary });
    expect(await write(remove, [1])).toEqual({ columns: [id, name], rows: [], rows_affected: 0, ...summary });
    for (const none of ["WHERE 1 = 0", "LIMIT 0"]) {
      const body = await write(`DELETE FROM returned ${none} RETURNING id`);
      expect(body).toEqual({ columns: [], rows: [], rows_affected: 0, ...summary });
    }
    expect(await names()).toEqual(["c"]);
  });

  test("cold takes two round trips before its answer, hot one", async () => {
    const answered: string[][] = [];
    const sql = "INSERT INTO returned (name, n) VALUES (?, 6) RETURNING name";
    for (let i = 0; i < limits.hotStatementWindow; i++) {
      const mark = proxy.mark();
      expect((await write(sql, [`hot ${i}`])).rows).toEqual([{ name: `hot ${i}` }]);
      await restored(proxy);
      const commands = texts(mark.commands);
      answered.push(commands.slice(0, commands.indexOf("COM_RESET_CONNECTION")) as string[]);
    }
    expect(answered[0]).toEqual(["SET", "COM_STMT_PREPARE", "COM_STMT_EXECUTE"]);
    expect(answered.at(-1)).toEqual(["SET", "COM_STMT_EXECUTE"]);
  });

  test("as NDJSON, CSV and arrays", async () => {
    const send = async (accept: string, path = "/v1/sql") => {
      const authorization = `Bearer ${await gateway.token({ role })}`;
      const headers = { authorization, accept, "content-type": "application/json" };
      const body = JSON.stringify({ sql: insert, params: [accept + path] });
      return await (await gateway.fetch(path, { method: "POST", headers, body })).text();
    };
    const lines = (await send("application/x-ndjson")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { columns: [id, name] },
      { id: "4", name: "application/x-ndjson/v1/sql" },
      { rows_affected: 1, ...summary },
    ]);
    expect(await send("text/csv")).toBe("id,name\r\n5,text/csv/v1/sql\r\n");
    const arrays = await send("application/json", "/v1/sql?rows=array");
    expect(JSON.parse(arrays).rows).toEqual([["6", "application/json/v1/sql?rows=array"]]);
  });

  test("needs sql:write, and is refused before it is executed", async () => {
    expectProblem(
      await gateway.sql({ sql: insert, params: ["x"] }, { role: "reader" }),
      403,
      "access_denied",
    );
    const statements = [{ sql: "DELETE FROM returned RETURNING id" }];
    const batch = await gateway.sql({ statements, read_only: true }, { role, path: "/v1/batch" });
    expectProblem(batch, 403, "sql_denied");
    expect(await names()).toEqual(["a", "b", "c"]);
  });

  test("that fails after its first rows is an error, and nothing of it stays", async () => {
    const sql = "INSERT INTO returned (name, n) VALUES ('x', 1), ('a', 1) RETURNING id";
    const failed = await gateway.sql({ sql }, { role });
    expectProblem(failed, 409, "sql_conflict");
    expect(failed.body.errno).toBe(1062);
    expect(await names()).toEqual(["a", "b", "c"]);
    expect((await write("DELETE FROM returned RETURNING id")).rows_affected).toBe(3);
  });

  test("a saved query", async () => {
    const answer = await gateway.sql({ n: 2 }, { role, path: "/v1/queries/take-returned" });
    expect(answer.body).toEqual({
      columns: [id, name],
      rows: [{ id: "3", name: "c" }],
      rows_affected: 1,
      ...summary,
    });
    expect(await names()).toEqual(["a", "b"]);
  });

  test("under an Idempotency-Key is executed once", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const first = await gateway.sql({ sql: insert, params: ["once"] }, { role, headers });
    expect(first.body).toMatchObject({ rows: [{ id: "4", name: "once" }], rows_affected: 1 });
    const again = await gateway.sql({ sql: insert, params: ["once"] }, { role, headers });
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.body).toEqual(first.body);
    expect(await names()).toEqual(["a", "b", "c", "once"]);
  });

  test("in a transaction, rolled back and committed", async () => {
    for (const end of ["rollback", "commit"]) {
      const begun = await gateway.sql({}, { role, path: "/v1/transactions" });
      const path = `/v1/transactions/${begun.body.id}`;
      for (const made of ["x", "y"])
        expect((await write(insert, [made], { path: `${path}/sql` })).rows).toMatchObject([{ name: made }]);
      const taken = await write("DELETE FROM returned WHERE name = 'x' RETURNING name", [], {
        path: `${path}/sql`,
      });
      expect(taken).toMatchObject({ rows: [{ name: "x" }], rows_affected: 1 });
      if (end === "commit") await gateway.sql({}, { role, path: `${path}/commit` });
      else {
        const authorization = `Bearer ${await gateway.token({ role })}`;
        await gateway.fetch(path, { method: "DELETE", headers: { authorization } });
      }
      expect(await names()).toEqual(end === "commit" ? ["a", "b", "c", "y"] : ["a", "b", "c"]);
    }
  });
});

describe.runIf(engine === "mariadb")("in a batch", () => {
  const batch = async (body: object, as = role) => await gateway.sql(body, { role: as, path: "/v1/batch" });
  const remove = "DELETE FROM returned WHERE n = 1 RETURNING name";

  test.each(["cold", "warm"])("its rows come back, and later statements may refer to them: %s", async () => {
    const { status, body } = await batch({
      statements: [
        { sql: insert, params: ["made"] },
        {
          sql: "UPDATE returned SET n = ? WHERE id = ?",
          params: [{ $ref: "0.rows_affected" }, { $ref: "0.rows.0.id" }],
        },
        { sql: remove },
        { sql: "SELECT name, n FROM returned ORDER BY id" },
      ],
    });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.results).toMatchObject([
      { columns: [id, name], rows: [{ id: "4", name: "made" }], rows_affected: 1, warnings: [] },
      { rows: [], rows_affected: 1 },
      { rows: [{ name: "a" }, { name: "b" }, { name: "made" }], rows_affected: 3 },
      { rows: [{ name: "c", n: 2 }] },
    ]);
    expect(await names()).toEqual(["c"]);
  });

  test.each(["cold", "warm"])("max_affected counts them: %s", async () => {
    const statements = [
      { sql: insert, params: ["before"] },
      { sql: remove, max_affected: 1 },
    ];
    const refused = await batch({ statements });
    expectProblem(refused, 409, "max_affected_exceeded");
    expect(refused.body).toMatchObject({ statement: 1, detail: "It affected 2 rows and may affect 1." });
    expect(await names()).toEqual(["a", "b", "c"]);
    expect((await batch({ statements: [{ sql: remove, max_affected: 2 }] })).status).toBe(200);
    expect(await names()).toEqual(["c"]);
  });

  test("a locking read has 0 rows_affected, whatever it reads", async () => {
    const statements = [{ sql: "SELECT name FROM returned FOR UPDATE", max_affected: 0 }];
    expect((await batch({ statements })).body.results).toMatchObject([{ rows_affected: 0 }]);
  });

  test("a dry run shows them and takes everything back", async () => {
    const { body } = await batch({ statements: [{ sql: remove }], dry_run: true });
    expect(body.results).toMatchObject([{ rows: [{ name: "a" }, { name: "b" }], rows_affected: 2 }]);
    expect(await names()).toEqual(["a", "b", "c"]);
  });

  test("results that are too large take everything back", async () => {
    const statements = [{ sql: "DELETE FROM returned RETURNING REPEAT(name, 300) AS pad" }];
    expectProblem(await batch({ statements }, "narrow"), 413, "result_too_large");
    expect(await names()).toEqual(["a", "b", "c"]);
  });
});

describe.runIf(engine === "mariadb")("what is long", () => {
  const many = "INSERT INTO returned (name, n) SELECT CONCAT('city ', id), 3 FROM cities LIMIT 3000";

  test("is answered whole, whatever a grant allows a read: it has been executed", async () => {
    expect((await write("DELETE FROM returned RETURNING id", [], { role: "narrow" })).rows).toHaveLength(3);
    const body = await write(`${many} RETURNING name, REPEAT('x', 100) AS pad`, [], { role: "narrow" });
    expect(body.rows).toHaveLength(3000);
    expect(body.rows_affected).toBe(3000);
    expect(await names()).toHaveLength(3000);
  });

  test("in one row of more than 8 MiB ends the connection; only a batch knows that nothing has happened", async () => {
    const statement = { sql: "DELETE FROM returned RETURNING REPEAT(name, 9000000) AS pad" };
    const batch = await gateway.sql({ statements: [statement] }, { role, path: "/v1/batch" });
    expectProblem(batch, 413, "result_too_large");
    expect(await names()).toEqual(["a", "b", "c"]);
    expectProblem(await gateway.sql(statement, { role }), 503, "outcome_unknown");
    expect((await write(insert, ["after"])).rows).toMatchObject([{ name: "after" }]);
  });

  test("and stopped by its deadline behind its first rows, has not happened", async () => {
    const authorization = `Bearer ${await gateway.token({ role: "hasty" })}`;
    const answer = await gateway.fetch("/v1/sql", {
      method: "POST",
      headers: { authorization, accept: "application/x-ndjson", "content-type": "application/json" },
      body: JSON.stringify({ sql: "DELETE FROM returned RETURNING REPEAT(name, 200000) AS pad, SLEEP(0.6)" }),
    });
    expect(answer.status).toBe(200);
    const lines = (await answer.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(Object.keys(lines[1])).toContain("pad");
    expect(lines.at(-1)).toMatchObject({ error: { code: "deadline_exceeded" } });
    expect(await names()).toEqual(["a", "b", "c"]);
  });
});
