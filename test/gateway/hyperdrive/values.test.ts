import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { sectionsOf } from "../../golden/cases.ts";
import type { GoldenColumn } from "../../golden/tables.ts";
import { dropTables, makeTables } from "../../golden/tables.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, engine, startGateway } from "../support/harness.ts";
import type { ThroughHyperdrive } from "../support/through-hyperdrive.ts";
import { startThroughHyperdrive } from "../support/through-hyperdrive.ts";

const sections = sectionsOf(engine);
let columns: GoldenColumn[];
let administrator: Connection;
let pool: Gateway;
let world: ThroughHyperdrive;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  columns = await makeTables(administrator, sections);
  pool = await startGateway();
  world = await startThroughHyperdrive();
});
afterAll(async () => {
  if (administrator) await dropTables(administrator, sections);
  await administrator?.end();
  await pool?.close();
  await world?.close();
});

async function text(gateway: Gateway, sql: string, params?: unknown): Promise<string> {
  const headers = { authorization: `Bearer ${await gateway.token()}`, "content-type": "application/json" };
  const response = await gateway.fetch("/v1/sql", {
    ...{ method: "POST", headers },
    body: JSON.stringify({ sql, ...(params === undefined ? {} : { params }) }),
  });
  const body = await response.text();
  expect(response.status, body).toBe(200);
  return body;
}

/** @returns the answer, which is the same through both */
async function both(sql: string, params?: unknown): Promise<string> {
  const [pooled, here] = [await text(pool, sql, params), await text(world.gateway, sql, params)];
  expect(here).toBe(pooled);
  return pooled;
}

/** The text protocol has six digits of a FLOAT; a DOUBLE with a fixed scale has that scale. */
const isShortened = ({ type }: GoldenColumn) => /^(FLOAT|DOUBLE\()/.test(type);

describe("columns are answered through Hyperdrive byte for byte as through the pool", () => {
  test.each(sections.map(({ name }) => name))("%s", async (name) => {
    const own = columns.filter(({ table }) => table === `world.golden_${name}`);
    const whole = own.filter((column) => !isShortened(column));
    const answer = JSON.parse(
      await both(`SELECT ${whole.map((column) => column.name).join(", ")} FROM golden_${name} ORDER BY id`),
    );
    expect(answer.columns).toHaveLength(whole.length);
    expect(answer.rows.length).toBeGreaterThan(1);
  });

  test("but for numbers that the server itself shortens in text: they are what it writes", async () => {
    const shortened = columns.filter(isShortened);
    const list = `SELECT ${shortened.map(({ name }) => name).join(", ")} FROM world.golden_floats ORDER BY id`;
    const [written] = await administrator.query<RowDataPacket[]>({
      sql: list,
      typeCast: (field) => field.string(),
    });
    const answered = JSON.parse(await text(world.gateway, list)).rows as Record<string, number | null>[];
    expect(answered).toHaveLength(written.length);
    for (const { type, name } of shortened) {
      const single = (value: unknown) => (value === null ? null : Math.fround(Number(value)));
      const read = type.startsWith("FLOAT")
        ? single
        : (value: unknown) => (value === null ? null : Number(value));
      expect(
        answered.map((row) => read(row[name])),
        type,
      ).toEqual(written.map((row) => read(row[name])));
    }
  });
});

describe("so is what the server computes", () => {
  test.each([
    "SELECT 1 AS a, 1.5 AS b, 1.5e0 AS c, 'x' AS d, x'ff' AS e, NULL AS f, TRUE AS g, DATE '2026-01-01' AS h",
    "SELECT COUNT(*) AS n, SUM(c9) AS s, AVG(c7) AS a, MAX(c2) AS m, GROUP_CONCAT(c12) AS g FROM golden_integers",
    "SELECT MIN(c0) AS least, MAX(c1) AS most, SUM(c3) AS s, AVG(c4) AS a FROM golden_decimals",
    "SELECT 1e0 / 3 AS a, SQRT(2) AS b, -0e0 AS c, POW(10, 300) AS d, RAND(1) AS e",
    "SELECT JSON_OBJECT('a', 1, 'b', JSON_ARRAY(1, 2)) AS j, JSON_EXTRACT('{\"a\": [1]}', '$.a') AS e",
    "SELECT INET6_ATON('::1') AS a, HEX('ä') AS b, CONVERT('ä' USING latin1) AS c, UNHEX('00ff') AS d",
    "SELECT 'a' = 'A' AS folded, 'ß' = 'ss' AS sharp, \"double\" AS quoted, 'it''s \\'' AS backslash",
    "SELECT @@session.time_zone AS zone, @@session.sql_mode AS mode, @@collation_connection AS c",
    "SELECT * FROM countries ORDER BY code",
    "SHOW COLUMNS FROM cities",
    "EXPLAIN SELECT * FROM countries WHERE code = 'JP'",
  ])("%s", async (sql) => {
    await both(sql);
  });

  test("and what it computes of the time, but for TiDB's word whether that may be NULL", async () => {
    const sql =
      "SELECT NOW() > '2026-01-01' AS a, UTC_TIMESTAMP() - INTERVAL 1 DAY < NOW() AS b, TIMEDIFF('10:00:00', '09:00:00.5') AS c";
    const comparable = (answer: string) =>
      engine === "tidb" ? answer.replaceAll(/"nullable":\w+/g, '"nullable":"?"') : answer;
    const [pooled, here] = [await text(pool, sql), await text(world.gateway, sql)];
    expect(comparable(here)).toBe(comparable(pooled));
  });
});

describe("a parameter has the type that the pool binds it with", () => {
  /**
   * TiDB evaluates the list behind the matching value too, and compares a number with the text, which is
   * refused.
   */
  const list = engine === "tidb" ? "?, NULL" : "?, 'x'";
  test.each([
    ["an integer", 5],
    ["a negative integer", -5],
    ["zero", 0],
    ["the largest safe integer", Number.MAX_SAFE_INTEGER],
    ["a large integer", { type: "integer", value: "9223372036854775807" }],
    ["the smallest integer", { type: "integer", value: "-9223372036854775808" }],
    ["an unsigned integer", { type: "integer", value: "18446744073709551615" }],
    ["a fraction", { type: "number", value: 1.5 }],
    ["a negative fraction", { type: "number", value: -1.5 }],
    ["a whole number", { type: "number", value: 5 }],
    ["a large number", { type: "number", value: 1e300 }],
    ["a small number", { type: "number", value: 1e-7 }],
    ["a decimal", { type: "decimal", value: "1.10" }],
    ["a whole decimal", { type: "decimal", value: "5" }],
    ["a negative decimal", { type: "decimal", value: "-0.5" }],
    ["a string", "ä😀"],
    ["an empty string", ""],
    ["true", true],
    ["false", false],
    ["a date", { type: "date", value: "2026-02-28" }],
  ])("%s", async (_, value) => {
    const [pooled, here] = await Promise.all(
      [pool, world.gateway].map(async (gateway) =>
        JSON.parse(await text(gateway, `SELECT ? AS v, ? IN (${list}) AS i`, [value, value, value])),
      ),
    );
    expect(here.rows).toEqual(pooled.rows);
    // The server knows that a literal is never NULL; it does not know that of a parameter.
    const isBoolean = typeof value === "boolean" && engine === "mariadb";
    expect(here.columns[0].type).toBe(isBoolean ? "INT" : pooled.columns[0].type);
  });

  test("a boolean and null compare as in the pool, in LIMIT too", async () => {
    await both("SELECT name FROM countries WHERE un_member = ? ORDER BY code LIMIT ?, ?", [false, 1, 2]);
    await both("SELECT code FROM countries WHERE capital <=> ? ORDER BY code", [null]);
    await both("SELECT code FROM countries WHERE area_km2 > ? AND latitude<? AND name<>? ORDER BY code", [
      { type: "decimal", value: "1000000.5" },
      -10.5,
      "it's",
    ]);
  });
});

test("a FLOAT of more than six digits is answered with six: the text protocol has no more, but on TiDB", async () => {
  const sql = "SELECT CAST(16777216 AS FLOAT) AS f, CAST(CAST(16777216 AS FLOAT) AS DOUBLE) AS d";
  expect(JSON.parse(await text(pool, sql)).rows).toEqual([{ f: 16777216, d: 16777216 }]);
  const f = engine === "tidb" ? 16777216 : 16777200;
  expect(JSON.parse(await text(world.gateway, sql)).rows).toEqual([{ f, d: 16777216 }]);
});
