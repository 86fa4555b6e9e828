import type { ColumnValues } from "./columns.ts";
import { contentTypes } from "./formats.ts";
import type { Cell, Style } from "./row-writer.ts";
import { TextWriter } from "./text-writer.ts";
import { csvField, writeCsvField } from "./texts.ts";

/**
 * An answer as in RFC 4180: a header line, CRLF, and quotes where they are needed. NULL is an empty field,
 * and the empty string is `""`. The format has no place for counts or errors. Values stay unchanged, also
 * those that a spreadsheet would read as a formula.
 */
export class CsvEncoder extends TextWriter {
  readonly contentType = contentTypes.csv;

  constructor() {
    super(style);
  }

  end(): void {}

  fail(): boolean {
    return false;
  }
}

const style: Style = {
  escapesLineEnds: false,
  open: "",
  close: "\r\n",
  nothing: "",
  head: (columns) => `${columns.map(({ name }) => csvField(name)).join(",")}\r\n`,
  prefixes: (columns) => columns.map((_, index) => (index > 0 ? "," : "")),
  cell: csvCell,
};

function csvCell({ text, binary }: ColumnValues): Cell {
  const value: Cell["value"] = (out, given) => out.text(csvField(text(given)));
  if ("write" in binary) {
    const { write } = binary;
    return {
      value,
      binary(out, from, start, end) {
        const before = out.length;
        write(out, from, start, end);
        // Base64 of no bytes. It needs quotes, since an empty field is NULL.
        if (out.length === before) out.ascii('""');
      },
    };
  }
  const { read, isUtf8 } = binary;
  if (isUtf8) return { value, binary: writeCsvField };
  return { value, binary: (out, from, start, end) => out.text(csvField(read(from, start, end))) };
}
