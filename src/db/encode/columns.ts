import {
  floatText,
  numberText,
  writeBigint,
  writeDouble,
  writeFloat,
  writeInteger,
  writeUnsigned,
  writeUnsignedBigint,
} from "./numbers.ts";
import type { Output } from "./output.ts";
import type { Source } from "./source.ts";
import { utf8Text, writeBase64 } from "./texts.ts";
import { writeDateTime, writeTime } from "./times.ts";

/**
 * A column definition from the server (MySQL manual, Protocol::ColumnDefinition41). `extendedFormat` is
 * MariaDB's mark for a JSON column, whose type in the protocol is LONGTEXT.
 */
export interface Column {
  name: string;
  columnType: number;
  flags: number | string[];
  characterSet: number;
  /** Digits of the seconds' fraction. A number above 6 means that the server does not tell. */
  decimals?: number;
  extendedFormat?: string;
  /** Reads a text of the binary protocol that is not UTF-8. Undefined if it is. */
  decode?: ReadText;
}

/** @returns the text from `start` to `end` */
export type ReadText = (from: Source, start: number, end: number) => string;

/** Writes the value from `start` to `end`, in its form of the binary protocol, as text. */
export type WriteValue = (out: Output, from: Source, start: number, end: number) => void;

/** The description of a column for the caller, and what is known of its values. */
export interface DescribedColumn {
  name: string;
  type: string;
  nullable: boolean;
  values: ColumnValues;
}

/**
 * How the values of a column are read. Columns of one kind share an object, unless their texts are not UTF-8.
 * The format writes NULL itself.
 */
export interface ColumnValues {
  /** The JSON text of a value, or the string in its JSON string. For values of the text protocol. */
  text: (value: unknown) => string;
  /** Whether a value has bytes without a character set. Its text is base64. */
  isBytes: boolean;
  /** How the text of a value becomes JSON: as it is, as a string, or as a string if it is not valid. */
  json: "bare" | "quoted" | "checked";
  /**
   * Reads a value of the binary protocol: `write` if its text is digits or base64, which need no escapes;
   * otherwise `read`, and the value is UTF-8 itself if `isUtf8`.
   */
  binary: { write: WriteValue } | { read: ReadText; isUtf8: boolean };
}

const flag = { notNull: 1, unsigned: 32, enum: 256, set: 2048 } as const;
const binaryCharacterSet = 63;

type Kind = "integer" | "bigint" | "double" | "float" | "text" | "date" | "time" | "json" | "bytes";

/** Field types of the protocol (MySQL manual, enum_field_types) with their SQL names. */
const types: ReadonlyMap<number, { name: string; kind: Kind; signs?: true }> = new Map([
  [0x00, { name: "DECIMAL", kind: "text" }],
  [0x01, { name: "TINYINT", kind: "integer", signs: true }],
  [0x02, { name: "SMALLINT", kind: "integer", signs: true }],
  [0x03, { name: "INT", kind: "integer", signs: true }],
  [0x04, { name: "FLOAT", kind: "float" }],
  [0x05, { name: "DOUBLE", kind: "double" }],
  [0x06, { name: "NULL", kind: "text" }],
  [0x07, { name: "TIMESTAMP", kind: "date" }],
  [0x08, { name: "BIGINT", kind: "bigint", signs: true }],
  [0x09, { name: "MEDIUMINT", kind: "integer", signs: true }],
  [0x0a, { name: "DATE", kind: "date" }],
  [0x0b, { name: "TIME", kind: "time" }],
  [0x0c, { name: "DATETIME", kind: "date" }],
  [0x0d, { name: "YEAR", kind: "integer" }],
  [0x0e, { name: "DATE", kind: "date" }],
  [0x10, { name: "BIT", kind: "bytes" }],
  [0xf2, { name: "VECTOR", kind: "bytes" }],
  [0xf5, { name: "JSON", kind: "json" }],
  [0xf6, { name: "DECIMAL", kind: "text" }],
  [0xff, { name: "GEOMETRY", kind: "bytes" }],
]);

const dateOnly: readonly number[] = [0x0a, 0x0e];

/** The texts of values of the text protocol, which are converted to those of the binary protocol. */
const texts: Record<Kind, (value: unknown) => string> = {
  integer: (value) => numberText(value as number),
  bigint: String,
  double: (value) => numberText(value as number),
  float: (value) => floatText(value as number),
  text: (value) => (typeof value === "string" ? value : base64(value)),
  date: String,
  time: String,
  json: String,
  bytes: base64,
};

export function describeColumn(column: Column): DescribedColumn {
  const flags = Number(column.flags);
  const known = types.get(column.columnType);
  const { name } = column;
  const nullable = (flags & flag.notNull) === 0;
  if (known) {
    const isUnsigned = known.signs !== undefined && (flags & flag.unsigned) !== 0;
    const type = isUnsigned ? `${known.name} UNSIGNED` : known.name;
    return { name, type, nullable, values: valuesOf(known.kind, column, isUnsigned || !known.signs) };
  }
  if (column.extendedFormat === "json")
    return { name, type: "JSON", nullable, values: valuesOf("json", column) };
  const kind = column.characterSet === binaryCharacterSet ? "bytes" : "text";
  return { name, type: textType(column, flags), nullable, values: valuesOf(kind, column) };
}

/** What the values of a column depend on, beside the driver's function for texts that are not UTF-8. */
interface Traits {
  kind: Kind;
  isUnsigned: boolean;
  /** Of the seconds' fraction; 0 for other values. */
  digits: number;
  isDate: boolean;
}

/** By their traits, a few hundred at most. */
const shared = new Map<string, ColumnValues>();

function valuesOf(
  kind: Kind,
  { columnType, decimals = 0, decode }: Column,
  isUnsigned = false,
): ColumnValues {
  const isDate = dateOnly.includes(columnType);
  const digits = kind === "time" || kind === "date" ? decimals : 0;
  const traits = { kind, isUnsigned, digits, isDate };
  if (decode && (kind === "text" || kind === "json")) return makeValues(traits, decode);
  const key = `${kind} ${isUnsigned} ${digits} ${isDate}`;
  let values = shared.get(key);
  if (!values) {
    values = makeValues(traits, undefined);
    shared.set(key, values);
  }
  return values;
}

function makeValues(traits: Traits, decode: ReadText | undefined): ColumnValues {
  const { kind, digits, isDate } = traits;
  const isBare = kind === "integer" || kind === "double" || kind === "float";
  const json = isBare ? "bare" : kind === "json" ? "checked" : "quoted";
  const isTimed = kind === "time" || (kind === "date" && !isDate);
  const text = isTimed ? timeText(digits) : texts[kind];
  return { isBytes: kind === "bytes", text, json, binary: binaryOf(traits, decode) };
}

function binaryOf(
  { kind, isUnsigned, digits, isDate }: Traits,
  decode: ReadText | undefined,
): ColumnValues["binary"] {
  switch (kind) {
    case "integer":
      return { write: isUnsigned ? writeUnsigned : writeInteger };
    case "bigint":
      return { write: isUnsigned ? writeUnsignedBigint : writeBigint };
    case "double":
      return { write: writeDouble };
    case "float":
      return { write: writeFloat };
    case "date":
      return { write: (out, from, start, end) => writeDateTime(out, from, { start, end, digits, isDate }) };
    case "time":
      return { write: (out, from, start, end) => writeTime(out, from, { start, end, digits }) };
    case "bytes":
      return { write: writeBase64 };
    default:
      return { read: decode ?? utf8Text, isUtf8: decode === undefined };
  }
}

/** Strings of all lengths share few types in the protocol. The character set tells text from bytes. */
function textType(column: Column, flags: number): string {
  if (flags & flag.enum || column.columnType === 0xf7) return "ENUM";
  if (flags & flag.set || column.columnType === 0xf8) return "SET";
  const binary = column.characterSet === binaryCharacterSet;
  switch (column.columnType) {
    case 0xfe:
      return binary ? "BINARY" : "CHAR";
    case 0x0f:
    case 0xfd:
      return binary ? "VARBINARY" : "VARCHAR";
    default:
      return binary ? "BLOB" : "TEXT";
  }
}

/**
 * Adds the zeros at the end of a fraction, which the driver drops. The server's text has as many digits as
 * the column.
 */
function timeText(digits: number): (value: unknown) => string {
  if (digits < 1 || digits > 6) return texts.time;
  return (value) => {
    const [whole, fraction = ""] = String(value).split(".");
    return `${whole}.${fraction.padEnd(digits, "0")}`;
  };
}

function base64(value: unknown): string {
  return Buffer.from(value as Uint8Array).toString("base64");
}
