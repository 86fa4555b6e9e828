import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Column } from "../../../../src/db/encode/columns.ts";
import { describeColumn } from "../../../../src/db/encode/columns.ts";
import { binary, column, encodeValue, flags } from "./wire.ts";

/** The type for the caller, the value from the driver, and its JSON text. */
const table: [string, Column, string, unknown, string][] = [
  ["TINYINT", column(0x01), "TINYINT", -128, "-128"],
  ["TINYINT UNSIGNED", column(0x01, { flags: flags.unsigned }), "TINYINT UNSIGNED", 255, "255"],
  ["SMALLINT", column(0x02), "SMALLINT", -32768, "-32768"],
  ["SMALLINT UNSIGNED", column(0x02, { flags: flags.unsigned }), "SMALLINT UNSIGNED", 65535, "65535"],
  ["MEDIUMINT", column(0x09), "MEDIUMINT", -8388608, "-8388608"],
  ["INT", column(0x03), "INT", -2147483648, "-2147483648"],
  ["INT UNSIGNED", column(0x03, { flags: flags.unsigned }), "INT UNSIGNED", 4294967295, "4294967295"],
  ["BIGINT", column(0x08), "BIGINT", "-9223372036854775808", '"-9223372036854775808"'],
  ["a small BIGINT", column(0x08), "BIGINT", "1", '"1"'],
  [
    "BIGINT UNSIGNED",
    column(0x08, { flags: flags.unsigned }),
    "BIGINT UNSIGNED",
    "18446744073709551615",
    '"18446744073709551615"',
  ],
  ["DECIMAL", column(0xf6), "DECIMAL", "1.10", '"1.10"'],
  ["DECIMAL of an old server", column(0x00), "DECIMAL", "-0.00", '"-0.00"'],
  ["DECIMAL UNSIGNED", column(0xf6, { flags: flags.unsigned }), "DECIMAL", "1", '"1"'],
  ["DOUBLE", column(0x05), "DOUBLE", 0.1, "0.1"],
  ["a large DOUBLE", column(0x05), "DOUBLE", 1.7976931348623157e308, "1.7976931348623157e+308"],
  ["a small DOUBLE", column(0x05), "DOUBLE", 5e-324, "5e-324"],
  ["a DOUBLE below zero by its sign only", column(0x05), "DOUBLE", -0, "-0"],
  ["FLOAT", column(0x04), "FLOAT", Math.fround(1.1), "1.1"],
  ["the smallest FLOAT", column(0x04), "FLOAT", 2 ** -149, "1e-45"],
  ["a FLOAT of seven digits", column(0x04), "FLOAT", Math.fround(123456.7), "123456.7"],
  ["YEAR", column(0x0d, { flags: flags.unsigned }), "YEAR", 2026, "2026"],
  ["DATE", column(0x0a), "DATE", "2026-02-28", '"2026-02-28"'],
  ["a zero DATE", column(0x0a), "DATE", "0000-00-00", '"0000-00-00"'],
  ["DATE on the wire of an old server", column(0x0e), "DATE", "2026-02-28", '"2026-02-28"'],
  ["TIME", column(0x0b, { decimals: 0 }), "TIME", "-838:59:59", '"-838:59:59"'],
  ["TIME(3)", column(0x0b, { decimals: 3 }), "TIME", "10:00:00.5", '"10:00:00.500"'],
  ["TIME(6) on the second", column(0x0b, { decimals: 6 }), "TIME", "10:00:00", '"10:00:00.000000"'],
  ["DATETIME", column(0x0c, { decimals: 0 }), "DATETIME", "2026-02-28 10:00:00", '"2026-02-28 10:00:00"'],
  [
    "DATETIME(3) on the second",
    column(0x0c, { decimals: 3 }),
    "DATETIME",
    "2026-02-28 10:00:00",
    '"2026-02-28 10:00:00.000"',
  ],
  [
    "DATETIME(6)",
    column(0x0c, { decimals: 6 }),
    "DATETIME",
    "2026-02-28 10:00:00.000001",
    '"2026-02-28 10:00:00.000001"',
  ],
  [
    "DATETIME of an expression without a precision",
    column(0x0c, { decimals: 31 }),
    "DATETIME",
    "2026-02-28 10:00:00.5",
    '"2026-02-28 10:00:00.5"',
  ],
  [
    "TIMESTAMP(1)",
    column(0x07, { decimals: 1 }),
    "TIMESTAMP",
    "2026-02-28 10:00:00.5",
    '"2026-02-28 10:00:00.5"',
  ],
  ["VARCHAR", column(0xfd), "VARCHAR", "ä😀", '"ä😀"'],
  ["VARCHAR of an old server", column(0x0f), "VARCHAR", "a", '"a"'],
  ["CHAR", column(0xfe), "CHAR", "a", '"a"'],
  ["TEXT", column(0xfc), "TEXT", 'a\n"\\\u0000', '"a\\n\\"\\\\\\u0000"'],
  ["TINYTEXT", column(0xf9), "TEXT", "", '""'],
  ["MEDIUMTEXT", column(0xfa), "TEXT", "a", '"a"'],
  ["LONGTEXT", column(0xfb), "TEXT", "a", '"a"'],
  ["BINARY", column(0xfe, { characterSet: binary }), "BINARY", Buffer.of(0x61, 0, 0), '"YQAA"'],
  ["VARBINARY", column(0xfd, { characterSet: binary }), "VARBINARY", Buffer.of(0, 0xff), '"AP8="'],
  ["BLOB", column(0xfc, { characterSet: binary }), "BLOB", Buffer.of(0xfb, 0xff, 0xbf), '"+/+/"'],
  ["TINYBLOB", column(0xf9, { characterSet: binary }), "BLOB", Buffer.of(1), '"AQ=="'],
  ["MEDIUMBLOB", column(0xfa, { characterSet: binary }), "BLOB", Buffer.of(1), '"AQ=="'],
  ["LONGBLOB", column(0xfb, { characterSet: binary }), "BLOB", Buffer.alloc(0), '""'],
  ["BIT", column(0x10, { flags: flags.unsigned }), "BIT", Buffer.of(2, 1), '"AgE="'],
  ["ENUM", column(0xfe, { flags: flags.enum }), "ENUM", "b", '"b"'],
  ["ENUM of an old server", column(0xf7), "ENUM", "b", '"b"'],
  [
    "ENUM of bytes",
    column(0xfe, { flags: flags.enum, characterSet: binary }),
    "ENUM",
    Buffer.of(0x62),
    '"Yg=="',
  ],
  ["SET", column(0xfe, { flags: flags.set }), "SET", "a,b", '"a,b"'],
  ["SET of an old server", column(0xf8), "SET", "", '""'],
  ["JSON", column(0xf5, { characterSet: binary }), "JSON", '{"b": 1}', '{"b": 1}'],
  [
    "a JSON number with more digits than a double",
    column(0xf5),
    "JSON",
    '{"n": 12345678901234567890}',
    '{"n": 12345678901234567890}',
  ],
  ["a JSON text", column(0xf5), "JSON", '"x"', '"x"'],
  ["JSON null, which is not NULL", column(0xf5), "JSON", "null", "null"],
  ["JSON on MariaDB", column(0xfc, { extendedFormat: "json" }), "JSON", "[1,2]", "[1,2]"],
  [
    "JSON on MariaDB in several lines",
    column(0xfc, { extendedFormat: "json" }),
    "JSON",
    '{\r\n\t"a" : "\\n"\n}',
    '{  \t"a" : "\\n" }',
  ],
  ["GEOMETRY", column(0xff, { characterSet: binary }), "GEOMETRY", Buffer.of(0, 1), '"AAE="'],
  ["VECTOR", column(0xf2, { characterSet: binary }), "VECTOR", Buffer.of(0, 0, 128, 63), '"AACAPw=="'],
  ["NULL of no type", column(0x06), "NULL", null, "null"],
];

describe("every type of the protocol", () => {
  test.each(table)("%s", (_, of, type, value, text) => {
    expect(describeColumn(of).type).toBe(type);
    expect(encodeValue(of, value)).toBe(text);
    expect(() => JSON.parse(text)).not.toThrow();
  });

  test.each(table)("%s can be NULL", (_, of) => {
    expect(encodeValue(of, null)).toBe("null");
  });

  test("NOT NULL is reported", () => {
    expect(describeColumn(column(0x03)).nullable).toBe(true);
    expect(describeColumn(column(0x03, { flags: flags.notNull })).nullable).toBe(false);
    expect(describeColumn(column(0xfd, { flags: flags.notNull | flags.binary })).nullable).toBe(false);
  });

  test("values of an unknown type are not lost", () => {
    expect(encodeValue(column(0xf0), "x")).toBe('"x"');
    expect(encodeValue(column(0xf0, { characterSet: binary }), Buffer.of(1))).toBe('"AQ=="');
  });
});

describe("FLOAT", () => {
  const float = column(0x04);

  test.each([
    [1.1, "1.1"],
    [0.1, "0.1"],
    [16777216, "16777216"],
    [16777215, "16777215"],
    [123456.7, "123456.7"],
    [0.3333333, "0.3333333"],
    [8388609, "8388609"],
    [3.4028234663852886e38, "3.4028235e+38"],
    [1.17549435e-38, "1.1754944e-38"],
    [-0, "-0"],
    [0, "0"],
  ])("%d is written as %s", (value, text) => {
    expect(encodeValue(float, Math.fround(value))).toBe(text);
  });

  test("a number of six digits keeps its text", () => {
    const digits = fc.tuple(fc.integer({ min: -999_999, max: 999_999 }), fc.integer({ min: -20, max: 20 }));
    fc.assert(
      fc.property(digits, ([mantissa, exponent]) => {
        const value = Number(`${mantissa}e${exponent}`);
        expect(Number(encodeValue(float, Math.fround(value)))).toBe(value);
      }),
    );
  });

  test("every float has its own text of at most nine digits", () => {
    const bits = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(bits, (pattern) => {
        const view = new DataView(new ArrayBuffer(4));
        view.setUint32(0, pattern);
        const value = view.getFloat32(0);
        fc.pre(Number.isFinite(value));
        const text = encodeValue(float, value);
        expect(Math.fround(JSON.parse(text))).toBe(value);
        const digits = (text.split("e")[0] ?? "").replaceAll(/[-.]/g, "").replaceAll(/^0+|0+$/g, "");
        expect(digits.length).toBeLessThanOrEqual(9);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("invalid JSON, in a MariaDB column without its check", () => {
  const json = column(0xfc, { extendedFormat: "json" });

  test.each(["", "{", "undefined", "{'a': 1}", "[1,]", "NaN", "1 2", '"a', "]", '"}],"rows":['])(
    "%j is a string",
    (text) => {
      expect(JSON.parse(encodeValue(json, text))).toBe(text);
    },
  );

  test("no text breaks the answer", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(() => JSON.parse(encodeValue(json, text))).not.toThrow();
      }),
    );
  });
});
