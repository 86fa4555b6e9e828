import { contentTypes } from "./formats.ts";
import { jsonRows, summaryJson } from "./json.ts";
import type { Style } from "./row-writer.ts";
import { TextWriter } from "./text-writer.ts";
import type { RowShape, Summary } from "./types.ts";

/**
 * An answer as lines of JSON: first the columns, then a line for each row, last the summary of the statement.
 * Each further result set begins with its columns. Without a result set, one line has an empty list of
 * columns. If the last line is neither a summary nor an error, the answer is incomplete. Every reader finds
 * the same lines, which end with LF.
 */
export class NdjsonEncoder extends TextWriter {
  readonly contentType = contentTypes.ndjson;

  constructor(shape: RowShape) {
    super(styles[shape]);
  }

  end(summary: Summary): void {
    if (!this.table) this.columns([]);
    this.#line(`{${summaryJson(summary)}}`);
  }

  fail(problem: object): boolean {
    this.#line(JSON.stringify({ error: problem }));
    return true;
  }

  #line(text: string): void {
    this.out.text(text);
    this.out.ascii("\n");
  }
}

const lines = { end: "\n", escapesLineEnds: true, head: (list: string) => `{"columns":${list}}\n` };
const styles: Record<RowShape, Style> = {
  object: jsonRows("object", lines),
  array: jsonRows("array", lines),
};
