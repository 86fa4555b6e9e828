import type { Column, ColumnValues } from "./columns.ts";
import { contentTypes } from "./formats.ts";
import type { Cell, Style } from "./row-writer.ts";
import { TextWriter } from "./text-writer.ts";
import { writeJsonString } from "./texts.ts";
import type { CutRow, RowShape, Summary } from "./types.ts";

/**
 * An answer as one JSON object. The answer to a CALL has a list of result sets, even for one or none. The
 * format has no place for an error: an answer that breaks off is not valid JSON.
 */
export class JsonEncoder extends TextWriter {
  readonly contentType = contentTypes.json;
  readonly #several: boolean;
  #isFirst = true;

  /** @param several whether there may be several result sets, or none */
  constructor(shape: RowShape, several = false) {
    super(styles[shape]);
    this.#several = several;
  }

  override columns(columns: readonly Column[]): void {
    if (this.#several) this.out.ascii(this.table ? "]}," : '{"results":[');
    this.#isFirst = true;
    super.columns(columns);
  }

  override values(values: readonly unknown[]): void {
    this.#separate();
    super.values(values);
  }

  override row(row: CutRow): void {
    this.#separate();
    super.row(row);
  }

  #separate(): void {
    if (!this.#isFirst) this.out.ascii(",");
    this.#isFirst = false;
  }

  end(summary: Summary): void {
    if (this.#several) this.out.ascii(this.table ? "]}" : '{"results":[');
    else if (!this.table) this.columns([]);
    this.out.text(`],${summaryJson(summary)}}`);
  }

  fail(): boolean {
    return false;
  }
}

const styles: Record<RowShape, Style> = {
  object: jsonRows("object", {
    end: "",
    escapesLineEnds: false,
    head: (list) => `{"columns":${list},"rows":[`,
  }),
  array: jsonRows("array", {
    end: "",
    escapesLineEnds: false,
    head: (list) => `{"columns":${list},"rows":[`,
  }),
};

/**
 * @param end what ends a row
 * @param head makes the text before the rows of the description of the columns, a JSON array
 */
export function jsonRows(
  shape: RowShape,
  { end, head, escapesLineEnds }: { end: string; head: (list: string) => string; escapesLineEnds: boolean },
): Style {
  const isObject = shape === "object";
  return {
    escapesLineEnds,
    open: isObject ? "{" : "[",
    close: (isObject ? "}" : "]") + end,
    nothing: "null",
    head: (columns) =>
      head(JSON.stringify(columns.map(({ name, type, nullable }) => ({ name, type, nullable })))),
    prefixes(columns) {
      const names = columns.map(({ name }) => name);
      // Names in a JSON object are unique, so only the last of several columns with one name is shown.
      // Arrays show all.
      const last = new Map(names.map((name, index) => [name, index]));
      const isShown = (name: string, index: number) => !isObject || last.get(name) === index;
      const first = names.findIndex(isShown);
      return names.map((name, index) => {
        if (!isShown(name, index)) return undefined;
        const comma = index > first ? "," : "";
        return isObject ? `${comma}${JSON.stringify(name)}:` : comma;
      });
    },
    cell: jsonCell,
  };
}

/** @returns the members after the rows, without braces */
export function summaryJson({ rowsAffected, rowsChanged, lastInsertId, info, warnings }: Summary): string {
  const id = lastInsertId === null ? "null" : `"${lastInsertId}"`;
  const words = info === null ? "null" : JSON.stringify(info);
  const told = warnings?.length === 0 ? "[]" : JSON.stringify(warnings);
  const counts = `"rows_affected":${rowsAffected},"rows_changed":${rowsChanged}`;
  return `${counts},"last_insert_id":${id},"info":${words},"warnings":${told}`;
}

function jsonCell({ json, text, binary }: ColumnValues): Cell {
  const jsonOf = { bare: (value: string) => value, quoted: JSON.stringify, checked: embeddedJson }[json];
  const value: Cell["value"] = (out, given) => out.text(jsonOf(text(given)));
  if ("write" in binary) {
    const { write } = binary;
    if (json === "bare") return { value, binary: write };
    return {
      value,
      binary(out, from, start, end) {
        out.ascii('"');
        write(out, from, start, end);
        out.ascii('"');
      },
    };
  }
  const { read, isUtf8 } = binary;
  if (isUtf8 && json === "quoted") return { value, binary: writeJsonString };
  return { value, binary: (out, from, start, end) => out.text(jsonOf(read(from, start, end))) };
}

/**
 * Writes JSON from the server. MySQL's JSON is always valid. MariaDB's is text whose check may be off. It
 * keeps line breaks between tokens, which would end a line of NDJSON.
 */
function embeddedJson(text: string): string {
  try {
    JSON.parse(text);
    return text.replaceAll(/[\r\n]/g, " ");
  } catch {
    return JSON.stringify(text);
  }
}
