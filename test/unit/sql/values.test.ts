import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTyped, type ValueType } from "../../../src/sql/value-types.ts";
import { type BoundValue, bindJsonValue } from "../../../src/sql/values.ts";

describe("JSON values", () => {
  const table: [unknown, BoundValue][] = [
    ["a", { type: "string", value: "a" }],
    ["", { type: "string", value: "" }],
    ["😀", { type: "string", value: "😀" }],
    ["12", { type: "string", value: "12" }],
    [12, { type: "integer", value: 12 }],
    [-0, { type: "integer", value: 0 }],
    [2 ** 53 - 1, { type: "integer", value: 2 ** 53 - 1 }],
    [1.5, { type: "number", value: 1.5 }],
    [5e-324, { type: "number", value: 5e-324 }],
    [true, { type: "boolean", value: true }],
    [false, { type: "boolean", value: false }],
    [null, { type: "null", value: null }],
    [
      { type: "DECIMAL", value: "1.10" },
      { type: "decimal", value: "1.10" },
    ],
    [
      { type: "integer", value: "18446744073709551615" },
      { type: "integer", value: 2n ** 64n - 1n },
    ],
    [
      { type: "number", value: 1e300 },
      { type: "number", value: 1e300 },
    ],
    [
      { value: "2026-02-28", type: "date" },
      { type: "date", value: "2026-02-28" },
    ],
    [
      { type: "string", value: null },
      { type: "null", value: null },
    ],
  ];
  test.each(table)("%j", (value, expected) => {
    expect(bindJsonValue(value, "a")).toEqual(expected);
  });

  const refusals: unknown[] = [
    2 ** 53,
    -(2 ** 53),
    1e300,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "\ud83d",
    [],
    [1],
    {},
    { type: "decimal" },
    { type: "decimal", value: 1.1 },
    { type: "decimal", value: "1.1", more: 1 },
    { type: "blob", value: "a" },
    { type: "null", value: null },
    { type: 1, value: 1 },
    Object.create({ type: "string", value: "a" }),
    { type: "date", value: "2026-02-29" },
    undefined,
    1n,
    () => 1,
    Symbol.iterator,
  ];
  test.each(refusals.map((value) => [value]))("refuses %s", (value) => {
    expect(() => bindJsonValue(value, "a")).toThrow(
      expect.objectContaining({
        reason: "wrong_type",
        parameters: ["a"],
        message: expect.stringMatching(/^Parameter a /),
      }),
    );
  });

  test("says how to send a large integer", () => {
    expect(() => bindJsonValue(2 ** 60)).toThrow(/string/);
  });
});

describe("declared types", () => {
  const accepted: [ValueType, "json" | "query-string", unknown, BoundValue["value"]][] = [
    ["string", "query-string", "", ""],
    ["string", "json", "é", "é"],
    ["integer", "query-string", "007", 7],
    ["integer", "query-string", "-12", -12],
    ["integer", "query-string", "-0", 0],
    ["integer", "query-string", "9007199254740991", 9007199254740991],
    ["integer", "query-string", "9007199254740993", 9007199254740993n],
    ["integer", "query-string", "-9223372036854775808", -(2n ** 63n)],
    ["integer", "query-string", "18446744073709551615", 2n ** 64n - 1n],
    ["integer", "json", 12, 12],
    ["integer", "json", "9007199254740993", 9007199254740993n],
    ["number", "query-string", "1.5", 1.5],
    ["number", "query-string", "-1e-3", -0.001],
    ["number", "query-string", "12", 12],
    ["number", "json", 1e300, 1e300],
    ["boolean", "query-string", "true", true],
    ["boolean", "query-string", "0", false],
    ["boolean", "json", false, false],
    ["decimal", "query-string", "-1.10", "-1.10"],
    ["decimal", "json", "0.1", "0.1"],
    ["decimal", "json", 5, "5"],
    ["decimal", "json", `${"9".repeat(35)}.${"9".repeat(30)}`, `${"9".repeat(35)}.${"9".repeat(30)}`],
    ["date", "query-string", "2024-02-29", "2024-02-29"],
    ["date", "json", "2000-02-29", "2000-02-29"],
    ["datetime", "query-string", "2026-01-31T23:59:59Z", "2026-01-31 23:59:59"],
    ["datetime", "json", "2026-01-31 00:00:00.123456", "2026-01-31 00:00:00.123456"],
  ];
  test.each(accepted)("%s in %s: %j", (type, source, value, expected) => {
    expect(readTyped(type, value, source)).toEqual({ type, value: expected });
  });

  const refused: [ValueType, "json" | "query-string", unknown[]][] = [
    ["string", "json", [1, true, null, {}, [], "\udc00", undefined]],
    ["integer", "query-string", ["", " 1", "1 ", "+1", "1.0", "1e3", "0x1", "１", "1\n", "--1", "NaN"]],
    ["integer", "query-string", ["18446744073709551616", "-9223372036854775809", "9".repeat(100_000)]],
    ["integer", "json", [2 ** 53, 1.5, true, null, [1], {}, Number.NaN, "", "1.0"]],
    [
      "number",
      "query-string",
      ["", "1.", ".5", "1e", "Infinity", "NaN", "0x1", "1e999", "1,5", " 1", "9".repeat(500)],
    ],
    ["number", "json", ["1", Number.NaN, Number.POSITIVE_INFINITY, null, true]],
    ["boolean", "query-string", ["", "TRUE", "yes", "2", "on"]],
    ["boolean", "json", ["true", 1, 0, null]],
    [
      "decimal",
      "query-string",
      ["", "1.", ".1", "1e3", "+1", "1,1", "1.1.1", "9".repeat(66), `0.${"1".repeat(31)}`],
    ],
    ["decimal", "json", [1.1, 2 ** 53, null, true]],
    [
      "date",
      "query-string",
      ["2026-02-29", "1900-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "2026-04-31"],
    ],
    [
      "date",
      "query-string",
      ["0000-00-00", "0999-12-31", "2026-1-1", "2026-01-01 ", "20260101", "2026-01-01T00:00:00"],
    ],
    [
      "datetime",
      "query-string",
      ["2026-01-01", "2026-01-01 24:00:00", "2026-01-01 00:60:00", "2026-01-01 00:00:60"],
    ],
    [
      "datetime",
      "query-string",
      ["2026-02-30 00:00:00", "2026-01-01 00:00:00.", "2026-01-01 00:00:00.1234567"],
    ],
    ["datetime", "json", ["2026-01-01 00:00:00+01:00", "2026-01-01  00:00:00", 1767225600, null]],
  ];
  test.each(refused)("%s in %s refuses %j", (type, source, values) => {
    for (const value of values) expect(readTyped(type, value, source)).toEqual(expect.any(String));
  });

  test("every 64-bit integer arrives exactly", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (integer) => {
        const reading = readTyped("integer", String(integer), "query-string");
        expect(typeof reading === "string" ? reading : BigInt(reading.value as number | bigint)).toBe(
          integer,
        );
      }),
    );
  });

  test("every day of the calendar is a date", () => {
    const days = fc.date({ min: new Date("1000-01-01Z"), max: new Date("9999-12-31Z"), noInvalidDate: true });
    fc.assert(
      fc.property(days, (day) => {
        const text = day.toISOString();
        expect(readTyped("date", text.slice(0, 10), "json")).toEqual({
          type: "date",
          value: text.slice(0, 10),
        });
        expect(readTyped("datetime", text, "json")).toEqual({
          type: "datetime",
          value: text.slice(0, 23).replace("T", " "),
        });
      }),
    );
  });
});
