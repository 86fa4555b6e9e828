import type { Column } from "../../../../src/db/encode/columns.ts";
import { JsonEncoder, rowWriter } from "../../../../src/db/encode/json.ts";
import type { RowShape, Summary } from "../../../../src/db/encode/types.ts";

/** The flags of a column definition that these tests use. */
export const flags = { notNull: 1, unsigned: 32, binary: 128, enum: 256, set: 2048 } as const;

/** The protocol's numbers of character sets. */
export const utf8mb4 = 255;
export const binary = 63;

/** A column definition with a type of the protocol. */
export function column(columnType: number, more: Partial<Column> = {}): Column {
  return { name: "v", columnType, flags: 0, characterSet: utf8mb4, ...more };
}

export interface Answer {
  columns: { name: string; type: string; nullable: boolean }[];
  rows: unknown[];
  rows_affected: number;
  rows_changed: number | null;
  last_insert_id: string | null;
  info: string | null;
  warnings: { level: string; code: number; message: string }[] | null;
}

/** The summary of a statement without effects. */
export const summary: Summary = {
  ...{ rowsAffected: 0, rowsChanged: null, lastInsertId: null, info: null, warnings: [] },
};

/** @returns the whole answer as text. */
export function encode(columns: readonly Column[], rows: readonly unknown[][], shape: RowShape): string {
  const encoder = new JsonEncoder(shape);
  const body = encoder.columns(columns) + rows.map((row) => encoder.row(row)).join("");
  return body + encoder.end(summary);
}

/** @returns the JSON text of one value. */
export function encodeValue(of: Column, value: unknown): string {
  return rowWriter([of], "array")([value]).slice(1, -1);
}
