import { describe, expect, test } from "vitest";
import { classify } from "../../../src/sql/guard.ts";
import { type BindPlan, bind, bindJson, bindPlan } from "../../../src/sql/placeholders.ts";

function plan(sql: string, where: "ad-hoc" | "saved" = "ad-hoc"): BindPlan {
  return bindPlan(classify(sql), where);
}

describe("a plan", () => {
  const table: [string, BindPlan][] = [
    ["SELECT 1", { style: "positional", sql: "SELECT 1", count: 0 }],
    ["SELECT ?, ? ;", { style: "positional", sql: "SELECT ?, ?", count: 2 }],
    ["SELECT :a", { style: "named", sql: "SELECT ?", names: ["a"] }],
    ["SELECT :b, :a, :b", { style: "named", sql: "SELECT ?, ?, ?", names: ["b", "a", "b"] }],
    [
      "SELECT :a /* :b */ + ':c' # :d\n- :e",
      { style: "named", sql: "SELECT ?   + ':c'  \n- ?", names: ["a", "e"] },
    ],
    ["SELECT :A, :a", { style: "named", sql: "SELECT ?, ?", names: ["A", "a"] }],
    ["SELECT :a.b", { style: "named", sql: "SELECT ?", names: ["a.b"] }],
    ["SELECT :jwt", { style: "named", sql: "SELECT ?", names: ["jwt"] }],
    ["SELECT :__proto__", { style: "named", sql: "SELECT ?", names: ["__proto__"] }],
    ["SELECT '?', ?, \"?\", `?`", { style: "positional", sql: "SELECT '?', ?, \"?\", `?`", count: 1 }],
  ];
  test.each(table)("%j", (sql, expected) => {
    expect(plan(sql)).toEqual(expected);
  });

  test("of a saved query has claims", () => {
    expect(plan("SELECT :jwt.sub", "saved")).toEqual({ style: "named", sql: "SELECT ?", names: ["jwt.sub"] });
  });

  test.each(["SELECT ?, :a", "SELECT :a, ?", "SELECT ?, ':a', :b"])(
    "is refused with both forms: %s",
    (sql) => {
      expect(() => plan(sql)).toThrow(expect.objectContaining({ reason: "mixed_placeholders" }));
    },
  );

  test.each(["SELECT :jwt.sub", "SELECT :a, :jwt.role"])("has no claims in ad-hoc SQL: %s", (sql) => {
    expect(() => plan(sql)).toThrow(expect.objectContaining({ reason: "reserved_parameter" }));
  });
});

describe("binding", () => {
  test("positions", () => {
    expect(bind(plan("SELECT ?, ?"), ["a", null])).toEqual(["a", null]);
    for (const nothing of [undefined, [], {}]) expect(bind(plan("SELECT 1"), nothing)).toEqual([]);
  });

  test("names, in the order of the statement, repeated where it repeats them", () => {
    expect(bind(plan("SELECT :b, :a, :b"), { a: 1, b: 2 })).toEqual([2, 1, 2]);
  });

  test("a name of an object's prototype, when it is the object's own", () => {
    const own = JSON.parse('{"__proto__": 1, "constructor": 2}') as Record<string, unknown>;
    expect(bind(plan("SELECT :__proto__, :constructor"), own)).toEqual([1, 2]);
  });

  const refusals: [sql: string, params: unknown, reason: string, parameters: string[]][] = [
    ["SELECT ?", undefined, "missing_parameter", ["1"]],
    ["SELECT ?, ?, ?", [1], "missing_parameter", ["2", "3"]],
    ["SELECT ?", [1, 2], "surplus_parameter", ["2"]],
    ["SELECT 1", [1], "surplus_parameter", ["1"]],
    ["SELECT 1", { a: 1 }, "wrong_shape", []],
    ["SELECT ?", { a: 1 }, "wrong_shape", []],
    ["SELECT ?", {}, "wrong_shape", []],
    ["SELECT ?", "a", "wrong_shape", []],
    ["SELECT ?", null, "wrong_shape", []],
    ["SELECT :a", [1], "wrong_shape", []],
    ["SELECT :a", [], "wrong_shape", []],
    ["SELECT :a", undefined, "missing_parameter", ["a"]],
    ["SELECT :a, :b, :a", { b: 1 }, "missing_parameter", ["a"]],
    ["SELECT :a", { A: 1 }, "missing_parameter", ["a"]],
    ["SELECT :a", { a: 1, b: 2, c: 3 }, "surplus_parameter", ["b", "c"]],
    ["SELECT :a", JSON.parse('{"a": 1, "__proto__": 2}'), "surplus_parameter", ["__proto__"]],
    ["SELECT :toString", {}, "missing_parameter", ["toString"]],
    ["SELECT :__proto__", {}, "missing_parameter", ["__proto__"]],
    ["SELECT :a", Object.create({ a: 1 }), "missing_parameter", ["a"]],
  ];
  test.each(refusals)("%s with %j: %s %j", (sql, params, reason, parameters) => {
    expect(() => bind(plan(sql), params as never)).toThrow(
      expect.objectContaining({ name: "ParameterError", reason, parameters }),
    );
  });

  test("messages have bounded length, for every input", () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`x${at}`, at]));
    const long = { ["y".repeat(100_000)]: 1 };
    for (const params of [many, long]) {
      try {
        bind(plan("SELECT :a"), { a: 1, ...params });
        expect.unreachable();
      } catch (error) {
        const { message, parameters } = error as { message: string; parameters: string[] };
        expect(message.length).toBeLessThan(500);
        expect(parameters.length).toBeLessThanOrEqual(10);
        expect(parameters.every((name) => name.length < 100)).toBe(true);
      }
    }
  });

  test("JSON values are typed, and an error names the parameter", () => {
    expect(bindJson(plan("SELECT ?, ?"), [1, "a"])).toEqual({
      sql: "SELECT ?, ?",
      values: [
        { type: "integer", value: 1, undeclared: true },
        { type: "string", value: "a", undeclared: true },
      ],
    });
    expect(() => bindJson(plan("SELECT ?, ?"), [1, []])).toThrow(
      expect.objectContaining({ parameters: ["2"] }),
    );
    expect(() => bindJson(plan("SELECT :a, :b"), { a: 1, b: [] })).toThrow(
      expect.objectContaining({ parameters: ["b"] }),
    );
  });
});
