import { describe, expect, test } from "vitest";
import { classify } from "../../../src/sql/guard.ts";
import { bindJson, bindPlan, type Parameters } from "../../../src/sql/placeholders.ts";
import { bindBatch } from "../../../src/sql/references.ts";

/** @returns the indexes of the placeholders that are numbers of rows */
function counts(sql: string): readonly number[] {
  return bindPlan(classify(sql)).rowCounts ?? [];
}

describe("a number of rows", () => {
  test.each([
    ["SELECT 1 LIMIT ?", [0]],
    ["SELECT ? limit ?", [1]],
    ["SELECT 1 LIMIT ?, ?", [0, 1]],
    ["SELECT 1 LIMIT 5, ?", [0]],
    ["SELECT 1 LIMIT ? OFFSET ?", [0, 1]],
    ["SELECT 1 LIMIT :a OFFSET :b", [0, 1]],
    ["SELECT 1 LIMIT /* x */ ? -- y\nOFFSET\t?", [0, 1]],
    ["SELECT 1 ORDER BY 1 OFFSET ? ROWS FETCH NEXT ? ROWS ONLY", [0, 1]],
    ["SELECT 1 ORDER BY 1 FETCH FIRST ? ROW WITH TIES", [0]],
    ["SELECT 1 LIMIT ? ROWS EXAMINED ?", [0, 1]],
    ["SELECT * FROM (SELECT 1 LIMIT ?) AS t WHERE a = ? LIMIT ?", [0, 2]],
    ["SELECT 1 UNION SELECT 2 LIMIT ?", [0]],
    ["WITH c AS (SELECT 1 LIMIT ?) SELECT * FROM c", [0]],
    ["SELECT GROUP_CONCAT(a LIMIT ?) FROM t", [0]],
    ["DELETE FROM t WHERE a = ? LIMIT ?", [1]],
    ["UPDATE t SET a = ? LIMIT ?", [1]],
    ["SELECT * FROM t WHERE a IN (?, ?) AND t.limit = ?", []],
    ["SELECT offset, ? FROM t WHERE offset = ? AND f(`limit`, ?)", []],
    ["SELECT next, ? FROM t", []],
  ])("%s: %j", (sql, expected) => {
    expect(counts(sql)).toEqual(expected);
  });

  const negative: unknown[] = [
    -1,
    -1n,
    -2.5,
    "-2",
    " -2",
    { type: "INTEGER", value: "-9223372036854775808" },
  ];
  test.each(negative)("is refused if it is negative: %#", (value) => {
    const bind = (sql: string, params: Parameters) => () => bindJson(bindPlan(classify(sql)), params);
    expect(bind("SELECT ? LIMIT ?", [value, value])).toThrow(
      expect.objectContaining({ name: "ParameterError", reason: "below_minimum", parameters: ["2"] }),
    );
    expect(bind("SELECT :a LIMIT 1 OFFSET :b", { a: value, b: value })).toThrow(
      "Parameter b is a number of rows (LIMIT, OFFSET), so it must be 0 or more.",
    );
    expect(bind("SELECT ?", [value])).not.toThrow();
  });

  test.each([0, -0, 1, 2n ** 64n - 1n, "2", null, { type: "INTEGER", value: 5 }])(
    "may be another value: %#",
    (value) => {
      expect(() => bindJson(bindPlan(classify("SELECT 1 LIMIT ?")), [value])).not.toThrow();
    },
  );

  test("is refused if it refers to a value of an earlier row, which may be negative", () => {
    const bind = (sql: string, $ref: string) => () => bindBatch(bindPlan(classify(sql)), [{ $ref }], 1);
    expect(bind("SELECT 1 LIMIT ?", "0.rows.0.n")).toThrow(
      expect.objectContaining({ reason: "wrong_reference", parameters: ["1"] }),
    );
    expect(bind("SELECT 1 LIMIT ?", "0.rows_affected")).not.toThrow();
    expect(bind("SELECT ?", "0.rows.0.n")).not.toThrow();
  });
});
