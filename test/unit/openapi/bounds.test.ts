import { describe, expect, test } from "vitest";
import { readParameters } from "../../../src/catalog/parameters.ts";
import { parseQuery } from "../../../src/catalog/parse.ts";
import { makeDocument } from "../../../src/openapi/document.ts";
import { ParameterError } from "../../../src/sql/errors.ts";
import { pointerTo, schemaChecker } from "./support.ts";

/** Values around each bound, and of other types. */
const values: unknown[] = [
  ...["", "a", "b", "ab", "abc", "bb", "😀", "😀😀", "a\n", "\na", "A", "c", "x", "z".repeat(41)],
  ...[
    "0",
    "1",
    "5",
    "10",
    "11",
    "-1",
    "9007199254740992",
    "9007199254740993",
    "9007199254740999",
    "0.5",
    "0.49",
    "1.10",
  ],
  ...["2019-12-31", "2020-01-01", "2026-02-28", "2026-02-28 10:00:00"],
  ...[0, 1, 2, 5, 10, 11, -1, -0.5, -0.6, 1.5, 1.6, 9007199254740991, null, true, [], {}],
  ...[["a"], ["b", "b"], ["a", "b", "c"], ["c", "d"], ["aa"], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4], ["1", 2]],
];

/**
 * An integer may also be sent as its digits. JSON Schema cannot bound these, and a client needs them beyond 2^53
 * only.
 */
function hasDigits(value: unknown): boolean {
  return [value].flat().some((one) => typeof one === "string" && /^-?\d+$/.test(one));
}

/** A catalog's own declarations, and what the gateway makes of them. */
describe.each([
  "integer min 1 max 10",
  "integer min 1",
  "integer max 10",
  'integer min "9007199254740993" max "9007199254740999"',
  'integer enum [1, 2, "9007199254740993"]',
  "integer default null min 1 max 10",
  "integer default null enum [1, 2]",
  "number min -0.5 max 1.5",
  "number enum [1, 1.5]",
  "string length 1..2",
  "string length 2",
  "string length ..40",
  'string pattern "a|b+"',
  'string pattern "[a-c]{1,2}" default null',
  'string enum ["a", "b"]',
  'string enum ["a", "b"] default null',
  'decimal enum ["1.10"]',
  "integer[] items 2..3",
  "integer[] min 1 max 3",
  'string[] pattern "[a-c]" length 1',
  'string[] enum ["a", "b"] items ..2',
  "boolean default null",
])("%s", (declaration) => {
  test("the schema takes what the gateway takes", () => {
    const place = declaration.includes("[]") ? "1 IN (:p)" : ":p";
    const query = parseQuery("q.sql", `-- Q.\n-- @param p ${declaration}\nSELECT ${place}\n`);
    const check = schemaChecker(makeDocument({ queries: [query], issuers: [] }));
    const pointer = pointerTo("components", "schemas", "QParameters");
    const bySchema = (p: unknown) => check(pointer, { p }).length === 0;
    const byGateway = (p: unknown) => {
      try {
        readParameters(query, { p }, "json");
        return true;
      } catch (cause) {
        if (cause instanceof ParameterError) return false;
        throw cause;
      }
    };
    expect(values.some(byGateway)).toBe(true);
    const differing = values.filter((value) => bySchema(value) !== byGateway(value));
    expect(differing.filter((value) => !(declaration.startsWith("integer") && hasDigits(value)))).toEqual([]);
  });
});
