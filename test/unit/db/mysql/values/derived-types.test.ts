import { describe, expect, test } from "vitest";
import { DerivedTypes } from "../../../../../src/db/mysql/values/derived-types.ts";
import { TidegateError } from "../../../../../src/errors.ts";
import { bindJsonValue } from "../../../../../src/sql/bind-values.ts";

/** The enum_field_types that MySQL 9.7 derives. */
const types = { integer: 8, decimal: 246, double: 5, bit: 16, year: 13, date: 10, datetime: 12, time: 11 };
const texts = { varchar: 253, char: 254, text: 251, blob: 252, enum: 247 };
const json = 245;

/** The bound form of a value, and whether the server's warnings still count; or the reason for a refusal. */
function bound(sql: string, type: number | number[], ...params: unknown[]) {
  const values = params.map((value) => bindJsonValue(value));
  try {
    return new DerivedTypes(sql, [type].flat()).apply(values).map((one) => {
      const shown = `${one.type} ${one.value}`;
      return one.undeclared ? `${shown} ?` : shown;
    });
  } catch (cause) {
    if (!(cause instanceof TidegateError)) throw cause;
    return `${cause.code} ${cause.details.reason}`;
  }
}

/** Like `bound`, for a number with these digits. */
function boundAsSent(sql: string, type: number, value: number, sent: string) {
  const values = [bindJsonValue(value, "1", sent)];
  return new DerivedTypes(sql, [type]).apply(values).map((one) => `${one.type} ${one.value}`);
}

const equal = "SELECT 1 FROM t WHERE c = ?";
const greater = "SELECT 1 FROM t WHERE c > ?";
const insert = "INSERT INTO t (c) VALUES (?)";

describe("a number or boolean without a declared type", () => {
  test.each(Object.entries(texts))("beside %s is bound as its text", (_, type) => {
    expect(bound(equal, type, 0)).toEqual(["string 0"]);
    expect(bound(equal, type, 2n ** 53n + 1n)).toEqual(["string 9007199254740993"]);
    expect(bound(equal, type, 1.5)).toEqual(["string 1.5"]);
    expect(bound(equal, type, true)).toEqual(["string 1"]);
    expect(bound(equal, type, false)).toEqual(["string 0"]);
    for (const [text, value] of [
      ["1.50", 1.5],
      ["1e3", 1000],
      ["-0", -0],
      ["1.0", 1],
    ] as const)
      expect(boundAsSent(equal, type, value, text), text).toEqual([`string ${text}`]);
    for (const sql of [
      "SELECT 1 FROM t WHERE c NOT IN (?)",
      "SELECT 1 FROM t WHERE c LIKE ?",
      "SELECT 1 FROM t WHERE COALESCE(c, '') <=> ?",
      insert,
      "UPDATE t SET c = ?",
      "SELECT 1 FROM t WHERE ? IN (c, 'x')",
      "SELECT CONCAT(c, ?) FROM t",
    ])
      expect(bound(sql, type, 7), sql).toEqual(["string 7"]);
  });

  test.each(Object.entries(texts))("beside %s is refused if the place is an order or unknown", (_, type) => {
    for (const sql of [greater, "SELECT 1 FROM t WHERE c BETWEEN ? AND 'x'", "SELECT GREATEST(c, ?) FROM t"])
      expect(bound(sql, type, 7), sql).toBe("parameter_invalid compared_with_text");
    for (const sql of [
      "SELECT 1 FROM t WHERE c = (SELECT ?)",
      "WITH a AS (SELECT ? AS b) SELECT 1 FROM t, a WHERE c = b",
      "SELECT c FROM t UNION SELECT ?",
      "SELECT 1 FROM t WHERE c = CASE WHEN 1 THEN ? END",
      "SELECT 1 FROM t WHERE c = IF(1, ?, NULL)",
      "UPDATE t SET c = COALESCE(?, c)",
    ])
      expect(bound(sql, type, 7), sql).toBe("parameter_invalid type_undeclared");
  });

  test("stays unchanged in an answer and in JSON", () => {
    for (const sql of ["SELECT ? AS n", "SELECT JSON_OBJECT('a', ?)", "SELECT JSON_ARRAYAGG(?) FROM t"])
      expect(bound(sql, texts.varchar, 7), sql).toEqual(["integer 7 ?"]);
    expect(bound(equal, json, 7)).toEqual(["integer 7"]);
  });

  test("beside a number is an exact number", () => {
    for (const type of [types.integer, types.bit, types.year, types.double, types.decimal]) {
      expect(bound(equal, type, 7)).toEqual(["integer 7"]);
      expect(bound(equal, type, true)).toEqual(["boolean true"]);
    }
    // As a DOUBLE it would also equal other decimals.
    expect(bound(equal, types.decimal, 0.1)).toEqual(["decimal 0.1"]);
    expect(bound(greater, types.integer, 1.5)).toEqual(["decimal 1.5"]);
    expect(boundAsSent(equal, types.decimal, 0.1, "0.10000000000000000001")).toEqual([
      "decimal 0.10000000000000000001",
    ]);
    expect(bound(equal, types.double, 0.1)).toEqual(["number 0.1"]);
    expect(bound(equal, types.decimal, 1e300)).toEqual(["number 1e+300"]);
    expect(bound("SELECT 1 FROM t WHERE ? IN (i, c)", types.integer, 7)).toEqual(["integer 7 ?"]);
    // In an expression, the type is not the column's type, so the warnings count.
    expect(bound("SELECT 1 FROM t WHERE c = ? + 0", types.integer, 7)).toEqual(["integer 7 ?"]);
  });

  test.each([types.date, types.datetime, types.time])(
    "is refused beside a date (%i), declared or not",
    (type) => {
      for (const sql of [equal, greater, insert, "SELECT DAYNAME(?)"]) {
        expect(bound(sql, type, 0)).toBe("parameter_invalid compared_with_date");
        expect(bound(sql, type, { type: "INTEGER", value: 0 })).toBe("parameter_invalid compared_with_date");
        expect(bound(sql, type, true)).toBe("parameter_invalid compared_with_date");
        expect(bound(sql, type, "2026-02-28")).toEqual(["string 2026-02-28 ?"]);
      }
    },
  );
});

describe("a text without a declared type", () => {
  test("beside an integer is bound as an integer if it is a whole numeral", () => {
    expect(bound(equal, types.integer, "6")).toEqual(["integer 6"]);
    expect(bound(equal, types.integer, "-9223372036854775808")).toEqual(["integer -9223372036854775808"]);
    expect(bound(equal, types.integer, "18446744073709551616")).toEqual(["decimal 18446744073709551616"]);
    expect(bound(equal, types.integer, "1.5")).toEqual(["decimal 1.5"]);
    expect(bound(equal, types.decimal, "1.10")).toEqual(["decimal 1.10"]);
    expect(bound(equal, types.double, "1e3")).toEqual(["number 1000"]);
  });

  test.each(["6-4f3a", "5x", "", " 6", "6 ", "+6", "0x6", "abc", "1,5", "1.", "--1", "1".repeat(70)])(
    "and is refused if it is not: %j",
    (text) => {
      for (const type of [types.integer, types.decimal, types.bit, types.year])
        expect(bound(equal, type, text)).toBe("parameter_invalid compared_with_number");
    },
  );

  test("beside text stays a text, without a further check", () => {
    expect(bound(equal, texts.varchar, "5x")).toEqual(["string 5x"]);
    expect(bound("SELECT 1 FROM t WHERE c = (SELECT ?)", texts.varchar, "5x")).toEqual(["string 5x ?"]);
    expect(bound(equal, json, "5x")).toEqual(["string 5x ?"]);
  });
});

test("a text with Z beside a date is refused: MySQL drops the Z", () => {
  for (const type of [types.date, types.datetime]) {
    for (const text of ["2026-02-28T10:00:00Z", "2026-02-28 10:00:00.5z", "2026-02-28Z"])
      expect(bound(equal, type, text)).toBe("parameter_invalid compared_with_date");
    for (const text of ["2026-02-28T10:00:00", "2026-02-28T10:00:00+01:00", "Z", "today"])
      expect(bound(equal, type, text)).toEqual([`string ${text} ?`]);
    expect(bound(equal, type, { type: "VARCHAR", value: "2026-02-28Z" })).toEqual(["string 2026-02-28Z"]);
  }
  expect(bound(equal, texts.varchar, "2026-02-28T10:00:00Z")).toEqual(["string 2026-02-28T10:00:00Z"]);
});

test("a declared value is bound unchanged", () => {
  expect(bound(equal, texts.varchar, { type: "INTEGER", value: 0 })).toEqual(["integer 0"]);
  expect(bound(equal, types.integer, { type: "VARCHAR", value: "5x" })).toEqual(["string 5x"]);
  expect(bound(equal, types.integer, null)).toEqual(["null null"]);
});

test("if fewer definitions arrive than placeholders, none is used", () => {
  const sql = "SELECT GROUP_CONCAT(c ORDER BY ?) FROM t WHERE c = ?";
  expect(bound(sql, [253], "a", 0)).toBe("parameter_invalid type_undeclared");
  expect(bound(sql, [8], "a", "5x")).toEqual(["string a ?", "string 5x ?"]);
  expect(bound(sql, [], { type: "INT", value: 1 }, { type: "INT", value: 0 })).toEqual([
    "integer 1",
    "integer 0",
  ]);
});
