import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../../src/config/policy.ts";
import { acceptedModes } from "../../../src/config/session-rules.ts";
import { dialectOf } from "../../../src/db/mysql/engines/dialect-of.ts";
import { change, good, mistakesOf } from "./example.ts";

const document = readFileSync(
  join(import.meta.dirname, "..", "..", "..", "docs", "reference", "configuration.md"),
  "utf8",
);

function mistakes(account: Record<string, unknown>, engine = "mysql"): readonly string[] {
  const parts = Object.entries(account).map(([key, value]) => [`accounts.reader.${key}`, value]);
  const policy = change(good(), { "cluster.engine": engine, ...Object.fromEntries(parts) });
  return mistakesOf(() => parsePolicy(policy, "production", []));
}

const engines = ["mysql", "mariadb", "tidb"] as const;

describe("an account's sql_mode", () => {
  test.each(engines)("of %s may have every accepted mode, and the defaults are accepted", (engine) => {
    expect(mistakes({ sql_mode: acceptedModes[engine] }, engine)).toEqual([]);
    expect(mistakes({ sql_mode: dialectOf({ engine }).defaultSqlMode.split(",") }, engine)).toEqual([]);
  });

  test.each([
    ...["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "PIPES_AS_CONCAT", "IGNORE_SPACE", "HIGH_NOT_PRECEDENCE"],
    ...["ANSI", "ORACLE", "MSSQL", "DB2", "MAXDB", "POSTGRESQL", "TRADITIONAL", "DEFAULT"],
    ...["", "strict_all_tables", "STRICT_ALL_TABLES,ANSI_QUOTES", "STRICT_ALL_TABLES'", " STRICT_ALL_TABLES"],
  ])("is refused with %j, on every engine", (mode) => {
    for (const engine of engines) {
      const [first, ...more] = mistakes({ sql_mode: ["STRICT_TRANS_TABLES", mode] }, engine);
      expect(first).toMatch(
        `accounts.reader.sql_mode: "${mode}" is not accepted; with ${engine} use STRICT_`,
      );
      expect(more).toEqual([]);
    }
  });

  test.each([
    ["mariadb", "TIME_TRUNCATE_FRACTIONAL"],
    ["tidb", "TIME_TRUNCATE_FRACTIONAL"],
    ["mysql", "TIME_ROUND_FRACTIONAL"],
    ["tidb", "TIME_ROUND_FRACTIONAL"],
  ])("of %s refuses another engine's %s", (engine, mode) => {
    expect(mistakes({ sql_mode: ["STRICT_ALL_TABLES", mode] }, engine)).toHaveLength(1);
  });

  test("must be strict", () => {
    const needs =
      "accounts.reader.sql_mode: needs STRICT_TRANS_TABLES or STRICT_ALL_TABLES: without them values are cut to fit";
    expect(mistakes({ sql_mode: [] })).toEqual([needs]);
    expect(mistakes({ sql_mode: ["NO_ZERO_DATE"] })).toEqual([needs]);
    expect(mistakes({ sql_mode: ["STRICT_ALL_TABLES"] })).toEqual([]);
  });

  test("must have each mode once", () => {
    expect(mistakes({ sql_mode: "STRICT_ALL_TABLES" })).toHaveLength(1);
    expect(mistakes({ sql_mode: ["STRICT_ALL_TABLES", 1] })).not.toEqual([]);
    expect(mistakes({ sql_mode: ["STRICT_ALL_TABLES", "STRICT_ALL_TABLES"] })).toEqual([
      "accounts.reader.sql_mode: a mode stands there twice",
    ]);
  });
});

describe("an account's time_zone", () => {
  test.each([
    ...["+00:00", "-12:59", "+13:00", "+05:45", "UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"],
    ...["Etc/GMT+5", "Etc/GMT-14", "GMT0", "America/Port-au-Prince"],
  ])("may be %s, on every engine", (time_zone) => {
    for (const engine of engines) expect(mistakes({ time_zone }, engine)).toEqual([]);
  });

  test.each([
    ["mysql", "-13:59", "+14:00", ["-14:00", "+14:01", "+99:00"]],
    ["mariadb", "-12:59", "+13:00", ["-13:00", "+13:01"]],
    ["tidb", "-12:59", "+14:00", ["-13:00", "+14:01"]],
  ] as [string, string, string, string[]][])("on %s is from %s to %s", (engine, lowest, highest, beyond) => {
    for (const time_zone of [lowest, highest]) expect(mistakes({ time_zone }, engine)).toEqual([]);
    for (const time_zone of beyond) {
      expect(mistakes({ time_zone }, engine)).toEqual([
        `accounts.reader.time_zone: must be from ${lowest} to ${highest} with ${engine}`,
      ]);
    }
  });

  test.each([
    ...[
      "",
      " ",
      "1:00",
      "+1:00",
      "+01:60",
      "+0100",
      "+01:00:00",
      "Europe/",
      "/Berlin",
      "Europe//Berlin",
      "Ber lin",
    ],
    ...["UTC'", "UTC', SESSION sql_mode = '", "UTC\\", "Zürich", "UTC\n", "a".repeat(65)],
  ])("is refused: %j", (time_zone) => {
    expect(mistakes({ time_zone })).toEqual([
      `accounts.reader.time_zone: must be an offset such as "+00:00" or a name such as "Europe/Berlin"`,
    ]);
  });

  test.each(["SYSTEM", "system"])("may not be the server's own: %s", (time_zone) => {
    expect(mistakes({ time_zone })).toEqual([
      "accounts.reader.time_zone: must be a zone itself; SYSTEM is the zone of the server",
    ]);
  });

  test("has one offset for UTC", () => {
    expect(mistakes({ time_zone: "-00:00" })).toEqual([`accounts.reader.time_zone: is written "+00:00"`]);
  });
});

test("docs/reference/configuration.md names every accepted mode, also each engine's own", () => {
  for (const mode of Object.values(acceptedModes).flat()) expect(document).toContain(`\`${mode}\``);
  for (const engine of engines) expect(document).toContain(`\`${dialectOf({ engine }).defaultSqlMode}\``);
});

describe("an account's collation", () => {
  test.each(["utf8mb4_general_ci", "utf8mb4_0900_ai_ci", "utf8mb4_bin", "utf8mb4_uca1400_ai_ci"])(
    "may be %s, on every engine",
    (collation) => {
      for (const engine of engines) expect(mistakes({ collation }, engine)).toEqual([]);
    },
  );

  test.each([
    ...["", "utf8mb4", "utf8mb4_", "latin1_swedish_ci", "utf8_general_ci", "binary", "general_ci"],
    ...[
      "UTF8MB4_BIN",
      "utf8mb4_bin ",
      "utf8mb4_bin'",
      "utf8mb4_bin;",
      "utf8mb4-bin",
      `utf8mb4_${"x".repeat(60)}`,
    ],
  ])("is refused with %j", (collation) => {
    const found = mistakes({ collation });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^accounts\.reader\.collation: /);
  });
});
