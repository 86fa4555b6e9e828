import { TidegateError } from "../../errors.ts";
import type { Column } from "../encode/columns.ts";
import { describeColumn } from "../encode/columns.ts";
import type { AskedPage, CutRow, Encoder, PageEnd, Summary } from "../encode/types.ts";
import { cellText, valueText } from "../encode/values.ts";

interface Held {
  page: AskedPage | undefined;
  bounded: boolean;
}

/**
 * Writes the rows of a page, or the one row of an answer, and leaves out those behind. Only the end tells what the
 * answer is, so it is held until then.
 */
export class HeldRows implements Encoder {
  readonly #encoder: Encoder;
  readonly #asked: Held;
  readonly #most: number;
  #rows = 0;
  #hasMore = false;
  /** The columns of the page's keys, and their places in a row. */
  #keys: readonly { column: Column; index: number }[] = [];
  #last: readonly (string | null)[] | undefined;

  /** @param encoder the format */
  constructor(encoder: Encoder, asked: Held) {
    this.#encoder = encoder;
    this.#asked = asked;
    this.#most = asked.page?.rows ?? 1;
  }

  columns(columns: readonly Column[]): void {
    this.#encoder.columns(columns);
    if (this.#asked.page) this.#keys = keysOf(columns, this.#asked.page);
  }

  values(values: readonly unknown[]): void {
    if (!this.#hasRoom()) return;
    this.#encoder.values(values);
    if (this.#rows === this.#most) {
      this.#last = this.#keys.map(({ column, index }) => valueText(column, values[index]));
    }
  }

  row(row: CutRow): void {
    if (!this.#hasRoom()) return;
    this.#encoder.row(row);
    if (this.#rows === this.#most) {
      this.#last = this.#keys.map(({ column, index }) => cellText(column, row, index));
    }
  }

  #hasRoom(): boolean {
    this.#hasMore = this.#rows === this.#most;
    if (!this.#hasMore) this.#rows += 1;
    return !this.#hasMore;
  }

  /** @throws TidegateError `row_missing`, or `query_broken` for several rows, where there must be one row */
  end(summary: Summary): void {
    if (!this.#asked.page) {
      if (this.#rows === 0) throw new TidegateError("row_missing", this.#done());
      if (this.#hasMore) throw severalRows(this.#done());
    }
    this.#encoder.end(summary);
  }

  /** A change is committed before its answer is written. */
  #done(): { detail?: string } {
    return this.#asked.bounded ? {} : { detail: "The statement was executed, and its changes stay." };
  }

  /** Nothing of a held answer is sent before an error. */
  fail(): boolean {
    return false;
  }

  get contentType(): string {
    return this.#encoder.contentType;
  }

  get waiting(): number {
    return this.#encoder.waiting;
  }

  take(): Uint8Array {
    return this.#encoder.take();
  }

  /** Undefined if the answer is no page. */
  get page(): PageEnd | undefined {
    if (!this.#asked.page) return undefined;
    const types = this.#keys.map(({ column }) => describeColumn(column).type);
    return this.#hasMore && this.#last ? { types, last: this.#last } : { types };
  }
}

/** @returns the keys' columns. The server, which sorts by them, may compare names otherwise: such a key is left out */
function keysOf(columns: readonly Column[], { keys }: AskedPage): { column: Column; index: number }[] {
  return keys.flatMap((key) => {
    const index = columns.findIndex(({ name }) => name.toLowerCase() === key.toLowerCase());
    const column = columns[index];
    return column ? [{ column, index }] : [];
  });
}

/** More than one row came where the saved query promises one. */
export function severalRows(details: { detail?: string } = {}): TidegateError {
  return new TidegateError(
    "query_broken",
    details,
    "the query declares @result one, and it has several rows: its condition must name a unique key, or add LIMIT 1",
  );
}
