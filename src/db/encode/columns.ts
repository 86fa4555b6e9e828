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
}

/**
 * The description of a column for the caller, and the functions that write its values. The format writes NULL
 * itself.
 */
export interface DescribedColumn {
  name: string;
  type: string;
  nullable: boolean;
  /** Writes a value as JSON text. */
  json: (value: unknown) => string;
  /**
   * Writes a value as text without quotes: the content of its JSON string, or the JSON text of other values.
   */
  text: (value: unknown) => string;
}

const flag = { notNull: 1, unsigned: 32, enum: 256, set: 2048 } as const;
const binaryCharacterSet = 63;

type Kind = "number" | "text" | "time" | "float" | "json" | "bytes" | "string";

/** Field types of the protocol (MySQL manual, enum_field_types) with their SQL names. */
const types: ReadonlyMap<number, { name: string; kind: Kind; integer?: true }> = new Map([
  [0x00, { name: "DECIMAL", kind: "text" }],
  [0x01, { name: "TINYINT", kind: "number", integer: true }],
  [0x02, { name: "SMALLINT", kind: "number", integer: true }],
  [0x03, { name: "INT", kind: "number", integer: true }],
  [0x04, { name: "FLOAT", kind: "float" }],
  [0x05, { name: "DOUBLE", kind: "number" }],
  [0x06, { name: "NULL", kind: "text" }],
  [0x07, { name: "TIMESTAMP", kind: "time" }],
  [0x08, { name: "BIGINT", kind: "text", integer: true }],
  [0x09, { name: "MEDIUMINT", kind: "number", integer: true }],
  [0x0a, { name: "DATE", kind: "text" }],
  [0x0b, { name: "TIME", kind: "time" }],
  [0x0c, { name: "DATETIME", kind: "time" }],
  [0x0d, { name: "YEAR", kind: "number" }],
  [0x0e, { name: "DATE", kind: "text" }],
  [0x10, { name: "BIT", kind: "bytes" }],
  [0xf2, { name: "VECTOR", kind: "bytes" }],
  [0xf5, { name: "JSON", kind: "json" }],
  [0xf6, { name: "DECIMAL", kind: "text" }],
  [0xff, { name: "GEOMETRY", kind: "bytes" }],
]);

const texts: Record<Kind, (value: unknown) => string> = {
  number: (value) => numberText(value as number),
  text: String,
  time: String,
  float: (value) => numberText(shortestFloat(value as number)),
  json: String,
  bytes: base64,
  string: (value) => (typeof value === "string" ? value : base64(value)),
};

function writersOf(kind: Kind, text = texts[kind]): Pick<DescribedColumn, "json" | "text"> {
  if (kind === "number" || kind === "float") return { json: text, text };
  return { json: kind === "json" ? embeddedJson : (value) => JSON.stringify(text(value)), text };
}

export function describeColumn(column: Column): DescribedColumn {
  const flags = Number(column.flags);
  const known = types.get(column.columnType);
  const nullable = (flags & flag.notNull) === 0;
  if (known) {
    const unsigned = known.integer && (flags & flag.unsigned) !== 0 ? " UNSIGNED" : "";
    const text = known.kind === "time" ? timeText(column.decimals ?? 0) : undefined;
    return { name: column.name, type: known.name + unsigned, nullable, ...writersOf(known.kind, text) };
  }
  if (column.extendedFormat === "json") {
    return { name: column.name, type: "JSON", nullable, ...writersOf("json") };
  }
  return { name: column.name, type: textType(column, flags), nullable, ...writersOf("string") };
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

/** JSON has -0, but JSON.stringify writes 0 for it. */
function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** A smaller FLOAT has fewer bits, so fewer digits may be enough. */
const smallestNormalFloat = 2 ** -126;

/**
 * Finds the shortest text of a FLOAT. It arrives as the nearest double: 1.1 as 1.100000023841858. Nine digits
 * tell every FLOAT apart, and a value that was written with six digits or fewer needs six.
 */
function shortestFloat(value: number): number {
  if (value === 0) return value;
  for (let digits = Math.abs(value) < smallestNormalFloat ? 1 : 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

/**
 * Writes JSON from the server. MySQL's JSON is always valid. MariaDB's is text whose check may be off. It
 * keeps line breaks between tokens, which would end a line of NDJSON.
 */
function embeddedJson(value: unknown): string {
  const text = String(value);
  try {
    JSON.parse(text);
    return text.replaceAll(/[\r\n]/g, " ");
  } catch {
    return JSON.stringify(text);
  }
}

function base64(value: unknown): string {
  return Buffer.from(value as Uint8Array).toString("base64");
}
