import { describe, expect, test } from "vitest";
import { classify } from "../../../src/sql/guard.ts";
import { bindPlan } from "../../../src/sql/placeholders.ts";
import { bindBatch } from "../../../src/sql/references.ts";

const plan = (sql: string) => bindPlan(classify(sql));
const one = (value: unknown, index = 2) => bindBatch(plan("SELECT ?"), [value], index).values[0];

describe("a parameter of a batch", () => {
  test.each([
    ["0.last_insert_id", { statement: 0, of: "last_insert_id" }],
    ["1.rows_affected", { statement: 1, of: "rows_affected" }],
    ["1.rows.0.name", { statement: 1, of: { row: 0, column: "name" } }],
    ["0.rows.12.a.b", { statement: 0, of: { row: 12, column: "a.b" } }],
    ["0.rows.0.last_insert_id", { statement: 0, of: { row: 0, column: "last_insert_id" } }],
  ])("refers to %s", (text, reference) => {
    expect(one({ $ref: text })).toEqual({ reference });
  });

  test("by position and by name, beside values", () => {
    expect(bindBatch(plan("SELECT :a, :b, :a"), { a: { $ref: "0.last_insert_id" }, b: 1 }, 1)).toEqual({
      sql: "SELECT ?, ?, ?",
      values: [
        { reference: { statement: 0, of: "last_insert_id" } },
        { type: "integer", value: 1, undeclared: true },
        { reference: { statement: 0, of: "last_insert_id" } },
      ],
    });
  });

  test("may be an element of an array", () => {
    const list = { type: "ARRAY", value: [{ $ref: "0.last_insert_id" }, 7, { $ref: "0.rows.0.id" }] };
    expect(bindBatch(plan("DELETE FROM t WHERE id IN (?)"), [list], 1)).toEqual({
      sql: "DELETE FROM t WHERE id IN (?, ?, ?, ?)",
      values: [
        { reference: { statement: 0, of: "last_insert_id" } },
        { type: "integer", value: 7, undeclared: true },
        { reference: { statement: 0, of: { row: 0, column: "id" } } },
        { reference: { statement: 0, of: { row: 0, column: "id" } } },
      ],
    });
  });

  test.each([
    ["itself", "2.last_insert_id"],
    ["a later one", "3.last_insert_id"],
    ["none", "last_insert_id"],
    ["a negative one", "-1.last_insert_id"],
    ["something else of it", "0.columns"],
    ["a row without a column", "0.rows.0"],
    ["a row without a name", "0.rows.0."],
    ["a row that is no number", "0.rows.x.name"],
    ["a number", 0],
    ["nothing", null],
  ])("cannot refer to %s", (_, text) => {
    expect(() => one({ $ref: text })).toThrow(
      expect.objectContaining({ reason: "wrong_reference", parameters: ["1"] }),
    );
  });

  test("is a value if it has more than $ref, and an object is not a value", () => {
    expect(() => one({ $ref: "0.last_insert_id", more: 1 })).toThrow(
      expect.objectContaining({ reason: "wrong_type" }),
    );
    expect(() => one([{ $ref: "0.last_insert_id" }])).toThrow(
      expect.objectContaining({ reason: "wrong_type" }),
    );
  });
});
