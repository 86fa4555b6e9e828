import type { Column } from "./columns.ts";
import type { Encoder, Summary, TextFormat } from "./types.ts";

/** UTF-8 needs up to 3 bytes per UTF-16 code unit, an escape of JSON needs 6. */
const mostBytesPerCharacter = 6;

/** Writes a text format as bytes. */
export class TextWriter implements Encoder {
  readonly #format: TextFormat;
  readonly #utf8 = new TextEncoder();
  /** The part of the waiting text whose bytes are counted, after `toWire`. */
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

  /**
   * Called after each row, so it counts bytes only when the result is not clear: about 15 times up to a
   * limit.
   */
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
