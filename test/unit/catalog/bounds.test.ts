import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareAs } from "../../../src/catalog/compare.ts";
import { readParameters } from "../../../src/catalog/parameters.ts";
import { parseQuery } from "../../../src/catalog/parse.ts";
import type { ParameterError } from "../../../src/sql/errors.ts";

/** @returns "fits", or PATH REASON of every fault */
function judge(declaration: string, value: unknown, source: "json" | "query-string" = "json"): string {
  const isList = declaration.includes("[]");
  const query = parseQuery("q.sql", `-- @param a ${declaration}\nSELECT 1 FROM t WHERE x IN (:a)`);
  const texts = isList ? (value as string[]) : [value as string];
  try {
    if (source === "json") readParameters(query, { a: value }, "json");
    else
      readParameters(
        query,
        texts.map((text) => ["a", text] as const),
        "query-string",
      );
    return "fits";
  } catch (error) {
    const { faults } = error as ParameterError;
    return faults.map(({ path, reason }) => `${path} ${reason}`).join(", ");
  }
}

describe("a bound", () => {
  const table: [declaration: string, fits: unknown[], not: unknown[], reason: string][] = [
    ["integer min 1", [1, "1", 2n ** 63n], [0, -1, "-9223372036854775808"], "below_minimum"],
    ["integer max 10", [10, -5, "-5"], [11, "18446744073709551615"], "above_maximum"],
    ['integer min "9007199254740993"', ["9007199254740993"], ["9007199254740992", 1], "below_minimum"],
    [
      'integer max "9007199254740993"',
      [9007199254740991, 9007199254740993n],
      [9007199254740994n, "9007199254740994"],
      "above_maximum",
    ],
    ["integer min -5 max 5", [-5, 0, 5, -0], [-6], "below_minimum"],
    ["number min 0.1", [0.1, 1e300], [0.09, -1], "below_minimum"],
    ["number max -0.5", [-0.5, -1e9], [0, -0.4], "above_maximum"],
    ['decimal min "0.10"', ["0.1", "0.100", 1, "1e".slice(0, 1)], ["0.09", "-0.10", "0", 0], "below_minimum"],
    [
      'decimal max "99999999999999999.99"',
      ["99999999999999999.99"],
      ["99999999999999999.991"],
      "above_maximum",
    ],
    ['decimal min "-1.5"', ["-1.5", "-1.49", "-0"], ["-1.51", "-01.6", -2], "below_minimum"],
    ['date min "2026-01-01"', ["2026-01-01", "9999-12-31"], ["2025-12-31", "0000-00-00"], "below_minimum"],
    ['date max "2026-01-01"', ["2026-01-01", "0001-01-01"], ["2026-01-02"], "above_maximum"],
    [
      'datetime min "2026-01-01T00:00:00Z"',
      ["2026-01-01 00:00:00", "2026-01-01T00:00:00.0Z"],
      ["2025-12-31 23:59:59.999999"],
      "below_minimum",
    ],
    [
      'datetime max "2026-01-01 00:00:00"',
      ["2026-01-01 00:00:00.000"],
      ["2026-01-01 00:00:00.000001"],
      "above_maximum",
    ],
    ['string enum ["a", "b"]', ["a", "b"], ["A", "c", "", "a "], "not_in_enum"],
    ["integer enum [1, 2]", [1, "2", 2n], [3, -1], "not_in_enum"],
    ['decimal enum ["1.0", "2"]', ["1.00", 2, "2.0"], ["1.01"], "not_in_enum"],
    ["string length 2", ["ab", "éé", "😀😀", "a😀"], ["a", "abc", "😀", "😀😀😀", ""], "wrong_length"],
    ["string length 1..3", ["a", "abc", "😀😀😀"], ["", "abcd", "😀😀😀😀"], "wrong_length"],
    ["string length ..2", ["", "ab"], ["abc", "x".repeat(100_000)], "wrong_length"],
    ["string length 2..", ["ab", "x".repeat(100_000)], ["a", "😀"], "wrong_length"],
    ['string pattern "[A-Z]{2}"', ["NZ"], ["nz", "NZ ", "NZX", "", "NZ\n"], "pattern_mismatch"],
  ];
  test.each(table)("%s", (declaration, fits, not, reason) => {
    for (const value of fits) expect(judge(declaration, value), String(value)).toBe("fits");
    for (const value of not) expect(judge(declaration, value), String(value)).toBe(`/a ${reason}`);
    // In a query string every value is a text.
    for (const value of fits) {
      if (Object.is(value, -0)) continue;
      expect(judge(declaration, String(value), "query-string"), String(value)).toBe("fits");
    }
    for (const value of not)
      expect(judge(declaration, String(value), "query-string"), String(value)).toBe(`/a ${reason}`);
  });

  test("holds for each element of an array", () => {
    expect(judge("integer[] min 1 max 5", [1, 0, 5, 6, "x"])).toBe(
      "/a/1 below_minimum, /a/3 above_maximum, /a/4 wrong_type",
    );
    expect(judge('string[] pattern "[A-Z]{2}"', ["NZ", "x"], "query-string")).toBe("/a/1 pattern_mismatch");
    expect(judge('string[] enum ["a"] items ..2', ["a", "a", "b"])).toBe("/a too_many_items");
    expect(judge("integer[] items 2..3", [1])).toBe("/a too_few_items");
    expect(judge("integer[] items 2", [1, 2])).toBe("fits");
    expect(judge("integer[] items 2", [])).toBe("/a too_few_items");
    expect(judge("integer[] items ..3", [])).toBe("/a wrong_type");
    expect(judge("integer[]", Array(1_001).fill(1))).toBe("/a wrong_type");
  });

  test("does not hold for a default of null", () => {
    const query = parseQuery("q.sql", "-- @param a integer default null min 1\nSELECT :a");
    expect(readParameters(query, {}, "json").values).toEqual([{ type: "null", value: null }]);
    expect(readParameters(query, { a: null }, "json").values).toEqual([{ type: "null", value: null }]);
  });

  test("compares decimals as exact numbers", () => {
    const digits = fc.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat({ max: 6 }));
    const text = ([value, zeros]: [bigint, number]) => {
      const whole = String(value < 0n ? -value : value).padStart(9, "0");
      return `${value < 0n ? "-" : ""}${whole.slice(0, -8)}.${whole.slice(-8)}${"0".repeat(zeros)}`;
    };
    fc.assert(
      fc.property(digits, digits, (a, b) => {
        const sign = a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
        expect(Math.sign(compareAs("decimal", text(a), text(b))) + 0).toBe(sign);
      }),
    );
  });
});

describe("every fault is told at once", () => {
  const query = parseQuery(
    "q.sql",
    `-- @param code string pattern "[A-Z]{2}"
-- @param limit integer default 10 min 1 max 100
-- @param ids integer[] items ..3
-- @param day date
SELECT :code, :day FROM t WHERE id IN (:ids) LIMIT :limit`,
  );
  const faultsOf = (input: unknown, source: "json" | "query-string" = "json") => {
    try {
      if (source === "json") readParameters(query, input, "json");
      else readParameters(query, new URLSearchParams(input as string), "query-string");
    } catch (error) {
      return error as ParameterError;
    }
    throw new Error("the parameters were good");
  };

  test("in a JSON body", () => {
    const error = faultsOf({ code: "s3cret", limit: -2, ids: [1, "s3cret", 3], "a/b~c": 1 });
    expect(error.faults).toEqual([
      {
        path: "/code",
        reason: "pattern_mismatch",
        detail: 'Parameter "code" must match the pattern of the query\'s description.',
      },
      { path: "/limit", reason: "below_minimum", detail: 'Parameter "limit" must be at least 1.' },
      {
        path: "/ids/1",
        reason: "wrong_type",
        detail: expect.stringMatching(/^Each element of parameter "ids" must be an integer/),
      },
      { path: "/day", reason: "missing_parameter", detail: 'Not given: "day".' },
      {
        path: "/a~1b~0c",
        reason: "surplus_parameter",
        detail: expect.stringMatching(/^The query has no parameter "a\/b~c"\. It takes "code"/),
      },
    ]);
    expect(error).toMatchObject({
      reason: "pattern_mismatch",
      message:
        'Parameter "code" must match the pattern of the query\'s description. The member errors lists the others too.',
      parameters: ["code", "limit", "ids", "day", "a/b~c"],
    });
    expect(JSON.stringify(error.faults) + error.message).not.toContain("s3cret");
  });

  test("in a query string", () => {
    const faults = faultsOf(
      "code=NZ&code=AU&limit=101&ids=1&ids=2&ids=3&ids=4&x=1&x=2",
      "query-string",
    ).faults;
    expect(faults.map(({ path, reason }) => `${path} ${reason}`)).toEqual([
      "/code duplicate_parameter",
      "/limit above_maximum",
      "/ids too_many_items",
      "/day missing_parameter",
      "/x duplicate_parameter",
    ]);
  });

  test("and the list is bounded, whatever the caller sends", () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`${i}${"n".repeat(100)}`, 1]));
    const error = faultsOf(many);
    expect(error.faults).toHaveLength(20);
    expect(JSON.stringify(error.faults).length).toBeLessThan(10_000);
    const elements = parseQuery("q.sql", "-- @param a integer[]\nSELECT 1 IN (:a)");
    expect(() => readParameters(elements, { a: Array(1_000).fill("x") }, "json")).toThrow(
      expect.objectContaining({ faults: expect.objectContaining({ length: 20 }) }),
    );
  });

  test("a path has no characters that control a terminal", () => {
    const [fault] = faultsOf({ "\u001b[2J\u202e": 1, code: "NZ", ids: [1], day: "2026-01-01" }).faults;
    expect(fault?.path).toBe("/\\u001b[2J\\u202e");
  });

  test("one that is no object has one fault, of the whole", () => {
    expect(faultsOf([1]).faults).toEqual([
      { path: "", reason: "wrong_shape", detail: "Send the parameters as a JSON object." },
    ]);
  });
});

test("a claim at LIMIT must not be negative", () => {
  const query = parseQuery("q.sql", "-- @claim most integer\nSELECT 1 LIMIT :jwt.most");
  expect(readParameters(query, {}, "json", { most: 5 }).values).toEqual([{ type: "integer", value: 5 }]);
  for (const most of [-1, "-9007199254740993"]) {
    expect(() => readParameters(query, {}, "json", { most })).toThrow(
      expect.objectContaining({ reason: "wrong_claim" }),
    );
  }
});
