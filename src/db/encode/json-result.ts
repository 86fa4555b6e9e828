import { contentTypes } from "./formats.ts";
import { jsonRows, summaryJson } from "./json.ts";
import { Output } from "./output.ts";
import type { Style } from "./row-writer.ts";
import { TextWriter } from "./text-writer.ts";
import type { Encoder, RowShape, Summary } from "./types.ts";

/** The one row of an answer as JSON, with nothing around it. The caller sees to it that there is one. */
export class JsonRowEncoder extends TextWriter {
  readonly contentType = contentTypes.json;

  constructor(shape: RowShape) {
    super(styles[shape]);
  }

  end(): void {}

  fail(): boolean {
    return false;
  }
}

const bare = { end: "", escapesLineEnds: false, head: () => "" };
const styles: Record<RowShape, Style> = {
  object: jsonRows("object", bare),
  array: jsonRows("array", bare),
};

/** What the server says of a statement as one JSON object, without rows. */
export class JsonCountsEncoder implements Encoder {
  readonly contentType = contentTypes.json;
  readonly #out = new Output();

  columns(): void {}

  values(): void {}

  row(): void {}

  end(summary: Summary): void {
    this.#out.text(`{${summaryJson(summary)}}`);
  }

  fail(): boolean {
    return false;
  }

  get waiting(): number {
    return this.#out.length;
  }

  take(): Uint8Array {
    return this.#out.take();
  }
}
