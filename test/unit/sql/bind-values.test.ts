import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../../../src/limits.ts";
import { bindJsonParameter, bindJsonValue, demandZone } from "../../../src/sql/bind-values.ts";
import type { BoundValue } from "../../../src/sql/bound-value.ts";
import { readTyped, type ValueType } from "../../../src/sql/declared-types.ts";

describe("JSON values", () => {
  const table: [unknown, BoundValue][] = [
    ["a", { type: "string", value: "a", undeclared: true }],
    ["", { type: "string", value: "", undeclared: true }],
    ["😀", { type: "string", value: "😀", undeclared: true }],
    ["12", { type: "string", value: "12", undeclared: true }],
    [12, { type: "integer", value: 12, undeclared: true }],
    [-0, { type: "integer", value: 0, undeclared: true }],
    [2 ** 53 - 1, { type: "integer", value: 2 ** 53 - 1, undeclared: true }],
    [1.5, { type: "number", value: 1.5, undeclared: true }],
    [5e-324, { type: "number", value: 5e-324, undeclared: true }],
    // As a number it had a fraction or an exponent: an integer literal beyond 2^53 would be a bigint.
    [1e300, { type: "number", value: 1e300, undeclared: true }],
    [2n ** 53n + 1n, { type: "integer", value: 2n ** 53n + 1n, undeclared: true }],
    [2n ** 64n - 1n, { type: "integer", value: 2n ** 64n - 1n, undeclared: true }],
    [-(2n ** 63n), { type: "integer", value: -(2n ** 63n), undeclared: true }],
    [true, { type: "boolean", value: true, undeclared: true }],
    [false, { type: "boolean", value: false, undeclared: true }],
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
  test.each(table)("%o", (value, expected) => {
    expect(bindJsonValue(value, "a")).toEqual(expected);
  });

  const refusals: unknown[] = [
    2n ** 64n,
    -(2n ** 63n) - 1n,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    "\ud83d",
    "\udc00a",
    [],
    [1],
    {},
    { type: "decimal" },
    { type: "decimal", value: 1.1 },
    { type: "decimal", value: "1.1", more: 1 },
    { type: "blob", value: "a" },
    { type: "null", value: 1 },
    { type: 1, value: 1 },
    { type: "nothing", value: 1 },
    { type: "__proto__", value: 1 },
    { type: "constructor", value: 1 },
    { type: "ARRAY", value: [1] },
    { value: 1 },
    { name: "a" },
    Object.create({ type: "string", value: "a", undeclared: true }),
    Object.assign(Object.create({ type: "string" }), { value: "a" }),
    JSON.parse('{"__proto__": {"type": "string", "value": "a"}}'),
    JSON.parse('{"type": "string", "value": "a", "__proto__": 1}'),
    { type: "date", value: "2026-02-29" },
    undefined,
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

  test("an object that is not a value is refused with the right form", () => {
    for (const value of [{}, [1], { a: 1 }, { type: "string" }])
      expect(() => bindJsonValue(value)).toThrow(/"type" and "value".*ARRAY/);
    expect(() => bindJsonValue({ type: "nothing", value: 1 })).toThrow(/the types are .*DECIMAL/);
  });

  test("a long name is cut in the message", () => {
    expect(() => bindJsonValue([], "y".repeat(100_000))).toThrow(/^Parameter y{64}\.\.\. must/);
  });
});

describe("arrays", () => {
  const array = (value: unknown) => bindJsonParameter({ type: "ARRAY", value }, "a", bindJsonValue);

  test("have elements of any type", () => {
    expect(array([1, "a", null, { type: "decimal", value: "1.10" }])).toEqual({
      list: [
        { type: "integer", value: 1, undeclared: true },
        { type: "string", value: "a", undeclared: true },
        { type: "null", value: null },
        { type: "decimal", value: "1.10" },
      ],
    });
    expect(bindJsonParameter({ type: "array", value: [1] }, "a", bindJsonValue)).toEqual({
      list: [{ type: "integer", value: 1, undeclared: true }],
    });
    expect(array(Array(limits.arrayElements).fill(1))).toMatchObject({
      list: { length: limits.arrayElements },
    });
  });

  test.each([
    [[]],
    [Array(limits.arrayElements + 1).fill(1)],
    [null],
    ["1,2"],
    [{ 0: 1, length: 1 }],
    [undefined],
    [[[1]]],
    [[{ type: "ARRAY", value: [1] }]],
    [[{}]],
    [["\ud83d"]],
  ])("are refused: %#", (value) => {
    expect(() => array(value)).toThrow(expect.objectContaining({ reason: "wrong_type", parameters: ["a"] }));
  });

  test("a value that is not an array stays a value", () => {
    expect(bindJsonParameter("a", "a", bindJsonValue)).toEqual({
      type: "string",
      value: "a",
      undeclared: true,
    });
    expect(() => bindJsonParameter([1, 2], "a", bindJsonValue)).toThrow(/ARRAY/);
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
    ["integer", "json", 9007199254740993n, 9007199254740993n],
    ["integer", "json", 5n, 5],
    ["number", "query-string", "1.5", 1.5],
    ["number", "query-string", "-1e-3", -0.001],
    ["number", "query-string", "12", 12],
    ["number", "json", 1e300, 1e300],
    ["number", "json", 2n ** 60n, 2 ** 60],
    ["boolean", "query-string", "true", true],
    ["boolean", "query-string", "0", false],
    ["boolean", "json", false, false],
    ["decimal", "query-string", "-1.10", "-1.10"],
    ["decimal", "json", "0.1", "0.1"],
    ["decimal", "json", 5, "5"],
    ["decimal", "json", 2n ** 80n, "1208925819614629174706176"],
    ["decimal", "json", `${"9".repeat(35)}.${"9".repeat(30)}`, `${"9".repeat(35)}.${"9".repeat(30)}`],
    ["date", "query-string", "2024-02-29", "2024-02-29"],
    ["date", "json", "2000-02-29", "2000-02-29"],
    ["date", "json", "0000-00-00", "0000-00-00"],
    ["date", "json", "0001-01-01", "0001-01-01"],
    ["date", "json", "9999-12-31", "9999-12-31"],
    ["datetime", "json", "0000-00-00 00:00:00", "0000-00-00 00:00:00"],
    ["datetime", "query-string", "2026-01-31T23:59:59", "2026-01-31 23:59:59"],
    ["datetime", "json", "2026-01-31 00:00:00.123456", "2026-01-31 00:00:00.123456"],
  ];
  test.each(accepted)("%s in %s: %o", (type, source, value, expected) => {
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
      [
        "0000-02-29",
        "2026-00-00",
        "10000-01-01",
        "2026-1-1",
        "-2026-01-01",
        "2026-01-01 ",
        "20260101",
        "2026-01-01T00:00:00",
      ],
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
  test.each(refused)("%s in %s refuses %#", (type, source, values) => {
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
    const days = fc.date({ min: new Date("0001-01-01Z"), max: new Date("9999-12-31Z"), noInvalidDate: true });
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
          utc: true,
        });
      }),
    );
  });
});

describe("a datetime with Z", () => {
  const values = ["2026-01-31T23:59:59", "2026-01-31T23:59:59Z"].map((value) =>
    bindJsonValue({ type: "datetime", value }),
  );

  test("is bound if the session is in UTC", () => {
    expect(() => demandZone(values, "+00:00")).not.toThrow();
    expect(() => demandZone(values.slice(0, 1), "+01:00")).not.toThrow();
  });

  test.each(["+01:00", "Europe/Berlin", "UTC", ""])("is refused if the session is in %j", (zone) => {
    expect(() => demandZone(values, zone)).toThrow(
      `Parameter 2 ends with Z, but the account's time zone is ${zone}: say it in that, without Z.`,
    );
  });
});
