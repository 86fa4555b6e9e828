import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../servers/connection.ts";
import type { Gateway } from "./harness.ts";
import { databaseServer, engine, startGateway } from "./harness.ts";
import type { ThroughHyperdrive } from "./through-hyperdrive.ts";
import { startThroughHyperdrive } from "./through-hyperdrive.ts";

/** Columns of every type with values, as SQL; each is answered through the pool and through Hyperdrive. */
const columns: [type: string, ...values: string[]][] = [
  ["TINYINT", "-128", "127", "0"],
  ["TINYINT(1)", "TRUE", "FALSE"],
  ["TINYINT UNSIGNED", "255"],
  ["SMALLINT", "-32768", "32767"],
  ["SMALLINT UNSIGNED", "65535"],
  ["MEDIUMINT", "-8388608", "8388607"],
  ["MEDIUMINT UNSIGNED", "16777215"],
  ["INT", "-2147483648", "2147483647"],
  ["INT UNSIGNED", "4294967295"],
  ["INT(8) ZEROFILL", "42"],
  ["BIGINT", "-9223372036854775808", "9223372036854775807", "0"],
  ["BIGINT UNSIGNED", "18446744073709551615"],
  ["BIGINT(20) ZEROFILL", "42", "0"],
  ["DECIMAL(65,30)", "'-12345678901234567890123456789012345.123456789012345678901234567890'", "0"],
  ["DECIMAL(5,2) ZEROFILL", "1.5"],
  ["FLOAT", "1.1", "-0.00390625", "1e30", "123456", "1e-30", "0"],
  ["DOUBLE", "0.1", "1e300", "-1e-300", "1.7976931348623157e308", "123456789012345680000", "-0e0"],
  ["DOUBLE(10,3)", "1.5", "123.4567"],
  ["BIT(1)", "b'1'"],
  ["BIT(12)", "b'100000000001'"],
  ["BIT(64)", "b'1111111111111111111111111111111111111111111111111111111111111111'"],
  ["DATE", "'2026-02-28'", "'1000-01-01'", "'9999-12-31'"],
  ["TIME", "'10:00:00'", "'-838:59:59'", "'838:59:59'", "'00:00:00'"],
  ["TIME(3)", "'10:00:00.5'", "'-00:00:01.001'"],
  ["TIME(6)", "'100:00:00.000001'"],
  ["DATETIME", "'2026-02-28 23:59:59'", "'2026-02-28 00:00:00'"],
  ["DATETIME(1)", "'2026-02-28 23:59:59.9'", "'2026-02-28 23:59:59'"],
  ["DATETIME(6)", "'2026-02-28 23:59:59.000001'"],
  ["TIMESTAMP NULL", "'2026-02-28 10:00:00'"],
  ["TIMESTAMP(6) NULL", "'2026-02-28 10:00:00.1'"],
  ["YEAR", "2026", "1901", "0"],
  ["CHAR(5)", "'ä😀'", "''"],
  ["VARCHAR(50)", "'ä😀 \"quoted\" \\\\ \\n'", "'0'"],
  ["VARCHAR(50) CHARACTER SET latin1", "'äé'"],
  ["TINYTEXT", "'a'"],
  ["TEXT", "REPEAT('ä', 1000)"],
  ["LONGTEXT", "REPEAT('😀', 20000)"],
  ["BINARY(4)", "x'61'", "x'00ff00ff'"],
  ["VARBINARY(10)", "x'00ff'", "''"],
  ["BLOB", "x'0102ff'"],
  ["LONGBLOB", "REPEAT(x'ff', 70000)"],
  ["ENUM('a','ä','')", "'ä'", "''"],
  ["SET('a','ä','c')", "'a,ä'", "''"],
  ["ENUM('a','b') CHARACTER SET binary", "'b'"],
  ["JSON", '\'{"n": 12345678901234567890, "t": "ä"}\'', "'null'", "'[]'"],
  ["GEOMETRY", "ST_GeomFromText('POINT(1 2)')"],
  ["POINT", "ST_GeomFromText('POINT(1 2)')"],
];
const ofEngine: Record<string, typeof columns> = {
  mysql: [["VECTOR(3)", "STRING_TO_VECTOR('[1,2.5,-3]')"]],
  mariadb: [
    ["UUID", "'123e4567-e89b-12d3-a456-426614174000'"],
    ["INET4", "'192.0.2.1'"],
    ["INET6", "'2001:db8::1'"],
  ],
};
const table = [...columns, ...(ofEngine[engine] ?? [])];

let pool: Gateway;
let world: ThroughHyperdrive;
beforeAll(async () => {
  const administrator = await connectAdministrator(databaseServer());
  await administrator.query("SET SESSION time_zone = '+00:00', sql_mode = ''");
  await administrator.query("DROP TABLE IF EXISTS world.every_type");
  const list = table.map(([type], i) => `c${i} ${type}`).join(", ");
  await administrator.query(`CREATE TABLE world.every_type (id INT PRIMARY KEY, ${list}) CHARSET utf8mb4`);
  const rows = Math.max(...table.map((values) => values.length));
  for (let row = 0; row < rows; row++) {
    const values = table.map(([, ...values]) => values[row] ?? "NULL");
    await administrator.query(`INSERT INTO world.every_type VALUES (${[row, ...values].join(", ")})`);
  }
  await administrator.end();
  pool = await startGateway();
  world = await startThroughHyperdrive();
});
afterAll(async () => {
  const administrator = await connectAdministrator(databaseServer());
  await administrator.query("DROP TABLE IF EXISTS world.every_type");
  await administrator.end();
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

/** @returns the answer, the same through both */
async function both(sql: string, params?: unknown): Promise<string> {
  const [pooled, here] = [await text(pool, sql, params), await text(world.gateway, sql, params)];
  expect(here).toBe(pooled);
  return pooled;
}

describe("a column is answered through Hyperdrive byte for byte as through the pool", () => {
  test.each(table.map(([type, ...values], i) => ({ type, i, values })))("$type", async ({ i, values }) => {
    const answer = JSON.parse(await both(`SELECT c${i} AS v FROM every_type ORDER BY id`));
    const found = answer.rows.filter(({ v }: { v: unknown }) => v !== null);
    // JSON null and SQL NULL look alike.
    expect(found.length).toBe(values.filter((value) => value !== "'null'").length);
  });
});

describe("so is what the server computes", () => {
  test.each([
    "SELECT 1 AS a, 1.5 AS b, 1.5e0 AS c, 'x' AS d, x'ff' AS e, NULL AS f, TRUE AS g, DATE '2026-01-01' AS h",
    "SELECT COUNT(*) AS n, SUM(c7) AS s, AVG(c20) AS a, MAX(c30) AS m, GROUP_CONCAT(c32) AS g FROM every_type",
    "SELECT 1e0 / 3 AS a, SQRT(2) AS b, -0e0 AS c, POW(10, 300) AS d, RAND(1) AS e",
    "SELECT NOW() > '2026-01-01' AS a, UTC_TIMESTAMP() - INTERVAL 1 DAY < NOW() AS b, TIMEDIFF('10:00:00', '09:00:00.5') AS c",
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
});

describe("a parameter has the type that the pool binds it with", () => {
  test.each([
    ["an integer", 5],
    ["a negative integer", -5],
    ["zero", 0],
    ["the largest safe integer", Number.MAX_SAFE_INTEGER],
    ["a large integer", { type: "integer", value: "9223372036854775807" }],
    ["the smallest integer", { type: "integer", value: "-9223372036854775808" }],
    ["an unsigned integer", { type: "integer", value: "18446744073709551615" }],
    ["a fraction", 1.5],
    ["a negative fraction", -1.5],
    ["a whole number", { type: "number", value: 5 }],
    ["a large number", { type: "number", value: 1e300 }],
    ["a small number", 1e-7],
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
        JSON.parse(await text(gateway, "SELECT ? AS v, ? IN (?, 'x') AS i", [value, value, value])),
      ),
    );
    expect(here.rows).toEqual(pooled.rows);
    // That a literal is never NULL the server knows; of a parameter it does not.
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

test("a FLOAT of more than six digits is answered with six: the text protocol has no more", async () => {
  const sql = "SELECT CAST(16777216 AS FLOAT) AS f, CAST(CAST(16777216 AS FLOAT) AS DOUBLE) AS d";
  expect(JSON.parse(await text(pool, sql)).rows).toEqual([{ f: 16777216, d: 16777216 }]);
  expect(JSON.parse(await text(world.gateway, sql)).rows).toEqual([{ f: 16777200, d: 16777216 }]);
});
