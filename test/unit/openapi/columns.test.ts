import { describe, expect, test } from "vitest";
import { engines } from "../../../servers/database/engines.ts";
import type { ResultColumn } from "../../../src/catalog/saved-query.ts";
import { rowSchema } from "../../../src/openapi/columns.ts";
import { makeDocument } from "../../../src/openapi/document.ts";
import type { GoldenAnswer } from "../../golden/files.ts";
import { readGolden } from "../../golden/files.ts";
import { savedQuery } from "./every-feature.ts";
import { pointerTo, schemaChecker } from "./support.ts";

const row = pointerTo("components", "schemas", "QRow");

/** @returns a function that says what is wrong with a row of these columns */
function rowChecker(columns: readonly ResultColumn[] | undefined) {
  const query = savedQuery({ name: "q", ...(columns && { columns }) });
  const check = schemaChecker(makeDocument({ queries: [query], issuers: [] }));
  return (value: unknown) => check(row, value);
}

describe.each(engines)("the schema of a column takes each value of %s", (engine) => {
  const answers = [...readGolden(engine).lines.values()].map((line) => JSON.parse(line) as GoldenAnswer);
  const columns = answers.flatMap(({ columns: [column] }, index) =>
    column
      ? [
          { ...column, name: `nullable${index}` },
          { ...column, name: `full${index}`, nullable: false },
        ]
      : [],
  );
  const check = schemaChecker(makeDocument({ queries: [savedQuery({ name: "q", columns })], issuers: [] }));

  test.each(answers.map((answer, index) => [answer.of, index, answer] as const))("%s", (_, index, answer) => {
    const { rows, columns: own } = answer;
    expect(rows.length).toBeGreaterThan(0);
    for (const [value] of rows)
      expect([value, check(`${row}/properties/nullable${index}`, value)]).toEqual([value, []]);
    const full = check(`${row}/properties/full${index}`, null);
    expect(full.length).toBe(own[0]?.type === "JSON" ? 0 : 1);
  });
});

test("a value of another type is no value of the column", () => {
  const wrong: [string, unknown][] = [
    ["BIGINT", 1],
    ["BIGINT UNSIGNED", "-1"],
    ["DECIMAL", 1.5],
    ["INT", "1"],
    ["INT", 1.5],
    ["INT UNSIGNED", -1],
    ["DOUBLE", "1"],
    ["DATETIME", "2026-02-28T10:00:00Z"],
    ["DATE", "2026-2-3"],
    ["TIME", "10:00"],
    ["VARCHAR", 1],
  ];
  for (const [type, value] of wrong) {
    expect([type, rowChecker([{ name: "v", type, nullable: true }])({ v: value })]).not.toEqual([type, []]);
  }
});

test("a row has each column, and no other one; of columns with one name it has the last one", () => {
  const columns = [
    { name: "id", type: "INT", nullable: false },
    { name: "id", type: "VARCHAR", nullable: false },
    { name: "", type: "INT", nullable: false },
  ];
  const check = rowChecker(columns);
  expect(check({ id: "a", "": 1 })).toEqual([]);
  expect(check({ id: "a", "": 1, more: 1 })).not.toEqual([]);
  expect(check({ id: 1, "": 1 })).not.toEqual([]);
  expect(check({ id: "a" })).not.toEqual([]);
});

test("a column may be called __proto__", () => {
  const { properties = {}, required } = rowSchema([{ name: "__proto__", type: "INT", nullable: false }]);
  expect(Object.entries(properties)).toEqual([["__proto__", { type: "integer", description: "INT" }]]);
  expect(required).toEqual(["__proto__"]);
});

test("without known columns a row is any object", () => {
  expect(rowChecker(undefined)({ a: 1, b: null })).toEqual([]);
  expect(rowChecker(undefined)([1])).not.toEqual([]);
});
