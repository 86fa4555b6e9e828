import type { Column, Conversions, RowReader } from "./columns.ts";
import { rowReader } from "./columns.ts";

/** What the adapters for query builders share. */

/** The types whose values come as base64 (docs/reference/values.md). */
const binary = /^(BIT|(VAR)?BINARY|BLOB|GEOMETRY|VECTOR)$/;

/** As the client's own reader, but with bytes where a column has bytes: what a builder writes as bytes it reads as bytes. */
export function readerWithBytes<Row>(columns: readonly Column[], conversions: Conversions): RowReader<Row> {
  const { isText, read } = rowReader<Row>(columns, conversions);
  const places = columns.flatMap(({ type }, index) => (binary.test(type) ? [index] : []));
  return {
    isText,
    read(values, texts) {
      for (const index of places) {
        const text = values[index];
        if (typeof text === "string")
          values[index] = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
      }
      return read(values, texts);
    },
  };
}

/** The gateway refuses SAVEPOINT: a transaction of its own cannot be told apart from the one around it. */
export function refuseSavepoint(): never {
  throw new TypeError("The gateway has no savepoints: a transaction cannot have another one inside it.");
}
