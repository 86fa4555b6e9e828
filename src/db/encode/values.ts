import type { Column } from "./columns.ts";
import { describeColumn } from "./columns.ts";
import { Output } from "./output.ts";
import type { CutRow } from "./types.ts";

/**
 * @returns the values of a row of the binary protocol, which stay valid: a number for TINYINT to INT, YEAR,
 *   FLOAT and DOUBLE, bytes for types without a character set, text for every other type, null for NULL
 */
export function valuesOf(columns: readonly Column[], row: CutRow): unknown[] {
  const { bytes, starts, ends } = row;
  return columns.map((column, index) => {
    const [start, end] = [starts[index] as number, ends[index] as number];
    if (start < 0) return null;
    const { binary, json, isBytes } = describeColumn(column).values;
    // A copy. `slice` of a Buffer would be a view.
    if (isBytes) return new Uint8Array(bytes.subarray(start, end));
    if (!("write" in binary)) return binary.read(row, start, end);
    const out = new Output();
    binary.write(out, row, start, end);
    const text = new TextDecoder().decode(out.take());
    if (json !== "bare") return text;
    // A FLOAT is the nearest double to it, as elsewhere.
    return column.columnType === float ? Math.fround(Number(text)) : Number(text);
  });
}

/** @returns the text of a value of the text protocol, as `cellText` */
export function valueText(column: Column, value: unknown): string | null {
  return value === null || value === undefined ? null : describeColumn(column).values.text(value);
}

/** @returns the text of one value of a row: digits, the text itself, base64 for bytes, null for NULL */
export function cellText(column: Column, row: CutRow, index: number): string | null {
  const [start, end] = [row.starts[index] as number, row.ends[index] as number];
  if (start < 0) return null;
  const { binary } = describeColumn(column).values;
  if (!("write" in binary)) return binary.read(row, start, end);
  const out = new Output();
  binary.write(out, row, start, end);
  return new TextDecoder().decode(out.take());
}

const float = 0x04;
