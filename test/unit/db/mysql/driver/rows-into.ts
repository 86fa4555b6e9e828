import type { Column } from "../../../../../src/db/encode/columns.ts";
import { valuesOf } from "../../../../../src/db/encode/values.ts";
import type { RowSink } from "../../../../../src/db/mysql/session/row-sink.ts";

/** @returns a sink that keeps the values of each row */
export function rowsInto(rows: unknown[]): RowSink {
  let columns: readonly Column[] = [];
  return {
    columns: (fields) => {
      columns = fields;
    },
    row: (row) => void rows.push(valuesOf(columns, row)),
    values: (values) => void rows.push([...values]),
    answered: () => {},
  };
}
