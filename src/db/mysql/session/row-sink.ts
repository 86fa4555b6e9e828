import type { Field } from "../driver/driver.ts";

/** Takes a result as it arrives. */
export interface RowSink {
  /** Begins a result set: only CALL has several. */
  columns(fields: readonly Field[]): void;
  row(values: readonly unknown[]): void;
}
