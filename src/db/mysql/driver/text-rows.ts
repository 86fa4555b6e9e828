import type { Field } from "./field.ts";

/** The part of a column's definition that decides how to read its values. */
type Described = Pick<Field, "columnType" | "characterSet" | "extendedFormat">;

/**
 * Converts rows of the text protocol (MySQL manual, Protocol::TextResultsetRow) into those of the binary
 * protocol, which db/encode writes. In the text protocol every value arrives as text or bytes. Some digits
 * are lost at the server: it writes a FLOAT with six digits, and a DOUBLE of a fixed scale with that scale.
 * @returns a function from a row of bytes to a row of values
 */
export function textRowReader(
  columns: readonly Described[],
): (row: readonly (Uint8Array | null)[]) => unknown[] {
  const readers = columns.map(readerOf);
  return (row) => row.map((value, i) => (value === null ? null : readers[i]?.(value)));
}

const binaryCharacterSet = 63;

function readerOf({ columnType, characterSet, extendedFormat }: Described): (bytes: Uint8Array) => unknown {
  switch (columnType) {
    case 0x01: // TINYINT
    case 0x02: // SMALLINT
    case 0x03: // INT
    case 0x09: // MEDIUMINT
    case 0x0d: // YEAR
    case 0x05: // DOUBLE
      return (bytes) => Number(utf8(bytes));
    case 0x04: // FLOAT: the nearest FLOAT, as in the binary protocol
      return (bytes) => Math.fround(Number(utf8(bytes)));
    case 0x08: // BIGINT; ZEROFILL adds zeros before it
      return (bytes) => BigInt(utf8(bytes)).toString();
    case 0x00: // DECIMAL
    case 0xf6:
    case 0x07: // TIMESTAMP
    case 0x0a: // DATE
    case 0x0b: // TIME
    case 0x0c: // DATETIME
    case 0x0e: // DATE
    case 0xf5: // JSON: marked as binary, but always utf8mb4
      return utf8;
    case 0x10: // BIT
    case 0xf2: // VECTOR
    case 0xff: // GEOMETRY
      return (bytes) => bytes;
    default:
      // MariaDB's JSON is a text, whatever character set its definition has.
      return characterSet === binaryCharacterSet && extendedFormat !== "json" ? (bytes) => bytes : utf8;
  }
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
