import { describe, expect, test } from "vitest";
import {
  complaintOnKey,
  isPageKeyType,
  pageKeyValue,
  pageStatement,
  totalStatement,
} from "../../../src/catalog/page-statements.ts";
import type { Page } from "../../../src/catalog/saved-query.ts";
import { limits } from "../../../src/limits.ts";
import type { BoundValue } from "../../../src/sql/bound-value.ts";

const text = (value: string): BoundValue => ({ type: "string", value });
const integer = (value: number): BoundValue => ({ type: "integer", value });

/** @param keys as in a head: `a, b desc` */
function keyset(keys: string): Page {
  const read = keys.split(", ").map((key) => key.split(" ") as [string, string?]);
  return {
    kind: "keyset",
    keys: read.map(([column, way]) => ({ column, descending: way === "desc" })),
    ...{ size: 10, sizeCeiling: 100 },
  };
}

const bound = { sql: "SELECT a, b, c FROM t WHERE x IN (?, ?)", values: [text("p"), text("q")] };
const after = [text("A"), text("B"), text("C")];

describe("a page behind a row", () => {
  test.each([
    ["a", "`a` > ?", "`a`", "A"],
    ["a desc", "(`a` < ? OR `a` IS NULL)", "`a` DESC", "A"],
    ["a, b", "`a` >= ? AND (`a` > ? OR (`a` = ? AND `b` > ?))", "`a`, `b`", "AAAB"],
    [
      "a desc, b",
      "(`a` <= ? OR `a` IS NULL) AND ((`a` < ? OR `a` IS NULL) OR (`a` = ? AND `b` > ?))",
      "`a` DESC, `b`",
      "AAAB",
    ],
    [
      "a, b desc, c",
      "`a` >= ? AND (`a` > ? OR (`a` = ? AND (`b` <= ? OR `b` IS NULL) AND ((`b` < ? OR `b` IS NULL) OR (`b` = ? AND `c` > ?))))",
      "`a`, `b` DESC, `c`",
      "AAABBBC",
    ],
  ])("by %s", (keys, comparison, order, compared) => {
    const page = keyset(keys);
    const start = { after: after.slice(0, page.keys.length) };
    expect(pageStatement(page, bound, start, 10)).toEqual({
      sql: `SELECT * FROM (${bound.sql}) AS \`page\` WHERE ${comparison} ORDER BY ${order} LIMIT ?`,
      values: [...bound.values, ...[...compared].map(text), integer(11)],
    });
  });

  test("has as many values as placeholders, whatever the number of keys", () => {
    for (const keys of ["a", "a, b", "a, b, c"]) {
      const page = keyset(keys);
      const made = pageStatement(page, bound, { after: after.slice(0, page.keys.length) }, 5);
      expect(made.sql.split("?").length - 1).toBe(made.values.length);
    }
  });
});

test("the first page compares nothing", () => {
  expect(pageStatement(keyset("a, b desc"), bound, undefined, 1)).toEqual({
    sql: `SELECT * FROM (${bound.sql}) AS \`page\` ORDER BY \`a\`, \`b\` DESC LIMIT ?`,
    values: [...bound.values, integer(2)],
  });
});

test("a name is quoted, whatever is in it", () => {
  const { sql } = pageStatement(keyset("a`b"), { sql: "SELECT 1", values: [] }, { after: [text("A")] }, 1);
  expect(sql).toBe("SELECT * FROM (SELECT 1) AS `page` WHERE `a``b` > ? ORDER BY `a``b` LIMIT ?");
});

test("a page by offset counts the rows before it", () => {
  const page: Page = { kind: "offset", keys: [], size: 10, sizeCeiling: 100 };
  const sql = `${bound.sql} LIMIT ? OFFSET ?`;
  expect(pageStatement(page, bound, undefined, 10)).toEqual({
    ...{ sql, values: [...bound.values, integer(11), integer(0)] },
  });
  expect(pageStatement(page, bound, { offset: 30 }, 10)).toEqual({
    ...{ sql, values: [...bound.values, integer(11), integer(30)] },
  });
});

test("the total counts the rows of the whole statement", () => {
  expect(totalStatement(bound)).toEqual({
    sql: `SELECT COUNT(*) FROM (${bound.sql}) AS \`counted\``,
    values: bound.values,
  });
});

describe("a key", () => {
  test.each<[string, string, BoundValue]>([
    ["INT", "-5", integer(-5)],
    ["BIGINT UNSIGNED", "18446744073709551615", { type: "integer", value: 18446744073709551615n }],
    ["DECIMAL", "-0.50", { type: "decimal", value: "-0.50" }],
    ["DATE", "2026-02-28", { type: "date", value: "2026-02-28" }],
    ["DATETIME", "2026-02-28 10:00:00.000001", { type: "datetime", value: "2026-02-28 10:00:00.000001" }],
    ["TIMESTAMP", "2026-02-28 10:00:00", { type: "datetime", value: "2026-02-28 10:00:00" }],
    ["VARCHAR", "5", text("5")],
    ["TEXT", "", text("")],
    ["BINARY", "AP8=", { type: "binary", value: "AP8=" }],
  ])("of type %s is compared as that type", (type, value, expected) => {
    expect(isPageKeyType(type)).toBe(true);
    expect(pageKeyValue(type, value)).toEqual(expected);
    expect(complaintOnKey({ type, text: value, zone: "+00:00" })).toBeUndefined();
  });

  test.each([
    "FLOAT",
    "DOUBLE",
    "ENUM",
    "SET",
    "JSON",
    "TIME",
    "YEAR",
    "BIT",
    "BLOB",
    "GEOMETRY",
    "VECTOR",
    "NULL",
  ])("of type %s orders no pages", (type) => {
    expect(isPageKeyType(type)).toBe(false);
    expect(pageKeyValue(type, "1")).toBeUndefined();
    expect(complaintOnKey({ type, zone: "+00:00" })).toContain(type);
  });

  test("is NULL in no row, and no longer than a server compares", () => {
    const zone = "+00:00";
    expect(complaintOnKey({ type: "INT", text: null, zone })).toContain("NULL");
    const most = "x".repeat(limits.pageKeyCharacters);
    expect(complaintOnKey({ type: "VARCHAR", text: most, zone })).toBeUndefined();
    expect(complaintOnKey({ type: "VARCHAR", text: `${most}x`, zone })).toContain("too long");
    expect(pageKeyValue("VARCHAR", `${most}x`)).toBeUndefined();
  });

  test.each([
    ["+02:00", true],
    ["-03:30", true],
    ["Europe/Berlin", false],
    ["SYSTEM", false],
  ])("that is a TIMESTAMP, in the zone %s", (zone, isGood) => {
    expect(complaintOnKey({ type: "TIMESTAMP", zone }) === undefined).toBe(isGood);
    expect(complaintOnKey({ type: "DATETIME", zone })).toBeUndefined();
  });
});
