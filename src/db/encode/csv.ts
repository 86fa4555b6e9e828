import type { Column } from "./columns.ts";
import { describeColumn } from "./columns.ts";
import { contentTypes } from "./formats.ts";
import type { TextFormat } from "./types.ts";

/**
 * An answer as in RFC 4180: a header line, CRLF, and quotes where they are needed. NULL is an empty field,
 * and the empty string is `""`. The format has no place for counts or errors. Values stay unchanged, also
 * those that a spreadsheet would read as a formula.
 */
export class CsvEncoder implements TextFormat {
  readonly contentType = contentTypes.csv;
  #writers: ((value: unknown) => string)[] = [];

  columns(columns: readonly Column[]): string {
    this.#writers = columns.map((column) => describeColumn(column).text);
    return `${columns.map(({ name }) => field(name)).join(",")}\r\n`;
  }

  row(values: readonly unknown[]): string {
    let line = "";
    for (let i = 0; i < this.#writers.length; i++) {
      const value = values[i];
      if (i > 0) line += ",";
      if (value !== null) line += field(this.#writers[i]?.(value) ?? "");
    }
    return `${line}\r\n`;
  }

  end(): string {
    return "";
  }

  fail(): undefined {
    return undefined;
  }

  toWire(pieces: string): string {
    return pieces;
  }
}

function field(text: string): string {
  if (text !== "" && !/[",\r\n]/.test(text)) return text;
  return `"${text.replaceAll('"', '""')}"`;
}
