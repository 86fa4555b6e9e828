import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Column } from "../../../../src/db/encode/columns.ts";
import { JsonEncoder } from "../../../../src/db/encode/json.ts";
import type { Answer } from "./wire.ts";
import { binary, column, encode, encodeRow, flags, summary, written } from "./wire.ts";

const int = (name: string) => column(0x03, { name });

describe("an answer", () => {
  test("has columns, rows and counts, in this order", () => {
    const columns = [column(0x03, { name: "id", flags: flags.notNull }), column(0xfd, { name: "name" })];
    const rows = [
      [1, "a"],
      [2, null],
    ];
    expect(encode(columns, rows, "object")).toBe(
      '{"columns":[{"name":"id","type":"INT","nullable":false},{"name":"name","type":"VARCHAR","nullable":true}],' +
        '"rows":[{"id":1,"name":"a"},{"id":2,"name":null}],"rows_affected":0,"rows_changed":null,"last_insert_id":null,"info":null,"warnings":[]}',
    );
  });

  test("has rows as arrays", () => {
    expect(encodeRow([int("a"), int("b")], [1, 2], "array")).toBe("[1,2]");
  });

  test("of no rows", () => {
    expect(JSON.parse(encode([int("a")], [], "object"))).toMatchObject({ rows: [] });
  });

  test("of a statement without a result", () => {
    const warnings = [{ level: "Note", code: 1, message: '"' }];
    const said = { rowsChanged: 2, lastInsertId: "18446744073709551615", info: "a\n", warnings };
    const encoder = new JsonEncoder("object");
    encoder.end({ rowsAffected: 3, ...said });
    expect(JSON.parse(written(encoder))).toEqual({
      columns: [],
      rows: [],
      rows_affected: 3,
      rows_changed: 2,
      last_insert_id: "18446744073709551615",
      info: "a\n",
      warnings,
    });
  });

  test("with unknown warnings", () => {
    const encoder = new JsonEncoder("object");
    encoder.end({ ...summary, warnings: null });
    expect(JSON.parse(written(encoder))).toMatchObject({ warnings: null });
  });
});

describe("an answer of a CALL", () => {
  const sets: [unknown[][], object[]][] = [
    [
      [[1], [2]],
      [{ a: 1 }, { a: 2 }],
    ],
    [[], []],
    [[[3]], [{ a: 3 }]],
  ];

  test.each([0, 1, 2, 3])("lists its result sets, here %i", (count) => {
    const encoder = new JsonEncoder("object", true);
    for (const [rows] of sets.slice(0, count)) {
      encoder.columns([int("a")]);
      for (const row of rows) encoder.values(row);
    }
    encoder.end({ ...summary, rowsAffected: 2 });
    expect(JSON.parse(written(encoder))).toEqual({
      results: sets
        .slice(0, count)
        .map(([, rows]) => ({ columns: [{ name: "a", type: "INT", nullable: true }], rows })),
      ...{ rows_affected: 2, rows_changed: null, last_insert_id: null, info: null, warnings: [] },
    });
  });
});

describe("column names", () => {
  test.each(["__proto__", "constructor", "", "a.b", 'a"b', "a\\b", "\u2028", "ä😀", "\n", "0"])(
    "%j is an ordinary name",
    (name) => {
      const row = JSON.parse(encodeRow([int(name)], [1], "object"));
      expect(Object.keys(row)).toEqual([name]);
      expect(Object.getOwnPropertyDescriptor(row, name)?.value).toBe(1);
    },
  );

  test("a lone surrogate in a name or a value is escaped, not broken", () => {
    const text = encode([column(0xfd, { name: "\ud83d" })], [["\ude00"]], "object");
    expect(text).not.toMatch(/[\ud800-\udfff]/);
    expect(JSON.parse(text).rows).toEqual([{ "\ud83d": "\ude00" }]);
  });

  const twice = [int("a"), int("b"), int("a"), int("")];

  test("an object shows the last of several columns with one name", () => {
    expect(encodeRow(twice, [1, 2, 3, 4], "object")).toBe('{"b":2,"a":3,"":4}');
  });

  test("an array shows all of them", () => {
    expect(encodeRow(twice, [1, 2, 3, 4], "array")).toBe("[1,2,3,4]");
  });

  test("the list of columns shows all in both cases", () => {
    for (const shape of ["object", "array"] as const) {
      const { columns }: Answer = JSON.parse(encode(twice, [], shape));
      expect(columns.map(({ name }) => name)).toEqual(["a", "b", "a", ""]);
    }
  });

  test("a row whose columns all have one name", () => {
    expect(encodeRow([int("a"), int("a"), int("a")], [1, 2, 3], "object")).toBe('{"a":3}');
  });
});

/** A column, values from the driver, and the values that a reader must find. */
interface Sample {
  column: Column;
  value: unknown;
  expected: unknown;
}

function sample<T>(
  of: Column,
  values: fc.Arbitrary<T>,
  expected: (value: T) => unknown,
): fc.Arbitrary<Sample> {
  return values.map((value) => ({ column: of, value, expected: expected(value) }));
}

const same = (value: unknown) => value;
const text = fc.string({ unit: "binary" });
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));

const samples = fc.oneof(
  sample(column(0x01), fc.integer({ min: -128, max: 255 }), same),
  sample(column(0x03), fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }), same),
  sample(column(0x05), fc.double({ noNaN: true, noDefaultInfinity: true }), same),
  sample(column(0x08), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map(String), same),
  sample(
    column(0xf6),
    fc.bigInt().map((n) => `${n}.50`),
    same,
  ),
  sample(column(0xfd), text, same),
  sample(column(0xfc), text, same),
  sample(column(0xfc, { characterSet: binary }), bytes, (value) => value.toString("base64")),
  sample(column(0xf5), fc.json(), (value) => JSON.parse(value)),
  sample(column(0xfc, { extendedFormat: "json" }), fc.json({ maxDepth: 3 }), (value) => JSON.parse(value)),
  sample(column(0x0c), fc.constantFrom("2026-02-28 10:00:00", "0000-00-00 00:00:00"), same),
  sample(column(0x03), fc.constant(null), same),
);

const names = fc.oneof(fc.constantFrom("a", "b", "", "__proto__", "constructor", "1"), text);

test("the pieces joined are valid JSON equal to the values", () => {
  const fields = fc.array(fc.tuple(names, samples), { maxLength: 8 });
  fc.assert(
    fc.property(fields, fc.integer({ min: 0, max: 3 }), (given, count) => {
      const columns = given.map(([name, { column: of }]) => ({ ...of, name }));
      const values = given.map(([, { value }]) => value);
      const expected = given.map(([, one]) => one.expected);
      const rows = Array.from({ length: count }, () => values);

      const arrays: Answer = JSON.parse(encode(columns, rows, "array"));
      expect(arrays.columns.map(({ name }) => name)).toEqual(given.map(([name]) => name));
      expect(arrays.rows).toEqual(rows.map(() => expected));

      const objects: Answer = JSON.parse(encode(columns, rows, "object"));
      const last = new Map(given.map(([name], i) => [name, expected[i]]));
      expect(objects.rows).toHaveLength(count);
      for (const row of objects.rows) {
        expect(new Map(Object.entries(row as object))).toEqual(last);
      }
    }),
    { numRuns: 500 },
  );
});
