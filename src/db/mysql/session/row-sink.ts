import type { Field } from "../driver/driver.ts";

/** Receives a result as it arrives. */
export interface RowSink {
  /** Begins a result set. Only CALL has several. */
  columns(fields: readonly Field[]): void;
  row(values: readonly unknown[]): void;
}
