import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer, engine } from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";
import type { Started } from "../support/two-ways.ts";
import { startWay, ways } from "../support/two-ways.ts";

/** A JSON function stores a JSON parameter as JSON, not as a text. */

const user = "gw_documents";
let administrator: Connection;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await administrator.query("DROP DATABASE IF EXISTS documents");
  await administrator.query("CREATE DATABASE documents CHARACTER SET utf8mb4");
  await administrator.query("CREATE TABLE documents.documents (id INT PRIMARY KEY, doc JSON)");
  await createLogin(administrator, user, "IDENTIFIED BY SECRET REQUIRE SSL");
  await administrator.query(`GRANT ALL ON documents.* TO ${user}`);
});
beforeEach(async () => {
  await administrator.query(`REPLACE INTO documents.documents VALUES (1, '{"a": 0, "list": []}')`);
});
afterAll(async () => {
  await administrator?.query("DROP DATABASE IF EXISTS documents");
  await administrator?.query(`DROP USER IF EXISTS ${user}`);
  await administrator?.end();
});

/** @returns the stored document, as the server shows it to another client */
async function stored(): Promise<unknown> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT CAST(doc AS CHAR) AS doc FROM documents.documents WHERE id = 1",
  );
  return JSON.parse(rows[0]?.doc);
}

const json = (value: unknown) => ({ type: "JSON", value });
const values: [string, unknown][] = [
  ["an object", { b: 1, c: { d: [] } }],
  ["a list", [1, "x", null, { e: 2 }]],
  ["a string", 'it\'s "a" \\ ü 😀'],
  ["an empty string", ""],
  ["a string that looks like JSON", '{"b":1}'],
  ["an integer", 7],
  ["a fraction", -1.5],
  ["true", true],
  ["false", false],
  ["null", null],
];

/** Functions with a value in them, and their result for `{"a": 0, "list": []}`. */
const changes: [string, (value: unknown) => unknown][] = [
  ["JSON_SET(doc, '$.a', ?)", (a) => ({ a, list: [] })],
  ["JSON_INSERT(doc, '$.n', ?)", (n) => ({ a: 0, list: [], n })],
  ["JSON_REPLACE(doc, '$.a', (?))", (a) => ({ a, list: [] })],
  // TiDB appends the elements of a list, for every client.
  [
    "JSON_ARRAY_APPEND(doc, '$.list', ?)",
    (one) => ({ a: 0, list: engine === "tidb" && Array.isArray(one) ? one : [one] }),
  ],
  ["JSON_ARRAY_INSERT(doc, '$.list[0]', ?)", (one) => ({ a: 0, list: [one] })],
  ["JSON_ARRAY(1, ?)", (one) => [1, one]],
  ["JSON_OBJECT('k', ?)", (k) => ({ k })],
  ["JSON_MERGE_PATCH('{}', JSON_OBJECT('k', JSON_ARRAY(?)))", (one) => ({ k: [one] })],
];

describe.each(ways)("through the link of a %s", (way) => {
  let started: Started;
  beforeAll(async () => {
    const allow = ["sql:read", "sql:write", ...(way === "pool" ? ["transaction"] : [])];
    // One connection stays free when transactions may keep the other.
    const writer = way === "pool" ? { connections_per_shard: 2 } : {};
    started = await startWay(way, { database: "documents", user, accounts: { writer }, allow });
  });
  afterAll(() => started?.close());
  const ask = async (body: object, path?: string): Promise<Answer> =>
    await started.gateway.sql(body, { role: "writer", ...(path && { path }) });
  const done = async (body: object, path?: string) => {
    const answer = await ask(body, path);
    expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 200 });
    return answer.body;
  };

  test.each(changes)("%s stores what was sent", async (expression, becomes) => {
    const sql = `UPDATE documents SET doc = ${expression} WHERE id = ?`;
    for (const [name, value] of values) {
      await administrator.query(`REPLACE INTO documents.documents VALUES (1, '{"a": 0, "list": []}')`);
      const body = await done({ sql, params: [json(value), 1] });
      expect(body.warnings, name).toEqual([]);
      expect(await stored(), name).toEqual(becomes(value));
    }
  });

  test("aggregates and what is read say it as JSON too", async () => {
    for (const [name, value] of values) {
      const { rows } = await done({
        sql: "SELECT JSON_ARRAYAGG(?) AS list, JSON_OBJECTAGG('k', ?) AS object, JSON_ARRAY(:x) AS x FROM documents".replace(
          ":x",
          "?",
        ),
        params: [json(value), json(value), json(value)],
      });
      const read = (cell: unknown) => (typeof cell === "string" ? JSON.parse(cell) : cell);
      expect(read(rows[0].list), name).toEqual([value]);
      expect(read(rows[0].object), name).toEqual({ k: value });
      expect(read(rows[0].x), name).toEqual([value]);
    }
  });

  test.skipIf(engine === "mariadb")("so does MEMBER OF, which MariaDB does not have", async () => {
    await administrator.query("UPDATE documents.documents SET doc = ?", [
      JSON.stringify([{ b: 1 }, "x", 7, true, null]),
    ]);
    const found = async (value: unknown) =>
      (await done({ sql: "SELECT id FROM documents WHERE ? MEMBER OF(doc)", params: [value] })).rows.length;
    for (const value of [{ b: 1 }, "x", 7, true]) expect(await found(json(value))).toBe(1);
    for (const value of [{ b: 2 }, "7", 8, false, []]) expect(await found(json(value))).toBe(0);
  });

  test("what says no type, or another one, is as before", async () => {
    const sql = "UPDATE documents SET doc = JSON_ARRAY(?, ?, ?, ?, ?)";
    await done({ sql, params: ["{}", { type: "string", value: "{}" }, 1, 1.5, null] });
    expect(await stored()).toEqual(["{}", "{}", 1, 1.5, null]);
    // For each server a bound boolean is a number. Written into the text it is a boolean.
    await done({ sql: "UPDATE documents SET doc = JSON_SET('{}', '$.a', ?)", params: [true] });
    expect(await stored()).toEqual({ a: way === "pool" ? 1 : true });
  });

  test("integers keep their digits, which no double has", async () => {
    const body =
      '{"sql":"SELECT CAST(JSON_SET(\'{}\', \'$.a\', ?) AS CHAR) AS doc","params":[{"type":"JSON","value":12345678901234567890}]}';
    const headers = {
      authorization: `Bearer ${await started.gateway.token({ role: "writer" })}`,
      "content-type": "application/json",
    };
    const answer = await started.gateway.fetch("/v1/sql", { method: "POST", headers, body });
    expect(await answer.json()).toMatchObject({ rows: [{ doc: '{"a": 12345678901234567890}' }] });
  });

  test.runIf(way === "pool")("in batches and transactions, by name and by position", async () => {
    await done(
      {
        statements: [
          {
            sql: "UPDATE documents SET doc = JSON_SET(doc, '$.a', :v, '$.b', :v)",
            params: { v: json({ x: 1 }) },
          },
          { sql: "SELECT id FROM documents" },
          {
            sql: "UPDATE documents SET doc = JSON_SET(doc, '$.c', ?, '$.d', ?, '$.e', ?)",
            params: [json([true]), { $ref: "1.rows.0.id" }, "text"],
          },
        ],
      },
      "/v1/batch",
    );
    expect(await stored()).toEqual({ a: { x: 1 }, b: { x: 1 }, c: [true], d: 1, e: "text", list: [] });
    const begun = await ask({}, "/v1/transactions");
    const path = `/v1/transactions/${begun.body.id}`;
    await done({ sql: "UPDATE documents SET doc = JSON_ARRAY(?)", params: [json({ y: 2 })] }, `${path}/sql`);
    await done({}, `${path}/commit`);
    expect(await stored()).toEqual([{ y: 2 }]);
  });

  test.runIf(way === "pool")("deeper than the server reads is refused, and nothing is stored", async () => {
    const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
    const before = await stored();
    const answer = await ask({
      sql: "UPDATE documents SET doc = JSON_SET(doc, '$.a', ?)",
      params: [json(deep(150))],
    });
    expect(answer).toMatchObject({ status: 400, body: { errno: engine === "mariadb" ? 4040 : 3157 } });
    expect(await stored()).toEqual(before);
  });
});
