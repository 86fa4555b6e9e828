import { describe, expect, test } from "vitest";
import { isUsed, mayRun } from "../../../../cli/check/database.ts";
import { merged, placeOfDeclaration, placeOfName, placeOfTag } from "../../../../cli/check/finding.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";
import type { Policy } from "../../../../src/config/schema.ts";

describe("the accounts that run a query", () => {
  const query = parseQuery("a.sql", "SELECT 1 FROM t");
  const grant = (account: string, ...allow: string[]) => ({ account, allow }) as Policy["grants"][number];
  const grants = [
    grant("one", "query:a", "sql:read"),
    grant("all", "query:*"),
    grant("other", "query:ab"),
    grant("texts", "sql:write"),
    grant("none", "operate", "metrics", "transaction"),
  ];

  test.each([
    ["one", true, true],
    ["all", true, true],
    ["other", false, true],
    ["texts", false, true],
    ["none", false, false],
    ["unknown", false, false],
  ])("%s: this one %s, anything %s", (account, own, any) => {
    expect(mayRun(grants, account, query)).toBe(own);
    expect(isUsed(grants, account)).toBe(any);
  });
});

test("places: of a parameter, of a claim of the same kind of name, of a line, and of the statement for others", () => {
  const text =
    "\ufeff-- @param a integer\n--  @claim b string\n-- @result one\n\nSELECT :a, :jwt.b, :jwt.c FROM t";
  const file = { name: "q.sql", text };
  const places = ["a", "jwt.b", "jwt.c"].map((name) => placeOfDeclaration(file, name));
  expect([...places, placeOfTag(file, "@result"), placeOfTag(file, "@page")]).toEqual([
    { line: 1, column: 11 },
    { line: 2, column: 12 },
    { line: 5, column: 1 },
    { line: 3, column: 4 },
    { line: 5, column: 1 },
  ]);
});

test.each([
  ["Unknown column 'nam' in 'field list'", { line: 2, column: 16 }],
  ["Unknown column 'C.Nam' in 'field list'", { line: 2, column: 16 }],
  ["Table 'world.citys' doesn't exist", { line: 3, column: 8 }],
  ["SELECT command denied to user 'a'@'b' for table 'citys'", { line: 3, column: 8 }],
  ["SELECT command denied to user 'a'@'b' for table `world`.`citys`", { line: 3, column: 8 }],
  ["the name stands in a comment: 'head'", undefined],
  ["no name", undefined],
])("the place of a name: %s", (words, place) => {
  const text = "-- The head, nam.\nSELECT 'é😀', c.nam\n  FROM `citys` AS c";
  expect(placeOfName({ name: "q.sql", text }, words)).toEqual(place);
});

test("a message for several accounts is printed once", () => {
  const finding = { file: "a.sql", line: 2, column: 1, message: "1146: no table" };
  expect(
    merged([
      { finding, account: "one" },
      { finding: { ...finding, line: 3 } },
      { finding: { ...finding }, account: "two" },
      { finding: { ...finding, line: 3 } },
    ]),
  ).toEqual(["queries/a.sql:2:1: as one, two: 1146: no table", "queries/a.sql:3:1: 1146: no table"]);
});
