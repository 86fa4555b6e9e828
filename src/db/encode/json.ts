import type { Column } from "./columns.ts";
import { describeColumn } from "./columns.ts";

export type RowShape = "object" | "array";

export interface Summary {
  rowsAffected: number;
  lastInsertId: string | null;
}

/**
 * Writes one answer as JSON text, piece by piece: `head` + rows joined by commas + `tail(summary)`.
 * Values are lossless (docs/values.md).
 */
export class JsonEncoder {
  readonly head: string;
  readonly #writers: ((value: unknown) => string)[];
  readonly #open: string;
  readonly #close: string;

  constructor(columns: readonly Column[], shape: RowShape) {
    const described = columns.map(describeColumn);
    const list = described.map(({ name, type, nullable }) => JSON.stringify({ name, type, nullable }));
    this.head = `{"columns":[${list.join(",")}],"rows":[`;
    const names = columns.map((column) => column.name);
    // JSON objects have unique names: of columns of one name the last is shown. Rows as arrays show all.
    const shown = names.map((name, i) => shape === "array" || names.lastIndexOf(name) === i);
    let first = true;
    this.#writers = described.map(({ name, write }, i) => {
      if (!shown[i]) return () => "";
      const prefix = `${first ? "" : ","}${shape === "object" ? `${JSON.stringify(name)}:` : ""}`;
      first = false;
      return (value) => prefix + (value === null ? "null" : write(value));
    });
    this.#open = shape === "object" ? "{" : "[";
    this.#close = shape === "object" ? "}" : "]";
  }

  row(values: readonly unknown[]): string {
    let text = this.#open;
    for (let i = 0; i < this.#writers.length; i++) text += this.#writers[i]?.(values[i]) ?? "";
    return text + this.#close;
  }

  tail(summary: Summary): string {
    return `],"rows_affected":${summary.rowsAffected},"last_insert_id":${JSON.stringify(summary.lastInsertId)}}`;
  }
}
