import { limits } from "../../../limits.ts";
import type { BinaryRow } from "./binary-row.ts";
import type { Field } from "./field.ts";

/** A result's columns, with the bytes of their definitions one after the other. */
export interface KnownColumns {
  definitions: Uint8Array;
  /** Where each of them ends. */
  ends: readonly number[];
  fields: readonly Field[];
  row: BinaryRow;
}

/**
 * The latest columns of a connection's texts, of the first result of each. A reset does not change them, so
 * they outlive it. Their number, their bytes and the length of a text are bounded, because an object has
 * 128 MB for all of its connections.
 */
export class ColumnMemory {
  /** The least recently used first. */
  readonly #kept = new Map<string, KnownColumns>();
  readonly #mostTexts: number;
  #columns = 0;
  #bytes = 0;
  #hasDropped = false;

  /** @param mostTexts how many texts */
  constructor(mostTexts: number) {
    this.#mostTexts = mostTexts;
  }

  /** Whether a text has lost its columns since the last `reset`. Then other texts may have had columns too. */
  get hasDropped(): boolean {
    return this.#hasDropped;
  }

  /** The session was reset. What the texts had before does not matter any more. */
  reset(): void {
    this.#hasDropped = false;
  }

  get(text: string): KnownColumns | undefined {
    const known = this.#kept.get(text);
    if (!known) return undefined;
    this.#kept.delete(text);
    this.#kept.set(text, known);
    return known;
  }

  /**
   * Replaces the columns of a text. The oldest texts give way.
   * @returns whether the columns are kept. They are not if they, or the text, are too long
   */
  keep(text: string, columns: KnownColumns): boolean {
    this.#delete(text);
    const count = columns.fields.length;
    const bytes = columns.definitions.length;
    if (text.length > limits.hotStatementCharacters) return false;
    if (count > limits.knownColumnsOfText || bytes > limits.knownColumnsBytesOfText) return false;
    this.#kept.set(text, columns);
    this.#columns += count;
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#fits) break;
      this.#delete(oldest);
      this.#hasDropped = true;
    }
    return true;
  }

  get #fits(): boolean {
    return (
      this.#kept.size <= this.#mostTexts &&
      this.#columns <= limits.knownColumns &&
      this.#bytes <= limits.knownColumnsBytes
    );
  }

  #delete(text: string): void {
    const known = this.#kept.get(text);
    if (!known) return;
    this.#kept.delete(text);
    this.#columns -= known.fields.length;
    this.#bytes -= known.definitions.length;
  }
}

/** The columns of one text of a connection. */
export class TextColumns {
  readonly #memory: ColumnMemory;
  readonly #text: string;

  /** @param text with the types of its values, if it has any */
  constructor(memory: ColumnMemory, text: string) {
    this.#memory = memory;
    this.#text = text;
  }

  get known(): KnownColumns | undefined {
    return this.#memory.get(this.#text);
  }

  /**
   * Remembers other columns than those known.
   * @returns whether they may differ from those that the text had before
   */
  learn(columns: KnownColumns): boolean {
    const hadColumns = this.known !== undefined || this.#memory.hasDropped;
    const isKept = this.#memory.keep(this.#text, columns);
    return hadColumns || !isKept;
  }
}
