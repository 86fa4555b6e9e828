import fc from "fast-check";
import { has } from "../support/features.ts";

/**
 * A column of a type, and values for it: in the form of a parameter, and the same in the form of an answer.
 */
export interface ColumnCase {
  /** The column's declaration. */
  sql: string;
  /** The parameter's type: the answer's own `type`, or the name for a string of this form. */
  type: string;
  values: fc.Arbitrary<unknown>;
  /** The value in the answer; default: the sent value. */
  answer?: (value: unknown) => unknown;
  /** The placeholder in a comparison with the column; false if the servers do not compare such values. */
  compared?: string | false;
}

const bytes = (length: fc.IntArrayConstraints["minLength"], most = length) =>
  fc.uint8Array({ minLength: length ?? 0, maxLength: most ?? 0 }).map((array) => base64(Buffer.from(array)));
const base64 = (buffer: Buffer) => buffer.toString("base64");
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const text = fc.string({ unit: "binary", maxLength: 40 });
const digits = (value: number, width: number) => String(value).padStart(width, "0");

function integer(sql: string, type: string, least: bigint, most: bigint): ColumnCase {
  const isBig = type.startsWith("BIGINT");
  const ends = fc.constantFrom(least, most, least + 1n, most - 1n, 0n);
  const values = fc.oneof(fc.bigInt(least, most), ends);
  return { sql, type, values, answer: (value) => (isBig ? String(value) : Number(value)) };
}

const integers = Object.entries({
  TINYINT: 8n,
  SMALLINT: 16n,
  MEDIUMINT: 24n,
  INT: 32n,
  BIGINT: 64n,
}).flatMap(([type, bits]) => [
  integer(type, type, -(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n),
  integer(`${type} UNSIGNED`, `${type} UNSIGNED`, 0n, 2n ** bits - 1n),
]);

const decimal = fc.bigInt(-(10n ** 65n) + 1n, 10n ** 65n - 1n).map((scaled) => {
  const all = String(scaled < 0n ? -scaled : scaled).padStart(31, "0");
  return `${scaled < 0n ? "-" : ""}${all.slice(0, -30)}.${all.slice(-30)}`;
});

const date = fc
  .date({ min: new Date("1000-01-01Z"), max: new Date("9999-12-31T23:59:59.000Z"), noInvalidDate: true })
  .map((day) => day.toISOString());
const micros = fc.integer({ min: 0, max: 999_999 }).map((value) => digits(value, 6));
const datetime = fc
  .tuple(date, micros)
  .map(([day, fraction]) => `${day.slice(0, 19).replace("T", " ")}.${fraction}`);
const timestamp = fc
  .tuple(fc.integer({ min: 1, max: 2 ** 31 - 2 }), micros)
  .map(([s, fraction]) => `${new Date(s * 1000).toISOString().slice(0, 19).replace("T", " ")}.${fraction}`);
const time = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.integer({ min: 0, max: 838 }),
    ...[fc.integer({ min: 0, max: 58 }), fc.integer({ min: 1, max: 59 }), micros],
  )
  .map(
    ([sign, h, m, s, fraction]) =>
      `${sign}${digits(h, 2)}:${digits(m as number, 2)}:${digits(s as number, 2)}.${fraction}`,
  );

const point = fc.tuple(finite, finite).map(([x, y]) => {
  const wkb = Buffer.alloc(25);
  // SRID 0, little-endian, a point.
  wkb.writeUInt8(1, 4);
  wkb.writeUInt32LE(1, 5);
  wkb.writeDoubleLE(x, 9);
  wkb.writeDoubleLE(y, 17);
  return base64(wkb);
});
const vector = fc
  .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 3, maxLength: 3 })
  .map((floats) => base64(Buffer.from(Float32Array.from(floats).buffer)));

/**
 * No text or number at the top, because `value` could not distinguish it from null. Keys that no object has
 * by itself.
 */
const json = fc.oneof(
  fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
  fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 4 }),
  fc.string(),
  finite,
);

const shape: ColumnCase = { sql: "GEOMETRY", type: "GEOMETRY", values: point, compared: false };

/** A column of every type that all engines have. */
export const everyType: readonly ColumnCase[] = [
  ...integers,
  { sql: "BOOL", type: "BOOL", values: fc.boolean(), answer: Number },
  { sql: "DECIMAL(65,30)", type: "DECIMAL", values: decimal },
  { sql: "BIT(64)", type: "BIT", values: bytes(8) },
  { sql: "DATE", type: "DATE", values: date.map((day) => day.slice(0, 10)) },
  { sql: "DATETIME(6)", type: "DATETIME", values: datetime },
  { sql: "TIMESTAMP(6) NULL", type: "TIMESTAMP", values: timestamp },
  { sql: "TIME(6)", type: "TIME", values: time },
  { sql: "YEAR", type: "YEAR", values: fc.oneof(fc.constant(0), fc.integer({ min: 1901, max: 2155 })) },
  { sql: "CHAR(40)", type: "CHAR", values: text.map((value) => value.replace(/ +$/, "")) },
  { sql: "VARCHAR(40)", type: "VARCHAR", values: text },
  { sql: "TEXT", type: "TEXT", values: text },
  { sql: "BINARY(4)", type: "BINARY", values: bytes(4) },
  { sql: "VARBINARY(20)", type: "VARBINARY", values: bytes(0, 20) },
  { sql: "BLOB", type: "BLOB", values: bytes(0, 40) },
  { sql: "ENUM('a','ö','0')", type: "ENUM", values: fc.constantFrom("a", "ö", "0") },
  {
    sql: "SET('a','ö','c')",
    type: "SET",
    values: fc.subarray(["a", "ö", "c"]).map((chosen) => chosen.join()),
  },
  ...(has.geometry ? [shape] : []),
];

/** Through Hyperdrive a FLOAT has only six digits. MariaDB and TiDB store -0 as 0. */
export const float: ColumnCase = {
  sql: "FLOAT",
  type: "FLOAT",
  values: fc.float({ noNaN: true, noDefaultInfinity: true }),
  answer: (value) => Math.fround(Number(value)) + 0,
};

export const ofEngine: Record<string, readonly ColumnCase[]> = {
  mysql: [
    { sql: "DOUBLE", type: "DOUBLE", values: finite },
    { sql: "JSON", type: "JSON", values: json, compared: "CAST(? AS JSON)" },
    { sql: "VECTOR(3)", type: "VECTOR", values: vector, compared: false },
  ],
  tidb: [
    // TiDB stores -0 as 0 (its pkg/util/codec/float.go asks `f >= 0` for the sign).
    { sql: "DOUBLE", type: "DOUBLE", values: finite, answer: (value) => Number(value) + 0 },
    { sql: "JSON", type: "JSON", values: json, compared: "CAST(? AS JSON)" },
  ],
  mariadb: [
    // MariaDB stores -0 as 0.
    { sql: "DOUBLE", type: "DOUBLE", values: finite, answer: (value) => Number(value) + 0 },
    { sql: "JSON", type: "JSON", values: json },
    // MariaDB refuses some UUIDs of other versions.
    { sql: "UUID", type: "UUID", values: fc.uuid({ version: [1, 3, 4, 5] }) },
    { sql: "INET4", type: "INET4", values: fc.ipV4() },
    {
      sql: "INET6",
      type: "INET6",
      values: fc
        .array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 })
        .map((groups) => groups.map((group) => group.toString(16)).join(":")),
    },
  ],
};
