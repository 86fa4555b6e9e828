import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Conversions } from "../../../client/columns.ts";
import { elements, rowReader } from "../../../client/columns.ts";

const read = (type: string, value: unknown, conversions: Conversions) => {
  const line = JSON.stringify([value]);
  const reader = rowReader<{ c: unknown }>([{ name: "c", type, nullable: true }], conversions);
  return reader.read([value], reader.isText ? elements(line) : []).c;
};

describe("a value", () => {
  test.each<[string, unknown, Conversions, unknown]>([
    ["BIGINT", "9223372036854775807", {}, "9223372036854775807"],
    ["BIGINT", "9223372036854775807", { bigint: "bigint" }, 2n ** 63n - 1n],
    ["BIGINT UNSIGNED", "18446744073709551615", { bigint: "bigint" }, 2n ** 64n - 1n],
    ["BIGINT", "-9007199254740991", { bigint: "number" }, -(2 ** 53 - 1)],
    ["BIGINT", null, { bigint: "number" }, null],
    ["INT", 7, { bigint: "bigint" }, 7],
    ["DECIMAL", "1.10", {}, "1.10"],
    ["DECIMAL", "1.10", { decimal: "number" }, 1.1],
    ["DATETIME", "2026-02-28 10:00:00", {}, "2026-02-28 10:00:00"],
    ["DATETIME", "2026-02-28 10:00:00.5", { datetime: "utc" }, new Date("2026-02-28T10:00:00.500Z")],
    ["TIMESTAMP", "2026-02-28 10:00:00.123456", { datetime: "utc" }, new Date("2026-02-28T10:00:00.123Z")],
    ["DATETIME", "0000-00-00 00:00:00", { datetime: "utc" }, new Date(Number.NaN)],
    ["DATE", "2026-02-28", { datetime: "utc" }, "2026-02-28"],
    ["JSON", { a: 1 }, {}, { a: 1 }],
    ["JSON", { a: 1 }, { json: "text" }, '{"a":1}'],
    ["JSON", [1, [2]], { json: (text) => text.length }, 7],
    ["JSON", null, { json: "text" }, null],
    ["TEXT", "[1", { json: "text" }, "[1"],
  ])("%s %j with %j", (type, value, conversions, expected) => {
    expect(read(type, value, conversions)).toEqual(expected);
  });

  test.each(["9007199254740992", "-9007199254740993", "18446744073709551615"])(
    "%s is no number, and the message does not have it",
    (value) => {
      const told = () => read("BIGINT", value, { bigint: "number" });
      expect(told).toThrow(expect.objectContaining({ code: "number_unsafe" }));
      expect(told).not.toThrow(new RegExp(value));
    },
  );
});

test("the elements of a list are those that JSON.parse finds", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1), (list, indent) => {
      const texts = elements(JSON.stringify(list, null, indent));
      expect(texts.map((text) => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(list)));
    }),
  );
  const digits = '[12345678901234567890, "a\\\\", "]\\",[", {"x": [1e400]}]';
  expect(elements(digits)).toEqual(["12345678901234567890", '"a\\\\"', '"]\\",["', '{"x": [1e400]}']);
});
