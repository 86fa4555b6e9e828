import fc from "fast-check";
import type { Connection } from "mysql2/promise";

/**
 * A table with columns of many types, and values for the placeholder beside one of them
 * (values-meet-columns.test.ts).
 */

/** How a comparison reads the column's cells (meeting-oracle.ts). */
export type Kind =
  | "number"
  | "double"
  | "bits"
  | "year"
  | "text"
  | "bytes"
  | "enum"
  | "set"
  | "date"
  | "datetime"
  | "time";

export interface MetColumn {
  name: string;
  /** The column's declaration. */
  sql: string;
  kind: Kind;
  /** Row 1 has the first cell; the last row has NULL. */
  cells: readonly string[];
}

/** A parameter without a declared type. */
export interface MetValue {
  kind: "integer" | "fraction" | "boolean" | "text";
  /** A text itself, or the digits of a number as they are sent; for booleans "true" and "false". */
  text: string;
}

const wholes = ["0", "5", "6", "1", "7", "-6", "10", "2", "53"];
const fractions = ["0.00", "5.00", "6.00", "1.50", "7.25", "-6.00", "10.00", "2.00", "53.00"];
const big = ["9007199254740993", "9007199254740992"];
const texts = ["abc", "5", "0", "5x", "tower", "9007199254740993", "1.5", "1e1", "1"];
const days =
  "2026-01-01 2000-01-01 1999-12-31 2026-12-31 1970-01-02 2005-05-05 2026-05-05 2006-06-06 1987-06-05";
const dates = days.split(" ");

export const columns: readonly MetColumn[] = [
  { name: "c_int", sql: "INT", kind: "number", cells: wholes },
  {
    name: "c_unsigned",
    sql: "BIGINT UNSIGNED",
    kind: "number",
    cells: [...big, "0", "5", "6", "1", "7", "10", "2"],
  },
  { name: "c_bigint", sql: "BIGINT", kind: "number", cells: [...wholes.slice(0, 7), ...big] },
  {
    name: "c_decimal",
    sql: "DECIMAL(30,2)",
    kind: "number",
    cells: [...fractions.slice(0, 7), ...big.map((one) => `${one}.00`)],
  },
  {
    name: "c_double",
    sql: "DOUBLE",
    kind: "double",
    cells: [...fractions.slice(0, 7), "1e300", "9007199254740992"],
  },
  { name: "c_float", sql: "FLOAT", kind: "double", cells: fractions },
  { name: "c_bit", sql: "BIT(8)", kind: "bits", cells: ["0", "5", "6", "1", "7", "53", "10", "2", "120"] },
  {
    name: "c_year",
    sql: "YEAR",
    kind: "year",
    cells: ["2000", "2005", "2006", "1901", "1970", "1999", "2010", "2026", "2155"],
  },
  { name: "c_date", sql: "DATE", kind: "date", cells: dates },
  {
    name: "c_datetime",
    sql: "DATETIME",
    kind: "datetime",
    cells: dates.map((day, i) => `${day} 00:00:${i % 2 ? "05" : "00"}`),
  },
  {
    name: "c_timestamp",
    sql: "TIMESTAMP NULL",
    kind: "datetime",
    cells: dates.map((day) => `${day} 00:00:00`),
  },
  {
    name: "c_time",
    sql: "TIME",
    kind: "time",
    cells: [
      "00:00:00",
      "00:00:05",
      "00:00:06",
      "00:00:01",
      "00:00:07",
      "10:00:00",
      "00:00:10",
      "00:20:26",
      "-00:00:06",
    ],
  },
  { name: "c_varchar", sql: "VARCHAR(40)", kind: "text", cells: [...texts.slice(0, 8), ""] },
  { name: "c_char", sql: "CHAR(40)", kind: "text", cells: texts },
  { name: "c_text", sql: "TEXT", kind: "text", cells: [...texts.slice(0, 7), " 7", ""] },
  { name: "c_varbinary", sql: "VARBINARY(40)", kind: "bytes", cells: texts },
  { name: "c_blob", sql: "BLOB", kind: "bytes", cells: texts },
  { name: "c_enum", sql: `ENUM('${texts.join("','")}')`, kind: "enum", cells: texts },
  { name: "c_set", sql: `SET('${texts.join("','")}')`, kind: "set", cells: texts },
];

export const rowCount = wholes.length + 1;

/**
 * The same rows without keys, and with a key for each column, because a server may compare in another way
 * when it looks up a key.
 */
export const tables = ["met", "met_keyed"] as const;
export type MetTable = (typeof tables)[number];

/** Makes both tables in a database; numbers are written as numbers. */
export async function makeMeetings(administrator: Connection, database: string): Promise<void> {
  const isPlain = ({ kind }: MetColumn) => ["number", "double", "bits", "year"].includes(kind);
  const list = columns.map(({ name, sql }) => `${name} ${sql}`).join(", ");
  const keys = columns
    .map(({ name, sql }) => `, KEY (${name}${/TEXT|BLOB/.test(sql) ? "(40)" : ""})`)
    .join("");
  const rows = Array.from({ length: rowCount }, (_, row) => {
    const cells = columns.map((column) => {
      const cell = column.cells[row];
      return cell === undefined ? "NULL" : isPlain(column) ? cell : `'${cell}'`;
    });
    return `(${[row + 1, 0, ...cells].join(", ")})`;
  });
  for (const table of tables) {
    await administrator.query(`DROP TABLE IF EXISTS ${database}.${table}`);
    await administrator.query(
      `CREATE TABLE ${database}.${table} (id INT PRIMARY KEY, mark INT NOT NULL, ${list}${table === "met" ? "" : keys}) ENGINE = InnoDB COLLATE utf8mb4_unicode_ci`,
    );
    await administrator.query(`INSERT INTO ${database}.${table} VALUES ${rows.join(", ")}`);
  }
}

export const operators = {
  equals: "= ?",
  differs: "<> ?",
  is: "<=> ?",
  in_one: "IN (?)",
  in: "IN (?, ?)",
  not_in: "NOT IN (?, ?)",
  like: "LIKE ?",
  less: "< ?",
  greater: "> ?",
  between: "BETWEEN ? AND ?",
} as const;
export type Operator = keyof typeof operators;

/** A comparison. The question is which rows of the table it selects. */
export interface Meeting {
  table: MetTable;
  column: MetColumn;
  operator: Operator;
  value: MetValue;
}

const value =
  (kind: MetValue["kind"]) =>
  (text: unknown): MetValue => ({ kind, text: String(text) });

/** Values that one of the servers, or all, read as another value. */
const notable: Record<MetValue["kind"], readonly string[]> = {
  integer: [...wholes, ...big, "2026", "26", "20260101", "-1", "9223372036854775807", "18446744073709551615"],
  fraction: ["0.5", "1.5", "-2.25", "7.25", "1.1", "2026.5"],
  boolean: ["true", "false"],
  text: [
    ...[...texts, ...wholes, ...big, "26", "2026", "20260101", "6.0", "06", "1.5", "1e0", "+6", " 6", "6 "],
    ...[
      "6-4f3a",
      "0x6",
      "6.0.0",
      "",
      " ",
      "x",
      "Tower",
      "2026-01-01",
      "2026-13-01",
      "2026-02-30",
      "2026-1-1",
    ],
    ...["2026-01-01 00:00:00", "00:00:06", "-", ".", "true", "e1"],
  ],
};

const short = fc.string({ unit: fc.constantFrom(..."0156 abx-.+e"), maxLength: 4 });

export const values: fc.Arbitrary<MetValue> = fc.oneof(
  ...Object.entries(notable).map(([kind, list]) =>
    fc.constantFrom(...list).map(value(kind as MetValue["kind"])),
  ),
  fc.integer({ min: -9, max: 60 }).map(value("integer")),
  short.map(value("text")),
);

/** Only letters are used in patterns. Columns of dates and fractions have a different text on each server. */
const hasPattern = ({ kind, sql }: MetColumn) =>
  ["text", "bytes", "enum", "set"].includes(kind) || /INT/.test(sql);

export const meetings: fc.Arbitrary<Meeting> = fc
  .record({
    table: fc.constantFrom(...tables),
    column: fc.constantFrom(...columns),
    operator: fc.constantFrom(...(Object.keys(operators) as Operator[])),
    value: values,
  })
  .filter(({ column, operator }) => operator !== "like" || hasPattern(column));

/** The condition, with the value at every placeholder. */
export function conditionOf(
  { column, operator }: Pick<Meeting, "column" | "operator">,
  placeholder = "?",
): string {
  return `${column.name} ${operators[operator].replaceAll("?", placeholder)}`;
}

/** The value as JSON, with every digit. */
export function sent({ kind, text }: MetValue): unknown {
  return kind === "text" ? text : (JSON as unknown as { rawJSON(json: string): unknown }).rawJSON(text);
}
