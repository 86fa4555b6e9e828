import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readParameters } from "../../../src/catalog/parameters.ts";
import { parseQuery } from "../../../src/catalog/parse.ts";
import type { BoundValue } from "../../../src/sql/bound-value.ts";

const header = [
  "-- @param code string required",
  "-- @param limit integer default 10",
  "-- @param since date default null",
  "-- @param exact boolean default false",
];
const query = parseQuery("q.sql", [...header, "SELECT :limit, :code, :since, :exact, :code"].join("\n"));

function text(search: string): BoundValue[] {
  return readParameters(query, new URLSearchParams(search), "query-string").values;
}

describe("a query string", () => {
  test("gives typed values in the order of the placeholders", () => {
    expect(text("code=NZ&limit=5&since=2026-01-01&exact=1")).toEqual([
      { type: "integer", value: 5 },
      { type: "string", value: "NZ" },
      { type: "date", value: "2026-01-01" },
      { type: "boolean", value: true },
      { type: "string", value: "NZ" },
    ]);
  });

  test("may leave out parameters with a default", () => {
    expect(text("code=NZ")).toEqual([
      { type: "integer", value: 10 },
      { type: "string", value: "NZ" },
      { type: "null", value: null },
      { type: "boolean", value: false },
      { type: "string", value: "NZ" },
    ]);
  });

  const refusals: [search: string, reason: string, parameters: string[]][] = [
    ["", "missing_parameter", ["code"]],
    ["limit=5", "missing_parameter", ["code"]],
    ["CODE=NZ", "missing_parameter", ["code", "CODE"]],
    ["code=NZ&x=1", "surplus_parameter", ["x"]],
    ["code=NZ&__proto__=1", "surplus_parameter", ["__proto__"]],
    ["code=NZ&jwt.sub=me", "surplus_parameter", ["jwt.sub"]],
    ["code=NZ&code=AU", "duplicate_parameter", ["code"]],
    ["code=NZ&x=1&x=1", "duplicate_parameter", ["x"]],
    ["code=NZ&limit=", "wrong_type", ["limit"]],
    ["code=NZ&limit=five", "wrong_type", ["limit"]],
    ["code=NZ&since=null", "wrong_type", ["since"]],
    ["code=NZ&exact=", "wrong_type", ["exact"]],
  ];
  test.each(refusals)("%s: %s %j", (search, reason, parameters) => {
    expect(() => text(search)).toThrow(
      expect.objectContaining({ name: "ParameterError", reason, parameters }),
    );
  });
});

describe("a JSON body", () => {
  test("gives typed values", () => {
    expect(readParameters(query, { code: "NZ", limit: 5, since: null, exact: true }, "json").values).toEqual([
      { type: "integer", value: 5 },
      { type: "string", value: "NZ" },
      { type: "null", value: null },
      { type: "boolean", value: true },
      { type: "string", value: "NZ" },
    ]);
  });

  test("may be empty if no parameter is required", () => {
    const plain = parseQuery("q.sql", "SELECT 1");
    for (const nothing of [undefined, {}])
      expect(readParameters(plain, nothing, "json")).toEqual({ sql: "SELECT 1", values: [] });
  });

  const refusals: [input: unknown, reason: string, parameters: string[]][] = [
    [undefined, "missing_parameter", ["code"]],
    [{}, "missing_parameter", ["code"]],
    [Object.create({ code: "NZ" }), "missing_parameter", ["code"]],
    [JSON.parse('{"__proto__": {"code": "NZ"}}'), "missing_parameter", ["code", "__proto__"]],
    [JSON.parse('{"code": "NZ", "__proto__": 1}'), "surplus_parameter", ["__proto__"]],
    [{ code: "NZ", toString: 1 }, "surplus_parameter", ["toString"]],
    [[], "wrong_shape", []],
    [null, "wrong_shape", []],
    ["NZ", "wrong_shape", []],
    [{ code: 1 }, "wrong_type", ["code"]],
    [{ code: null }, "wrong_type", ["code"]],
    [{ code: undefined }, "wrong_type", ["code"]],
    [{ code: "\ud83d" }, "wrong_type", ["code"]],
    [{ code: "NZ", limit: null }, "wrong_type", ["limit"]],
    [{ code: "NZ", limit: 2 ** 53 }, "wrong_type", ["limit"]],
    [{ code: "NZ", limit: "ten" }, "wrong_type", ["limit"]],
    [{ code: "NZ", exact: "true" }, "wrong_type", ["exact"]],
    [{ code: "NZ", since: "2026-02-30" }, "wrong_type", ["since"]],
  ];
  test.each(refusals)("%j: %s %j", (input, reason, parameters) => {
    expect(() => readParameters(query, input, "json")).toThrow(
      expect.objectContaining({ name: "ParameterError", reason, parameters }),
    );
  });

  test("a message names the parameter and the type, never the value", () => {
    expect(() => readParameters(query, { code: "NZ", limit: "s3cret" }, "json")).toThrow(
      'Parameter "limit" must be an integer from -2^63 to 2^64-1, as a number or its digits as a string.',
    );
  });

  test("only a ParameterError is thrown, for every input", () => {
    fc.assert(
      fc.property(
        fc.object({ key: fc.constantFrom("code", "limit", "since", "exact", "x", "__proto__") }),
        (input) => {
          try {
            expect(readParameters(query, input, "json").values).toHaveLength(5);
          } catch (error) {
            expect(error).toMatchObject({ name: "ParameterError" });
          }
        },
      ),
    );
  });
});

describe("an array", () => {
  const list = parseQuery(
    "q.sql",
    "-- @param ids integer[]\n-- @param not string[]\n-- @param n integer default 1\nSELECT :n FROM t WHERE id IN (:ids) AND name NOT IN (:not)",
  );
  const bound = {
    sql: "SELECT ? FROM t WHERE id IN (?, ?, ?, ?) AND name NOT IN (?)",
    values: [
      { type: "integer", value: 1 },
      ...[1, 2, 3, 3].map((value) => ({ type: "integer", value })),
      { type: "string", value: "x" },
    ],
  };

  test("is an array in JSON, and a repeated name in a query string", () => {
    expect(readParameters(list, { ids: [1, "2", 3], not: ["x"] }, "json")).toEqual(bound);
    const search = new URLSearchParams("ids=1&not=x&ids=2&ids=3");
    expect(readParameters(list, search, "query-string")).toEqual(bound);
  });

  test.each([
    [{ ids: [], not: ["x"] }, "wrong_type", ["ids"]],
    [{ ids: Array(1_001).fill(1), not: ["x"] }, "wrong_type", ["ids"]],
    [{ ids: 1, not: ["x"] }, "wrong_type", ["ids"]],
    [{ ids: null, not: ["x"] }, "wrong_type", ["ids"]],
    [{ ids: [1, null], not: ["x"] }, "wrong_type", ["ids"]],
    [{ ids: [[1]], not: ["x"] }, "wrong_type", ["ids"]],
    [{ ids: [1.5], not: ["x"] }, "wrong_type", ["ids"]],
    [{ ids: { type: "ARRAY", value: [1] }, not: ["x"] }, "wrong_type", ["ids"]],
    [{ ids: [1], not: ["\ud83d"] }, "wrong_type", ["not"]],
    [{ ids: [1], not: ["x"], n: [1] }, "wrong_type", ["n"]],
    [{ not: ["x"] }, "missing_parameter", ["ids"]],
  ])("is refused: %#", (input, reason, parameters) => {
    expect(() => readParameters(list, input, "json")).toThrow(
      expect.objectContaining({ name: "ParameterError", reason, parameters }),
    );
  });

  test.each([
    ["ids=1&ids=two&not=x", "wrong_type"],
    ["ids=&not=x", "wrong_type"],
    ["ids=1&not=x&n=1&n=2", "duplicate_parameter"],
    ["not=x", "missing_parameter"],
    [`not=x${"&ids=1".repeat(1_001)}`, "wrong_type"],
  ])("is refused in a query string: %#", (search, reason) => {
    expect(() => readParameters(list, new URLSearchParams(search), "query-string")).toThrow(
      expect.objectContaining({ reason }),
    );
  });
});

describe("claims", () => {
  const mine = parseQuery("q.sql", "-- @param a string\nSELECT :jwt.sub, :a, :jwt.app.tenant");
  const claims = { sub: "me", app: { tenant: 7 } };

  test("come from the token only", () => {
    expect(readParameters(mine, { a: "x" }, "json", claims).values).toEqual([
      { type: "string", value: "me", undeclared: true },
      { type: "string", value: "x" },
      { type: "string", value: "7", undeclared: true },
    ]);
    expect(() => readParameters(mine, { a: "x", "jwt.sub": "you" }, "json", claims)).toThrow(
      expect.objectContaining({ reason: "surplus_parameter" }),
    );
  });
});
