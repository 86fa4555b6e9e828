import { describe, expect, test } from "vitest";
import type { Column } from "../../../../src/db/encode/columns.ts";
import { textRowReader } from "../../../../src/db/mysql/driver/text-rows.ts";
import { binary, column, encodeValue } from "./wire.ts";

const read = (of: Column, text: string | Buffer) =>
  textRowReader([of])([typeof text === "string" ? Buffer.from(text) : text])[0];

/** The server's text, the same value in the binary protocol, and its JSON. */
const table: [string, Column, string | Buffer, unknown, string][] = [
  ["TINYINT", column(0x01), "-128", -128, "-128"],
  ["SMALLINT", column(0x02), "32767", 32767, "32767"],
  ["INT", column(0x03), "-2147483648", -2147483648, "-2147483648"],
  ["INT ZEROFILL", column(0x03), "00000042", 42, "42"],
  ["MEDIUMINT", column(0x09), "8388607", 8388607, "8388607"],
  ["YEAR", column(0x0d), "0000", 0, "0"],
  ["BIGINT", column(0x08), "-9223372036854775808", "-9223372036854775808", '"-9223372036854775808"'],
  ["BIGINT ZEROFILL", column(0x08), "00000000000000000042", "42", '"42"'],
  ["FLOAT", column(0x04), "1.1", Math.fround(1.1), "1.1"],
  ["a large FLOAT", column(0x04), "1e30", Math.fround(1e30), "1e+30"],
  ["DOUBLE", column(0x05), "1.7976931348623157e308", 1.7976931348623157e308, "1.7976931348623157e+308"],
  ["a DOUBLE below zero by its sign only", column(0x05), "-0", -0, "-0"],
  ["DECIMAL", column(0xf6), "0001.10", "0001.10", '"0001.10"'],
  ["DATE", column(0x0a), "0000-00-00", "0000-00-00", '"0000-00-00"'],
  ["TIME(3)", column(0x0b, { decimals: 3 }), "-838:59:59.500", "-838:59:59.500", '"-838:59:59.500"'],
  ["VARCHAR", column(0xfd), "ä😀", "ä😀", '"ä😀"'],
  [
    "VARBINARY",
    column(0xfd, { characterSet: binary }),
    Buffer.from([0, 255]),
    Buffer.from([0, 255]),
    '"AP8="',
  ],
  ["BIT", column(0x10, { characterSet: binary }), Buffer.from([2, 1]), Buffer.from([2, 1]), '"AgE="'],
  ["GEOMETRY", column(0xff, { characterSet: binary }), Buffer.from([1]), Buffer.from([1]), '"AQ=="'],
  ["VECTOR", column(0xf2, { characterSet: binary }), Buffer.from([1]), Buffer.from([1]), '"AQ=="'],
  ["JSON", column(0xf5, { characterSet: binary }), '{"a": "ä"}', '{"a": "ä"}', '{"a": "ä"}'],
  [
    "MariaDB's JSON of bytes",
    column(0xfc, { characterSet: binary, extendedFormat: "json" }),
    ...(["[1]", "[1]", "[1]"] as const),
  ],
];

describe("a value of the text protocol becomes that of the binary protocol", () => {
  test.each(table)("%s", (_, of, text, value, json) => {
    expect(read(of, text)).toEqual(value);
    expect(encodeValue(of, read(of, text))).toBe(json);
  });

  test("NULL is NULL in every type", () => {
    const columns = table.map(([, of]) => of);
    expect(textRowReader(columns)(columns.map(() => null))).toEqual(columns.map(() => null));
  });
});
