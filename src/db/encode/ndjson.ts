import type { Column } from "./columns.ts";
import type { Encoder, RowShape, Summary } from "./encoder.ts";
import { contentTypes } from "./formats.ts";
import { columnsJson, rowWriter, summaryJson } from "./json.ts";

/**
 * An answer as lines of JSON: first the columns, then a line for each row, last what became of the statement. Of
 * several result sets each begins with its columns; where there is none, one line says that there are no columns. An
 * answer whose last line is none of the two trailers is not whole.
 */
export class NdjsonEncoder implements Encoder {
  readonly contentType = contentTypes.ndjson;
  readonly #shape: RowShape;
  #row: ((values: readonly unknown[]) => string) | undefined;

  constructor(shape: RowShape) {
    this.#shape = shape;
  }

  columns(columns: readonly Column[]): string {
    this.#row = rowWriter(columns, this.#shape);
    return `{"columns":${columnsJson(columns)}}\n`;
  }

  row(values: readonly unknown[]): string {
    return `${this.#row?.(values) ?? ""}\n`;
  }

  end(summary: Summary): string {
    const begun = this.#row ? "" : this.columns([]);
    return `${begun}{${summaryJson(summary)}}\n`;
  }

  fail(problem: object): string {
    return `${JSON.stringify({ error: problem })}\n`;
  }
}
