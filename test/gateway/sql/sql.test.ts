import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { has } from "../support/features.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, engine, expectProblem, server, startGateway } from "../support/harness.ts";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.close());

describe("rows and columns", () => {
  test("answers rows with their columns", async () => {
    const answer = await gateway.sql({
      sql: "SELECT code, name, area_km2, un_member FROM countries WHERE code = ?",
      params: ["JP"],
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.get("server-timing")).toMatch(/^queue;dur=\d+, connect;dur=\d+, db;dur=\d+$/);
    expect(answer.body).toEqual({
      columns: [
        { name: "code", type: "CHAR", nullable: false },
        { name: "name", type: "VARCHAR", nullable: false },
        { name: "area_km2", type: "DECIMAL", nullable: true },
        { name: "un_member", type: "TINYINT", nullable: false },
      ],
      rows: [{ code: "JP", name: "Japan", area_km2: "377930.00", un_member: 1 }],
      rows_affected: 0,
      rows_changed: null,
      last_insert_id: null,
      info: null,
      warnings: [],
    });
  });

  test("no rows are an empty list with columns", async () => {
    const { body } = await gateway.sql({ sql: "SELECT name FROM countries WHERE 1 = 0" });
    expect(body.rows).toEqual([]);
    expect(body.columns).toHaveLength(1);
  });

  test("?rows=array keeps columns of one name apart", async () => {
    const { body } = await gateway.sql({ sql: "SELECT '1' AS a, '2' AS a" }, { path: "/v1/sql?rows=array" });
    expect(body.rows).toEqual([["1", "2"]]);
    const objects = await gateway.sql({ sql: "SELECT '1' AS a, '2' AS a, '3' AS `__proto__`" });
    expect(JSON.stringify(objects.body.rows)).toBe('[{"a":"2","__proto__":"3"}]');
  });

  test("values keep all their digits", async () => {
    const sql =
      "SELECT 18446744073709551615 AS big, CAST('0.1' AS DECIMAL(65,30)) AS exact, CAST(1.1 AS FLOAT) AS f, x'00ff' AS bytes, CAST('2026-02-28 23:59:59.123456' AS DATETIME(6)) AS at, NULL AS nothing, '🐘' AS text";
    const { body } = await gateway.sql({ sql });
    expect(body.rows[0]).toEqual({
      big: "18446744073709551615",
      exact: "0.100000000000000000000000000000",
      f: 1.1,
      bytes: "AP8=",
      at: "2026-02-28 23:59:59.123456",
      nothing: null,
      text: "🐘",
    });
  });

  test("JSON is embedded", async () => {
    const { body } = await gateway.sql({ sql: "SELECT languages FROM countries WHERE code = 'NZ'" });
    const languages = body.rows[0].languages;
    // MariaDB's JSON is a text column. If the server does not mark it as JSON, the answer has a text.
    expect(typeof languages === "string" ? JSON.parse(languages) : languages).toMatchObject({
      eng: "English",
    });
    if (engine === "mysql") expect(typeof languages).toBe("object");
  });

  test("a large result streams whole", async () => {
    const { status, headers, body } = await gateway.sql({ sql: "SELECT * FROM cities ORDER BY id" });
    expect(status).toBe(200);
    expect(headers.has("content-length")).toBe(false);
    expect(body.rows).toHaveLength(5000);
    expect(new Set(body.rows.map((row: { id: number }) => row.id)).size).toBe(5000);
  });
});

describe("parameters are bound by the server", () => {
  test("positional and named", async () => {
    const positional = await gateway.sql({ sql: "SELECT ? AS a, ? AS b", params: ["x", null] });
    expect(positional.body.rows).toEqual([{ a: "x", b: null }]);
    const named = await gateway.sql({
      sql: "SELECT :b AS b, :a AS a, :b AS again",
      params: { a: "x", b: "y" },
    });
    expect(named.body.rows).toEqual([{ b: "y", a: "x", again: "y" }]);
  });

  test("an integer is an integer: LIMIT takes it, and 0 does not equal every text", async () => {
    const limited = await gateway.sql({ sql: "SELECT id FROM cities LIMIT ?", params: [2] });
    expect(limited.body.rows).toHaveLength(2);
    const large = await gateway.sql({
      sql: "SELECT ? + 1 AS n",
      params: [{ type: "integer", value: "9223372036854775806" }],
    });
    expect(large.body.rows[0].n).toBe("9223372036854775807");
  });

  test("what looks like SQL stays a value", async () => {
    const hostile = `'; DROP TABLE notes; -- \\' " \u0000 \u2019`;
    const { body } = await gateway.sql({
      sql: "SELECT ? AS v, CHAR_LENGTH(?) AS n",
      params: [hostile, hostile],
    });
    expect(body.rows[0].v).toBe(hostile);
  });

  test("a question mark in a string, a comment or a name is none", async () => {
    const { body } = await gateway.sql({ sql: "SELECT '?' AS `a?`, /* ? */ ? AS b -- ?\n", params: [1] });
    expect(body.rows).toEqual([{ "a?": "?", b: "1" }]);
  });
});

describe("writing", () => {
  test("rows_affected and last_insert_id", async () => {
    const role = "editor";
    const insert = await gateway.sql(
      { sql: "INSERT INTO notes (city_id, author, body) VALUES (?, ?, ?)", params: [1, "writing", "é"] },
      { role },
    );
    expect(insert.body).toEqual({
      columns: [],
      rows: [],
      rows_affected: 1,
      rows_changed: null,
      last_insert_id: expect.stringMatching(/^\d+$/),
      info: null,
      warnings: [],
    });
    const id = Number(insert.body.last_insert_id);
    const update = await gateway.sql(
      { sql: "UPDATE notes SET body = ? WHERE id = ?", params: ["x", id] },
      { role },
    );
    expect(update.body.rows_affected).toBe(1);
    const found = await gateway.sql({ sql: "SELECT body FROM notes WHERE id = ?", params: [id] }, { role });
    expect(found.body.rows).toEqual([{ body: "x" }]);
    const remove = await gateway.sql({ sql: "DELETE FROM notes WHERE author = 'writing'" }, { role });
    expect(remove.body.rows_affected).toBe(1);
  });

  test.skipIf(!has.storedPrograms)(
    "what passed as a read cannot write: the server is in READ ONLY state",
    async () => {
      // Every lexer sees a call of a function that writes as a read.
      const administrator = await connectAdministrator(databaseServer());
      try {
        await administrator.query("DROP FUNCTION IF EXISTS world.sneak");
        await administrator.query("SET GLOBAL log_bin_trust_function_creators = 1").catch(() => {});
        await administrator.query(
          "CREATE FUNCTION world.sneak() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO world.notes (city_id, author, body) VALUES (1, 'sneak', ''); RETURN 1; END",
        );
        const grantee = server.actsAs.editor === undefined ? "gw_editor" : "editor";
        await administrator.query(`GRANT EXECUTE ON FUNCTION world.sneak TO ${grantee}`);
        const answer = await gateway.sql({ sql: "SELECT sneak() AS x" }, { role: "editor" });
        expectProblem(answer, 403, "sql_denied");
        expect(answer.body.errno).toBe(1792);
        const [rows] = await administrator.query(
          "SELECT COUNT(*) AS n FROM world.notes WHERE author = 'sneak'",
        );
        expect((rows as { n: number }[])[0]?.n).toBe(0);
      } finally {
        await administrator.query("DROP FUNCTION IF EXISTS world.sneak");
        await administrator.end();
      }
    },
  );

  test("ddl needs its own permission and works with it", async () => {
    const other = await startGateway({
      grants: [{ issuer: "http://issuer.test/remote", claims: {}, account: "editor", allow: ["sql:ddl"] }],
    });
    const administrator = await connectAdministrator(databaseServer());
    try {
      const grantee = server.actsAs.editor === undefined ? "gw_editor" : "editor";
      await administrator.query(`GRANT CREATE, DROP ON world.scratch TO ${grantee}`);
      expect((await other.sql({ sql: "CREATE TABLE scratch (id INT)" })).status).toBe(200);
      expect((await other.sql({ sql: "DROP TABLE scratch" })).status).toBe(200);
      expectProblem(await gateway.sql({ sql: "DROP TABLE notes" }, { role: "editor" }), 403, "access_denied");
    } finally {
      await administrator.end();
      await other.close();
    }
  });
});

describe("errors of the caller's own SQL", () => {
  test("syntax, with the server's words", async () => {
    const answer = await gateway.sql({ sql: "SELECT FROM cities WHERE" });
    expectProblem(answer, 400, "sql_error");
    expect(answer.body).toMatchObject({ errno: 1064, sqlstate: "42000", retryable: false });
    expect(answer.body.detail).toContain("syntax");
  });

  test("an unknown column", async () => {
    const answer = await gateway.sql({ sql: "SELECT nope FROM cities" });
    expect(answer.body).toMatchObject({ code: "sql_error", errno: 1054, sqlstate: "42S22" });
  });

  test("no privilege", async () => {
    expectProblem(await gateway.sql({ sql: "DELETE FROM cities" }, { role: "editor" }), 403, "sql_denied");
  });

  test("a duplicate key is a conflict, and its value is not repeated", async () => {
    const role = "editor";
    const sql = "INSERT INTO notes (id, city_id, author, body) VALUES (?, 1, 'conflict', '')";
    const id = 987_654_321;
    await gateway.sql({ sql, params: [id] }, { role });
    const answer = await gateway.sql({ sql, params: [id] }, { role });
    expectProblem(answer, 409, "sql_conflict");
    expect(answer.body.errno).toBe(1062);
    expect(JSON.stringify(answer.body)).not.toContain(String(id));
    await gateway.sql({ sql: "DELETE FROM notes WHERE author = 'conflict'" }, { role });
  });

  test("an error after the first byte breaks the body off", async () => {
    // The subquery returns two rows for the last city only, long after the answer has begun.
    const sql = `SELECT c.*, (SELECT 1 FROM cities d WHERE c.id >= (SELECT MAX(id) FROM cities) LIMIT 2) AS boom
                 FROM cities c FORCE INDEX (PRIMARY) ORDER BY c.id`;
    const headers = { authorization: `Bearer ${await gateway.token()}`, "content-type": "application/json" };
    const response = await gateway.fetch("/v1/sql", {
      method: "POST",
      body: JSON.stringify({ sql }),
      headers,
    });
    expect(response.status).toBe(200);
    await expect(response.json()).rejects.toThrow();
    expect((await gateway.sql({ sql: "SELECT 1 AS one" })).status).toBe(200);
  });
});
