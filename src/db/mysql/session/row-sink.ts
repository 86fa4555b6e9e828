import type { BinaryRow } from "../driver/binary-row.ts";
import type { Field } from "../driver/field.ts";

/** Receives a result as it arrives. */
export interface RowSink {
  /**
   * Begins a result set. Only CALL has several. A prepared text with the same definitions gives the same
   * array.
   */
  columns(fields: readonly Field[]): void;
  /** A row of the binary protocol, valid only during the call. */
  row(row: BinaryRow): void;
  /** A row of the text protocol, with the values of `textRowReader`. */
  values(values: readonly unknown[]): void;
  /** The server's answer is complete, also after an error. Warnings or a COMMIT may take another round trip. */
  answered(): void;
}
