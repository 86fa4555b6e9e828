import { expect, test } from "vitest";
import { resultMistakes } from "../../../../cli/check/result.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";
import type { ResultColumn, SavedQuery } from "../../../../src/catalog/saved-query.ts";

const column = (name: string, type: string, nullable = false): ResultColumn => ({ name, type, nullable });

function mistakes(columns: ResultColumn[], change: Partial<SavedQuery>): string[] {
  const query = parseQuery("q.sql", "SELECT a FROM t");
  return resultMistakes({ ...query, ...change }, columns).map(({ tag, message }) => `${tag}: ${message}`);
}

const pageBy = (name: string): Partial<SavedQuery> => ({
  page: { kind: "keyset", keys: [{ column: name, descending: false }], size: 5, sizeCeiling: 10 },
});

test.each<[string, ResultColumn[], Partial<SavedQuery>, string[]]>([
  ["counts", [], { result: "exec" }, []],
  ["rows", [column("a", "INT")], { result: "one" }, []],
  [
    "no rows for many",
    [],
    { result: "many" },
    ["@result: @result many needs rows, and the statement has none: say @result exec"],
  ],
  [
    "no rows for one",
    [],
    { result: "one" },
    ["@result: @result one needs rows, and the statement has none: say @result exec"],
  ],
  ["a key", [column("a", "BIGINT UNSIGNED")], pageBy("a"), []],
  [
    "a key that is missing",
    [column("c", "INT"), column("b", "INT")],
    pageBy("a"),
    ["@page: @page: the result has no column a; it has c, b"],
  ],
  ["a key in other letters", [column("A", "INT")], pageBy("a"), []],
  [
    "a column twice, in pages by offset",
    [column("id", "INT"), column("ID", "INT")],
    { page: { kind: "offset", keys: [], size: 5, sizeCeiling: 10 } },
    ["@page: @page: the result has several columns ID: give each a name of its own"],
  ],
  ["a column twice, without pages", [column("id", "INT"), column("id", "INT")], {}, []],
  [
    "a key twice",
    [column("a", "INT"), column("a", "INT")],
    pageBy("a"),
    ["@page: @page: the result has several columns a: give each a name of its own"],
  ],
  [
    "a key with NULL",
    [column("a", "INT", true)],
    pageBy("a"),
    ["@page: @page: a may be NULL, and no page begins behind NULL: use a column that is NOT NULL"],
  ],
  ...["DOUBLE", "FLOAT", "JSON", "ENUM", "SET", "BLOB", "TIME", "YEAR", "BIT"].map(
    (type): [string, ResultColumn[], Partial<SavedQuery>, string[]] => [
      `a key of ${type}`,
      [column("a", type)],
      pageBy("a"),
      [
        `@page: @page: a is ${type}, whose values have no exact order: use integers, DECIMAL, dates, date-times or texts`,
      ],
    ],
  ),
])("%s", (_, columns, change, expected) => {
  expect(mistakes(columns, change)).toEqual(expected);
});
