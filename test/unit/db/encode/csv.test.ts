import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Column } from "../../../../src/db/encode/columns.ts";
import { CsvEncoder } from "../../../../src/db/encode/csv.ts";
import { binary, column, written } from "./wire.ts";

function encode(columns: readonly Column[], rows: readonly unknown[][]): string {
  const encoder = new CsvEncoder();
  encoder.columns(columns);
  for (const row of rows) encoder.values(row);
  encoder.end();
  return written(encoder);
}

const varchar = (name: string) => column(0xfd, { name });

/** Reads CSV (RFC 4180 §2). An empty field without quotes is NULL. */
function read(text: string): (string | null)[][] {
  const records: (string | null)[][] = [];
  let record: (string | null)[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (field.lastIndex < text.length) {
    const at = field.lastIndex;
    const [, quoted, bare, end] = field.exec(text) ?? [];
    if (end === undefined) throw new Error(`no field at ${at}`);
    record.push(quoted?.replaceAll('""', '"') ?? (bare || null));
    if (end === ",") continue;
    records.push(record);
    record = [];
  }
  return records;
}

describe("CSV", () => {
  test("has a header, CRLF, and quotes where they are needed", () => {
    const rows = [
      [1, "a b", ""],
      [2, 'he said "hi"', "a,b"],
      [3, null, "two\nlines"],
      [4, "\r", " edge "],
    ];
    expect(encode([column(0x03, { name: "id" }), varchar("a,b"), varchar("")], rows)).toBe(
      'id,"a,b",""\r\n' +
        '1,a b,""\r\n' +
        '2,"he said ""hi""","a,b"\r\n' +
        '3,,"two\nlines"\r\n' +
        '4,"\r", edge \r\n',
    );
  });

  test("without rows is the header; without a result it is empty", () => {
    expect(encode([varchar("a")], [])).toBe("a\r\n");
    const encoder = new CsvEncoder();
    encoder.end();
    expect(written(encoder)).toBe("");
  });

  test("a value that a spreadsheet would read as a formula stays unchanged", () => {
    expect(encode([varchar("a")], [["=1+1"]])).toBe("a\r\n=1+1\r\n");
  });

  test("has all columns with one name", () => {
    expect(encode([varchar("a"), varchar("a")], [["x", "y"]])).toBe("a,a\r\nx,y\r\n");
  });

  test("has no place for an error", () => {
    expect(new CsvEncoder().fail()).toBe(false);
  });

  test("a reader gets all values back", () => {
    const characters = fc.oneof(
      fc.constantFrom('"', ",", "\r", "\n", "\r\n", " ", "=", "a"),
      fc.string({ unit: "binary" }),
    );
    const text = fc.array(characters, { maxLength: 6 }).map((parts) => parts.join(""));
    const cell = fc.oneof(text, fc.constant(null));
    const table = fc.integer({ min: 1, max: 4 }).chain((width) => {
      const names = fc.array(text, { minLength: width, maxLength: width });
      return fc.tuple(
        names,
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 4 }),
      );
    });
    fc.assert(
      fc.property(table, ([names, rows]) => {
        expect(read(encode(names.map(varchar), rows))).toEqual([names, ...rows]);
      }),
      { numRuns: 500 },
    );
  });
});

describe("each kind of value", () => {
  test.each<[string, Column, unknown, string]>([
    ["a number as JSON has it", column(0x03), -5, "-5"],
    ["FLOAT in its shortest form", column(0x04), Math.fround(1.1), "1.1"],
    ["DOUBLE", column(0x05), 1e300, "1e+300"],
    ["BIGINT without quotes", column(0x08), "9223372036854775807", "9223372036854775807"],
    ["DECIMAL without quotes", column(0xf6), "1.10", "1.10"],
    ["DATE", column(0x0a), "2026-02-28", "2026-02-28"],
    ["TIME(3)", column(0x0b, { decimals: 3 }), "10:00:00.5", "10:00:00.500"],
    ["binary as base64", column(0xfc, { characterSet: binary }), Buffer.of(0, 255), "AP8="],
    ["binary of no bytes: not NULL", column(0xfc, { characterSet: binary }), Buffer.of(), '""'],
    ["JSON as its text", column(0xf5), '{"a": [1, "b"]}', '"{""a"": [1, ""b""]}"'],
    ["a JSON string with its quotes", column(0xf5), '"x"', '"""x"""'],
    ["JSON null: not NULL", column(0xf5), "null", "null"],
    ["NULL", column(0xf5), null, ""],
  ])("%s", (_, of, value, text) => {
    expect(encode([{ ...of, name: "v" }], [[value]])).toBe(`v\r\n${text}\r\n`);
  });
});
