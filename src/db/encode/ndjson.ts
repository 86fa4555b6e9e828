import type { Column } from "./columns.ts";
import { contentTypes } from "./formats.ts";
import { columnsJson, rowWriter, summaryJson } from "./json.ts";
import type { RowShape, Summary, TextFormat } from "./types.ts";

/**
 * An answer as lines of JSON: first the columns, then a line for each row, last the summary of the statement.
 * Each further result set begins with its columns. Without a result set, one line has an empty list of
 * columns. If the last line is neither a summary nor an error, the answer is incomplete. Every reader finds
 * the same lines, which end with LF.
 */
export class NdjsonEncoder implements TextFormat {
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

  /**
   * Escapes three characters that JSON allows inside strings. Python's `str.splitlines()`, and with it
   * `iter_lines()` of its HTTP clients, splits at them too. JSON itself escapes CR, VT, FF and the separators
   * from U+001C on.
   */
  toWire(pieces: string): string {
    // Few answers have one of them, and three searches cost a tenth of one regular expression.
    const isPlain = !(pieces.includes("\u0085") || pieces.includes("\u2028") || pieces.includes("\u2029"));
    return isPlain ? pieces : pieces.replaceAll(/[\u0085\u2028\u2029]/g, escaped);
  }
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
