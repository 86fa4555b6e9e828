import type { Column } from "../../../../src/db/encode/columns.ts";
import { JsonEncoder } from "../../../../src/db/encode/json.ts";
import type { Encoder, RowShape, Summary } from "../../../../src/db/encode/types.ts";

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

/** @returns what the encoder has written since it was last asked */
export function written(encoder: Encoder): string {
  return Buffer.from(encoder.take()).toString();
}

/** @returns the whole answer as text, of values of the text protocol. */
export function encode(columns: readonly Column[], rows: readonly unknown[][], shape: RowShape): string {
  const encoder = new JsonEncoder(shape);
  encoder.columns(columns);
  for (const row of rows) encoder.values(row);
  encoder.end(summary);
  return written(encoder);
}

/** @returns the JSON text of a row of the text protocol. */
export function encodeRow(columns: readonly Column[], values: readonly unknown[], shape: RowShape): string {
  const encoder = new JsonEncoder(shape);
  encoder.columns(columns);
  encoder.take();
  encoder.values(values);
  return written(encoder);
}

/** @returns the JSON text of one value. */
export function encodeValue(of: Column, value: unknown): string {
  return encodeRow([of], [value], "array").slice(1, -1);
}
