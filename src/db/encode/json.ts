import type { Column } from "./columns.ts";
import { describeColumn } from "./columns.ts";
import { contentTypes } from "./formats.ts";
import type { RowShape, Summary, TextFormat } from "./types.ts";

/**
 * An answer as one JSON object. The answer to a CALL has a list of result sets, even for one or none. The
 * format has no place for an error: an answer that breaks off is not valid JSON.
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

  /** @returns the text that is missing before the end of the list of rows or result sets */
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

/** @returns the description of the columns, as a JSON array */
export function columnsJson(columns: readonly Column[]): string {
  const described = columns.map(describeColumn);
  return JSON.stringify(described.map(({ name, type, nullable }) => ({ name, type, nullable })));
}

/** @returns the members after the rows, without braces */
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

/** @returns a function that writes a row of these columns as JSON text */
export function rowWriter(
  columns: readonly Column[],
  shape: RowShape,
): (values: readonly unknown[]) => string {
  const names = columns.map(({ name }) => name);
  // Names in a JSON object are unique, so only the last of several columns with one name is shown. Arrays
  // show all.
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
