import type { Column } from "./columns.ts";
import { describeColumn } from "./columns.ts";
import { contentTypes } from "./formats.ts";
import type { RowShape, Summary, TextFormat } from "./types.ts";

/**
 * An answer as one JSON object; a CALL's has its result sets in a list, however many there are. There is no place
 * in it for an error: an answer that breaks off is no JSON.
 */
export class JsonEncoder implements TextFormat {
  readonly contentType = contentTypes.json;
  readonly #shape: RowShape;
  readonly #several: boolean;
  #row: ((values: readonly unknown[]) => string) | undefined;
  #isFirst = true;

  /** @param several whether there may be several result sets, or none */
  constructor(shape: RowShape, several = false) {
    this.#shape = shape;
    this.#several = several;
  }

  columns(columns: readonly Column[]): string {
    const before = !this.#several ? "" : this.#row ? "]}," : '{"results":[';
    this.#row = rowWriter(columns, this.#shape);
    this.#isFirst = true;
    return `${before}{"columns":${columnsJson(columns)},"rows":[`;
  }

  row(values: readonly unknown[]): string {
    const text = this.#row?.(values) ?? "";
    if (!this.#isFirst) return `,${text}`;
    this.#isFirst = false;
    return text;
  }

  end(summary: Summary): string {
    return `${this.#endResults()}],${summaryJson(summary)}}`;
  }

  /** @returns what is missing before the list ends: of rows, or of result sets */
  #endResults(): string {
    if (this.#several) return this.#row ? "]}" : '{"results":[';
    return this.#row ? "" : this.columns([]);
  }

  fail(): undefined {
    return undefined;
  }

  toWire(pieces: string): string {
    return pieces;
  }
}

/** @returns what a caller is told of the columns, as a JSON array */
export function columnsJson(columns: readonly Column[]): string {
  const described = columns.map(describeColumn);
  return JSON.stringify(described.map(({ name, type, nullable }) => ({ name, type, nullable })));
}

/** @returns the members that stand behind the rows */
export function summaryJson({ rowsAffected, rowsChanged, lastInsertId, info, warnings }: Summary): string {
  const summary = {
    rows_affected: rowsAffected,
    rows_changed: rowsChanged,
    last_insert_id: lastInsertId,
    info,
    warnings,
  };
  return JSON.stringify(summary).slice(1, -1);
}

/** @returns what writes a row of these columns as JSON text */
export function rowWriter(
  columns: readonly Column[],
  shape: RowShape,
): (values: readonly unknown[]) => string {
  const names = columns.map(({ name }) => name);
  // JSON objects have unique names: of columns of one name the last is shown. Rows as arrays show all.
  const shown = names.map((name, i) => shape === "array" || names.lastIndexOf(name) === i);
  let first = true;
  const writers = columns.map(describeColumn).map(({ name, json }, i) => {
    if (!shown[i]) return () => "";
    const prefix = `${first ? "" : ","}${shape === "object" ? `${JSON.stringify(name)}:` : ""}`;
    first = false;
    return (value: unknown) => prefix + (value === null ? "null" : json(value));
  });
  const [open, close] = shape === "object" ? "{}" : "[]";
  return (values) => {
    let text = open as string;
    for (let i = 0; i < writers.length; i++) text += writers[i]?.(values[i]) ?? "";
    return text + close;
  };
}
