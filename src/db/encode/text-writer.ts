import type { Column } from "./columns.ts";
import type { Encoder, Summary, TextFormat } from "./types.ts";

/** As UTF-8 has it, or as an escape of JSON. */
const mostBytesPerCharacter = 6;

/** Writes a format of text as bytes. */
export class TextWriter implements Encoder {
  readonly #format: TextFormat;
  readonly #utf8 = new TextEncoder();
  /** Of what waits, the part whose bytes are counted; as it goes on the wire. */
  #counted = "";
  #countedBytes = 0;
  #uncounted = "";

  constructor(format: TextFormat) {
    this.#format = format;
  }

  get contentType(): string {
    return this.#format.contentType;
  }

  columns(columns: readonly Column[]): void {
    this.#uncounted += this.#format.columns(columns);
  }

  row(values: readonly unknown[]): void {
    this.#uncounted += this.#format.row(values);
  }

  end(summary: Summary): void {
    this.#uncounted += this.#format.end(summary);
  }

  fail(problem: object): boolean {
    const text = this.#format.fail(problem);
    this.#uncounted += text ?? "";
    return text !== undefined;
  }

  /** Asked after each row, so it counts only where the answer is open: some 15 times on the way to a limit. */
  hasAtLeast(bytes: number): boolean {
    const missing = bytes - this.#countedBytes;
    if (this.#uncounted.length * mostBytesPerCharacter < missing) return false;
    if (this.#uncounted.length >= missing) return true;
    const text = this.#format.toWire(this.#uncounted);
    this.#uncounted = "";
    this.#counted += text;
    this.#countedBytes += Buffer.byteLength(text);
    return this.#countedBytes >= bytes;
  }

  take(): Uint8Array {
    const text = this.#counted + this.#format.toWire(this.#uncounted);
    this.#counted = "";
    this.#countedBytes = 0;
    this.#uncounted = "";
    return this.#utf8.encode(text);
  }
}
