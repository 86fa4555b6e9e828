import type { Column } from "./columns.ts";
import type { Source } from "./source.ts";

/** The form of a row, for formats that have both. */
export type RowShape = "object" | "array";

/** An answer that is not rows, however many: exactly one row, or the facts without rows. */
export type ResultKind = "one" | "exec";

/** A page that is wanted. */
export interface AskedPage {
  /** How many rows are answered. A further row only says that another page follows. */
  rows: number;
  /** The names of the columns that order the pages; empty if rows are counted. */
  keys: readonly string[];
}

/** What is known at the end of a page. */
export interface PageEnd {
  /** Of the keys' columns, as in the answer's `columns`. Fewer if a key is no column by its name. */
  types: readonly string[];
  /** The last row's values of the keys, as texts; null for NULL. Absent if no other page follows. */
  last?: readonly (string | null)[];
}

/** The facts after the rows (docs/reference/http.md). */
export interface Summary {
  rowsAffected: number;
  rowsChanged: number | null;
  lastInsertId: string | null;
  info: string | null;
  warnings: readonly { level: string; code: number; message: string }[] | null;
}

/**
 * A row of the binary protocol (MySQL manual, Protocol::BinaryResultsetRow) and where its values are. It is
 * valid only during the call that gets it.
 */
export interface CutRow extends Source {
  /** The first byte of each column's value, without a length before it; -1 for NULL. */
  readonly starts: Int32Array;
  /** The first byte behind it. */
  readonly ends: Int32Array;
}

/** Writes one answer as bytes. Values lose nothing (docs/reference/values.md). */
export interface Encoder {
  /** The media type with its parameters. */
  readonly contentType: string;
  /** Begins a result set. Called again for each further one. */
  columns(columns: readonly Column[]): void;
  /** A row of the text protocol, as `textRowReader` converts it. */
  values(values: readonly unknown[]): void;
  /** A row of the binary protocol. */
  row(row: CutRow): void;
  /** Ends the answer, also one without a result set. */
  end(summary: Summary): void;
  /**
   * Ends an answer that failed in the middle.
   * @param problem the problem document
   * @returns false when the format has no place for an error
   */
  fail(problem: object): boolean;
  /** How many bytes are ready for `take`. */
  readonly waiting: number;
  /** @returns the bytes since the last call. All calls together, in order, give the body */
  take(): Uint8Array;
}
