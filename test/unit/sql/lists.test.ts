import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../../../src/limits.ts";
import { classify } from "../../../src/sql/guard.ts";
import { listPlaces } from "../../../src/sql/lists.ts";
import { bindJson, bindPlan } from "../../../src/sql/placeholders.ts";

const bind = (sql: string, params: Record<string, unknown> | unknown[]) =>
  bindJson(bindPlan(classify(sql)), params);
const array = (...value: unknown[]) => ({ type: "ARRAY", value });
const shown = (sql: string, params: Record<string, unknown> | unknown[]) => {
  const bound = bind(sql, params);
  return [bound.sql, bound.values.map(({ value }) => value)];
};

describe("a list", () => {
  test.each([
    ["SELECT a IN (?)", [array(1)], "SELECT a IN (?)", [1]],
    ["SELECT a IN (?)", [array(1, 2)], "SELECT a IN (?, ?)", [1, 2]],
    ["SELECT a NOT IN(?)", [array(1, 2, 3)], "SELECT a NOT IN(?, ?, ?, ?)", [1, 2, 3, 3]],
    ["SELECT a in ( ? ), '?', ?", [array(1, 2), 9], "SELECT a in ( ?, ? ), '?', ?", [1, 2, 9]],
    [
      "SELECT ? IN (?) AND ? IN (?)",
      [7, array(1, 2), 8, array(3)],
      "SELECT ? IN (?, ?) AND ? IN (?)",
      [7, 1, 2, 8, 3],
    ],
    ["SELECT a IN (:l) OR b IN (:l)", { l: array(1, 2) }, "SELECT a IN (?, ?) OR b IN (?, ?)", [1, 2, 1, 2]],
  ] as [string, never, string, unknown[]][])("%s with %j", (sql, params, expected, values) => {
    expect(shown(sql, params)).toEqual([expected, values]);
  });

  test.each([
    "SELECT ?",
    "SELECT (?)",
    "SELECT a IN (?, 1)",
    "SELECT a IN (1, ?)",
    "SELECT a IN ((?))",
    "SELECT f(?)",
    "SELECT 1 LIMIT ?",
    "SELECT a IN (? + 1)",
    "SELECT a IN (-?)",
    "INSERT INTO t VALUES (?)",
    "SELECT `IN` (?)",
  ])("is refused in %s", (sql) => {
    expect(() => bind(sql, [array(1, 2)])).toThrow(
      expect.objectContaining({ reason: "wrong_place", parameters: ["1"] }),
    );
  });

  test("places in saved queries are found too", () => {
    expect(listPlaces("SELECT ?, a IN (?), b IN (?, ?), c NOT IN (?)")).toEqual([
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  test("of any length has the same elements, padded to a power of two", () => {
    const elements = fc.array(fc.integer(), { minLength: 1, maxLength: limits.arrayElements });
    fc.assert(
      fc.property(elements, (list) => {
        const { sql, values } = bind("SELECT a IN (?)", [array(...list)]);
        expect(Math.log2(values.length) % 1).toBe(0);
        expect(values.length).toBeLessThan(2 * list.length);
        expect(values.slice(0, list.length).map(({ value }) => value)).toEqual(list);
        expect(new Set(values.map(({ value }) => value))).toEqual(new Set(list));
        expect(bindPlan(classify(sql))).toMatchObject({ count: values.length });
      }),
    );
  });
});

describe("the bounds of a statement's values", () => {
  const repeated = (times: number, what: string) => `SELECT ${Array(times).fill(what).join(", ")}`;

  test("values: as many as a server can prepare", () => {
    const values = bind(repeated(limits.boundValues, ":a"), { a: 1 }).values;
    expect(values).toHaveLength(limits.boundValues);
    expect(() => bind(repeated(limits.boundValues + 1, ":a"), { a: 1 })).toThrow(
      expect.objectContaining({ reason: "too_large" }),
    );
  });

  test("a repeated list counts each time, before any text is built", () => {
    const list = { l: array(...Array(1_000).fill(1)) };
    expect(bind(repeated(63, "1 IN (:l)"), list).values).toHaveLength(63 * 1_024);
    for (const times of [64, 50_000])
      expect(() => bind(repeated(times, "1 IN (:l)"), list)).toThrow(
        expect.objectContaining({ reason: "too_large" }),
      );
  });

  test("characters: of all texts, each as often as it is used", () => {
    const a = "x".repeat(limits.boundCharacters / 8);
    expect(bind(repeated(8, ":a"), { a }).values).toHaveLength(8);
    expect(() => bind(repeated(9, ":a"), { a })).toThrow(expect.objectContaining({ reason: "too_large" }));
    expect(() => bind(repeated(9, "1 IN (:a)"), { a: array(a) })).toThrow(
      expect.objectContaining({ reason: "too_large" }),
    );
  });
});
