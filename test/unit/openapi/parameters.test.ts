import { describe, expect, test } from "vitest";
import { readParameters } from "../../../src/catalog/parameters.ts";
import type { Parameter } from "../../../src/catalog/saved-query.ts";
import { makeDocument } from "../../../src/openapi/document.ts";
import { bodySchema, queryParameters } from "../../../src/openapi/parameters.ts";
import { ParameterError } from "../../../src/sql/errors.ts";
import { parameter, savedQuery } from "./every-feature.ts";
import { pointerTo, schemaChecker } from "./support.ts";

const query = (...parameters: Parameter[]) =>
  savedQuery({ name: "q", sql: parameters.map(({ list }) => (list ? "IN (?)" : "?")).join(" "), parameters });

/** @returns whether the schema of a POST's body takes the value for a parameter */
function takes(one: Parameter): (value: unknown) => boolean {
  const check = schemaChecker(makeDocument({ queries: [query(one)], issuers: [] }));
  const pointer = pointerTo("components", "schemas", "QParameters");
  return (value) => check(pointer, { [one.name]: value }).length === 0;
}

function gatewayTakes(one: Parameter, value: unknown): boolean {
  try {
    readParameters(query(one), { [one.name]: value }, "json");
    return true;
  } catch (cause) {
    if (cause instanceof ParameterError) return false;
    throw cause;
  }
}

const types = ["string", "integer", "number", "boolean", "decimal", "date", "datetime"] as const;
const values: unknown[] = [
  ...[
    "",
    "a",
    "7",
    "-7",
    "1.10",
    "1.",
    ".5",
    "18446744073709551615",
    "9007199254740993",
    "007",
    "1e3",
    "NaN",
    " 7",
  ],
  ...[
    "2026-02-28",
    "0000-00-00",
    "2026-2-28",
    "2026-02-28 10:00:00",
    "2026-02-28T10:00:00.5Z",
    "2026-02-28 10:00",
  ],
  ...["2026-02-28 10:00:00+01:00", "true", "12345678901234567890123"],
  ...[
    0,
    7,
    -7,
    1.5,
    9007199254740991,
    9007199254740992,
    true,
    false,
    null,
    [],
    ["a"],
    [7],
    [null],
    {},
    { a: 1 },
  ],
];

describe("the schema of a body takes what the gateway takes", () => {
  /** Values that only one of them takes, where JSON Schema cannot be exact or a client needs no more. */
  const differences: Partial<Record<(typeof types)[number], unknown[]>> = {
    // The gateway also takes integers, but a client that computes with decimals sends text.
    decimal: [0, 7, -7, 9007199254740991],
  };

  test.each(types)("%s", (type) => {
    for (const more of [{}, { default: null }]) {
      const one = parameter({ name: "p", type, ...more });
      const bySchema = takes(one);
      const differing = values.filter((value) => bySchema(value) !== gatewayTakes(one, value));
      expect(differing).toEqual(differences[type] ?? []);
    }
  });

  test.each(types)("%s[]", (type) => {
    const one = parameter({ name: "p", type, list: true });
    const bySchema = takes(one);
    const lists = values
      .flatMap((value) => [[value], [value, value], value])
      .filter((list) => !(Array.isArray(list) && list.some((value) => differences[type]?.includes(value))));
    expect(lists.filter((list) => bySchema(list) !== gatewayTakes(one, list))).toEqual([]);
    const many = Array.from({ length: 1_001 }, () => "2026-02-28");
    expect(bySchema(many)).toBe(false);
    expect(gatewayTakes(one, many)).toBe(false);
  });

  test("and neither an unknown parameter nor a missing one", () => {
    const both = query(
      parameter({ name: "a", type: "string" }),
      parameter({ name: "b", type: "string", default: "x" }),
    );
    const check = schemaChecker(makeDocument({ queries: [both], issuers: [] }));
    const pointer = pointerTo("components", "schemas", "QParameters");
    expect(check(pointer, { a: "1" })).toEqual([]);
    expect(check(pointer, { a: "1", b: "2" })).toEqual([]);
    expect(check(pointer, { b: "2" })).not.toEqual([]);
    expect(check(pointer, { a: "1", c: "2" })).not.toEqual([]);
  });
});

describe("bounds", () => {
  test.each<[string, Partial<Parameter> & Pick<Parameter, "type">, unknown[], unknown[]]>([
    ["min and max of an integer", { type: "integer", min: 1, max: 10 }, [1, 10], [0, 11, "5"]],
    ["min of an integer", { type: "integer", min: 1 }, [1, 2 ** 53 - 1, "9007199254740993"], [0, "-1"]],
    [
      "bounds beyond 2^53",
      { type: "integer", min: "9007199254740993", max: "9007199254740999" },
      ["9007199254740993"],
      ["a"],
    ],
    ["min and max of a number", { type: "number", min: -0.5, max: 1.5 }, [-0.5, 1.5], [-0.6, 1.6]],
    ["length", { type: "string", length: { least: 1, most: 2 } }, ["a", "😀😀"], ["", "abc"]],
    ["a pattern is of the whole text", { type: "string", pattern: "a|b+" }, ["a", "bb"], ["ab", "xa", "a\n"]],
    ["an enum", { type: "string", enum: ["a", "b"] }, ["a"], ["c", null]],
    ["an enum with null", { type: "string", enum: ["a", "b"], default: null }, ["a", null], ["c"]],
    [
      "an enum of integers with null",
      { type: "integer", enum: [1, "9007199254740993"], default: null },
      [1, "9007199254740993", null],
      [2],
    ],
    ["an enum of integers", { type: "integer", enum: [1, "9007199254740993"] }, [1, "9007199254740993"], [2]],
    ["an enum of decimals", { type: "decimal", enum: ["1.10"] }, ["1.10"], ["1.2"]],
    [
      "items",
      { type: "integer", list: true, items: { least: 2, most: 3 } },
      [
        [1, 2],
        [1, 2, 3],
      ],
      [[1], [1, 2, 3, 4]],
    ],
    [
      "the elements of an array",
      { type: "string", list: true, length: { most: 1 }, pattern: "[a-c]" },
      [["a"]],
      [["d"], ["aa"]],
    ],
  ])("%s", (_, more, good, bad) => {
    const taken = takes(parameter({ name: "p", ...more }));
    expect(good.filter((value) => !taken(value))).toEqual([]);
    expect(bad.filter(taken)).toEqual([]);
  });

  test("that JSON Schema has no keyword for are told in words", () => {
    const told = (more: Partial<Parameter> & Pick<Parameter, "type">) =>
      queryParameters(query(parameter({ name: "p", ...more })))[0]?.description;
    expect(told({ type: "decimal", min: "0.5", max: "9", description: "A price" })).toBe(
      "A price (at least 0.5, at most 9)",
    );
    expect(told({ type: "date", min: "2020-01-01" })).toBe("At least 2020-01-01");
    expect(told({ type: "integer", max: "9007199254740993" })).toBe("At most 9007199254740993");
    expect(told({ type: "integer", min: 1, max: 2 })).toBeUndefined();
    expect(told({ type: "number", min: 1 })).toBeUndefined();
  });

  test("a default is a keyword in a query string, and words in a body", () => {
    const limit = query(
      parameter({ name: "limit", type: "integer", min: 1, max: 9, default: 5, description: "Rows" }),
    );
    const schema = { type: "integer", minimum: 1, maximum: 9 };
    expect(queryParameters(limit)[0]).toMatchObject({
      description: "Rows",
      schema: { ...schema, default: 5 },
    });
    expect(bodySchema(limit).properties?.limit).toEqual({ ...schema, description: "Rows (default 5)" });
  });
});

describe("a query string", () => {
  test("has an array once for each element", () => {
    const codes = parameter({ name: "codes", type: "string", list: true });
    expect(queryParameters(query(codes))).toEqual([
      {
        name: "codes",
        in: "query",
        required: true,
        schema: { type: "array", items: { type: "string" }, minItems: 1, maxItems: 1_000 },
        style: "form",
        explode: true,
      },
    ]);
  });

  test("has no null, which only a body can say", () => {
    const since = parameter({ name: "since", type: "date", default: null });
    expect(queryParameters(query(since))[0]).toEqual({
      name: "since",
      in: "query",
      required: false,
      schema: { type: "string", format: "date" },
    });
    expect(bodySchema(query(since)).properties?.since).toEqual({
      type: ["string", "null"],
      format: "date",
    });
  });

  test("shows the value of the first example that has one", () => {
    const since = parameter({ name: "since", type: "date", default: null });
    const examples = [{ since: null }, {}, { since: "2026-02-28" }].map((parameters) => ({
      description: "",
      parameters,
    }));
    expect(queryParameters({ ...query(since), examples })[0]?.example).toBe("2026-02-28");
  });
});
