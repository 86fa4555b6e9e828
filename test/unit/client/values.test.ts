import { describe, expect, test } from "vitest";
import { encodeObject, encodePairs, encodeValue, ref, typed } from "../../../client/values.ts";

describe("a value's JSON", () => {
  test.each<[unknown, string]>([
    ['a"\u2028', JSON.stringify('a"\u2028')],
    [1.5, "1.5"],
    [-0, "0"],
    [12345678901234567890n, "12345678901234567890"],
    [true, "true"],
    [null, "null"],
    [new Date("2026-02-28T10:00:00Z"), '{"type":"DATETIME","value":"2026-02-28T10:00:00.000Z"}'],
    [new Uint8Array([0, 255]), '{"type":"BLOB","value":"AP8="}'],
    [new Uint8Array(20_000), `{"type":"BLOB","value":"${Buffer.alloc(20_000).toString("base64")}"}`],
    [typed("DECIMAL", "1.10"), '{"type":"DECIMAL","value":"1.10"}'],
    [typed("BIGINT", 5n), '{"type":"BIGINT","value":"5"}'],
    [ref("0.last_insert_id"), '{"$ref":"0.last_insert_id"}'],
    [["a", 1n, null], '{"type":"ARRAY","value":["a",1,null]}'],
  ])("%o", (value, json) => {
    expect(encodeValue(value, "Value 1", true)).toBe(json);
  });

  test.each([undefined, Number.NaN, {}, [undefined], [[1]], Symbol.iterator, () => 1])(
    "%o is none, which its place says",
    (value) => {
      expect(() => encodeValue(value, "Value 3", true)).toThrow(/^Value 3 is /);
      expect(() => encodeObject({ limit: value }, false)).toThrow(/^limit is /);
    },
  );
});

test("parameters of a saved query are plain JSON, and pairs in a query string", () => {
  const date = new Date("2026-02-28T10:00:00Z");
  const given = { a: "x y", n: 5n, list: ["NZ", "JP"], yes: true, date, empty: [] };
  expect(JSON.parse(encodeObject({ ...given, nothing: null }, false))).toEqual({
    ...given,
    n: 5,
    date: date.toISOString(),
    nothing: null,
  });
  expect(encodePairs(given)).toEqual([
    ["a", "x y"],
    ["n", "5"],
    ["list", "NZ"],
    ["list", "JP"],
    ["yes", "true"],
    ["date", date.toISOString()],
  ]);
  expect(() => encodePairs({ a: null })).toThrow(/^a is /);
  expect(() => encodeObject({ bytes: new Uint8Array(1) }, false)).toThrow(/^bytes is /);
});
