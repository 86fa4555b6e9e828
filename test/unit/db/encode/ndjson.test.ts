import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NdjsonEncoder } from "../../../../src/db/encode/ndjson.ts";
import type { RowShape } from "../../../../src/db/encode/types.ts";
import { column, encode as encodeJson, flags, summary, written } from "./wire.ts";

const columns = [column(0x03, { name: "id", flags: flags.notNull }), column(0xfd, { name: "name" })];

function encode(rows: unknown[][], shape: RowShape, of = columns): string {
  const encoder = new NdjsonEncoder(shape);
  encoder.columns(of);
  for (const row of rows) encoder.values(row);
  encoder.end(summary);
  return written(encoder);
}

const rows = [
  [1, "a\nb"],
  [2, null],
];

describe("NDJSON", () => {
  test("has a line for the columns, one for each row, and one for the summary", () => {
    expect(encode(rows, "object")).toBe(
      '{"columns":[{"name":"id","type":"INT","nullable":false},{"name":"name","type":"VARCHAR","nullable":true}]}\n' +
        '{"id":1,"name":"a\\nb"}\n' +
        '{"id":2,"name":null}\n' +
        '{"rows_affected":0,"rows_changed":null,"last_insert_id":null,"info":null,"warnings":[]}\n',
    );
  });

  test("has rows as arrays; no other line is an array", () => {
    expect(encode(rows, "array").split("\n").slice(1, 3)).toEqual(['[1,"a\\nb"]', "[2,null]"]);
  });

  test("with several result sets has the columns of each before its rows", () => {
    const encoder = new NdjsonEncoder("array");
    const one = column(0x03, { name: "a" });
    encoder.columns([one]);
    encoder.values([1]);
    encoder.columns([one, one]);
    encoder.values([2, 3]);
    encoder.end(summary);
    const lines = written(encoder)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => (Array.isArray(line) ? line : Object.keys(line)[0]))).toEqual([
      ...["columns", [1], "columns", [2, 3], "rows_affected"],
    ]);
  });

  test("of a statement without a result", () => {
    const encoder = new NdjsonEncoder("object");
    encoder.end({ ...summary, rowsAffected: 3, lastInsertId: "7" });
    expect(written(encoder)).toBe(
      '{"columns":[]}\n{"rows_affected":3,"rows_changed":null,"last_insert_id":"7","info":null,"warnings":[]}\n',
    );
  });

  test("ends with the error if it breaks off", () => {
    const encoder = new NdjsonEncoder("object");
    expect(encoder.fail({ code: "deadline_exceeded" })).toBe(true);
    expect(written(encoder)).toBe('{"error":{"code":"deadline_exceeded"}}\n');
  });

  test("JSON that was stored in several lines is in one line", () => {
    const stored = '{\n "a":\r\n [1,\n 2]}';
    const line = encode([[stored]], "object", [column(0xfc, { name: "j", extendedFormat: "json" })]).split(
      "\n",
    )[1];
    expect(JSON.parse(line ?? "")).toEqual({ j: { a: [1, 2] } });
  });

  describe("has one line end per line, by the rules of every reader", () => {
    // The line ends of Python's str.splitlines(), which iter_lines() of httpx and requests uses. Java's \\R
    // and Perl's have fewer.
    const pythonLineEnds = ["\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"];
    const hostile = `a${pythonLineEnds.join("")}\u2028b`;
    const json = { name: `j${hostile}`, extendedFormat: "json" } as const;
    const of = [column(0xfd, { name: `s${hostile}` }), column(0xfc, json), column(0xf5, { name: "n" })];
    const stored = JSON.stringify({ [hostile]: [hostile] }, null, 1);
    const warned = { ...summary, warnings: [{ level: "Warning", code: 1, message: hostile }] };

    test.each(["object", "array"] as const)("rows as %s", (shape) => {
      const encoder = new NdjsonEncoder(shape);
      encoder.columns(of);
      encoder.values([hostile, stored, stored]);
      // Invalid JSON, which MariaDB can store, becomes a string.
      encoder.values([hostile, hostile, null]);
      encoder.end({ ...warned, info: hostile });
      encoder.fail({ detail: hostile });
      const text = written(encoder);
      for (const end of pythonLineEnds.slice(1)) expect(text).not.toContain(end);
      const lines = text.split("\n").map((each) => each && JSON.parse(each));
      expect(lines).toHaveLength(6);
      expect(lines[0].columns[0].name).toBe(of[0]?.name);
      const value = { [hostile]: [hostile] };
      expect([...Object.values(lines[1]), ...Object.values(lines[2])]).toEqual([
        ...[hostile, value, value],
        ...[hostile, hostile, null],
      ]);
      expect(lines[3]).toMatchObject({ info: hostile, warnings: [{ message: hostile }] });
      expect(lines[4]).toEqual({ error: { detail: hostile } });
      expect(lines[5]).toBe("");
    });

    test("escapes nothing else that JSON.stringify does not escape", () => {
      const others = String.fromCodePoint(
        ...Array.from({ length: 0x3000 }, (_, i) => i).filter(
          (c) => c !== 0x85 && (c < 0x2028 || c > 0x2029),
        ),
      );
      const [, row] = encode([[others]], "array", [column(0xfd)]).split("\n");
      expect(row).toBe(JSON.stringify([others]));
    });
  });

  test("its lines have the same values as the JSON answer", () => {
    const of = [column(0xfd, { name: "s" }), column(0xfc, { name: "j", extendedFormat: "json" })];
    const json = fc
      .tuple(fc.json(), fc.integer({ min: 0, max: 2 }))
      .map(([text, indent]) => JSON.stringify(JSON.parse(text), null, indent));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: "binary" }), json), { maxLength: 4 }), (given) => {
        const [head = "", ...lines] = encode(given, "array", of).split(/[\n\x85\u2028\u2029]/);
        const whole = JSON.parse(encodeJson(of, given, "array"));
        expect(JSON.parse(head).columns).toEqual(whole.columns);
        expect(lines.slice(0, -2).map((line) => JSON.parse(line))).toEqual(whole.rows);
        expect(lines.at(-1)).toBe("");
      }),
      { numRuns: 300 },
    );
  });
});
