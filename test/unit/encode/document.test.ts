import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Column } from "../../../src/db/encode/columns.ts";
import { describeColumn } from "../../../src/db/encode/columns.ts";
import { restingState } from "../../../src/db/mysql/dialect.ts";
import { valueTypes } from "../../../src/sql/value-types.ts";
import { binary, column, encodeValue, flags } from "./wire.ts";

/** docs/values.md says what src does. */
const document = readFileSync(join(import.meta.dirname, "..", "..", "..", "docs", "values.md"), "utf8");

function section(title: string): string {
  return document.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
}

/** @returns the rows of a section's tables, without headings. */
function rows(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.includes("---"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** What is on the wire for a row of the table, and the value that the driver makes of it. */
const bytes = (...values: number[]) => Buffer.of(...values);
const wire: Record<string, [Column, unknown]> = {
  "TINYINT, BOOLEAN": [column(0x01), 1],
  SMALLINT: [column(0x02), -32768],
  MEDIUMINT: [column(0x09), 8388607],
  INT: [column(0x03), -2147483648],
  BIGINT: [column(0x08), "9223372036854775807"],
  "DECIMAL, NUMERIC": [column(0xf6), "1.10"],
  FLOAT: [column(0x04), Math.fround(1.1)],
  "DOUBLE, REAL": [column(0x05), 1e300],
  BIT: [column(0x10), bytes(2, 1)],
  DATE: [column(0x0a), "2026-02-28"],
  TIME: [column(0x0b, { decimals: 0 }), "-838:59:59"],
  "TIME(3)": [column(0x0b, { decimals: 3 }), "10:00:00.5"],
  DATETIME: [column(0x0c, { decimals: 0 }), "2026-02-28 10:00:00"],
  "DATETIME(6)": [column(0x0c, { decimals: 6 }), "2026-02-28 10:00:00.000001"],
  TIMESTAMP: [column(0x07, { decimals: 0 }), "2026-02-28 10:00:00"],
  YEAR: [column(0x0d), 2026],
  CHAR: [column(0xfe), "a"],
  VARCHAR: [column(0xfd), "ä😀"],
  "TINYTEXT, TEXT, MEDIUMTEXT, LONGTEXT": [column(0xfc), "a"],
  BINARY: [column(0xfe, { characterSet: binary }), bytes(0x61, 0, 0)],
  VARBINARY: [column(0xfd, { characterSet: binary }), bytes(0, 0xff)],
  "TINYBLOB, BLOB, MEDIUMBLOB, LONGBLOB": [column(0xfc, { characterSet: binary }), bytes(1)],
  ENUM: [column(0xfe, { flags: flags.enum }), "b"],
  SET: [column(0xfe, { flags: flags.set }), "a,b"],
  JSON: [column(0xf5, { characterSet: binary }), '{"a": [1, 2]}'],
  "GEOMETRY, POINT, ..": [column(0xff), bytes(0, 1)],
  VECTOR: [column(0xf2), bytes(0, 0, 0x80, 0x3f)],
};

describe("the table of answers", () => {
  const table = rows(section("Answers")).slice(1);

  test("has every wire type", () => {
    expect(table.map(([type]) => type)).toEqual([...Object.keys(wire), "NULL"]);
  });

  test.each(table.slice(0, -1))("%s is %s, a %s: %s", (type = "", name = "", json = "", example = "") => {
    const [of, value] = wire[type] ?? [];
    if (!of) throw new Error(`${type} is not on the wire`);
    const text = encodeValue(of, value);
    expect(`\`${describeColumn(of).type}\``).toBe(name);
    expect(`\`${text}\``).toBe(example);
    if (!json.startsWith("the")) expect(typeof JSON.parse(text)).toBe(json.split(",")[0]);
  });
});

describe("the table of parameters", () => {
  test("has every type that a value can say", () => {
    const named = rows(section("Parameters")).map(([cell = ""]) => /^`(\w+)`$/.exec(cell)?.[1]);
    const types = named.filter((word) => word !== undefined && word !== "type" && word !== "null");
    expect(types.toSorted()).toEqual([...valueTypes].toSorted());
  });
});

test("the session's modes are those that are set", () => {
  for (const engine of ["mysql", "mariadb", "tidb"] as const) {
    const state = restingState(engine);
    const modes = /sql_mode = '([^']*)'/.exec(state)?.[1];
    expect(document).toContain(`\`${modes}\``);
    expect(state).toContain("utf8mb4_unicode_ci");
    expect(state).toContain("time_zone = '+00:00'");
  }
});
