import type { Column } from "./columns.ts";

/** How a row is written where a format has both. */
export type RowShape = "object" | "array";

/** What stands behind the rows (docs/http.md). */
export interface Summary {
  rowsAffected: number;
  rowsChanged: number | null;
  lastInsertId: string | null;
  info: string | null;
  warnings: readonly { level: string; code: number; message: string }[] | null;
}

/** Writes one answer as bytes. Values are lossless (docs/values.md). */
export interface Encoder {
  /** With its parameters. */
  readonly contentType: string;
  /** Begins a result set; again for a further one. */
  columns(columns: readonly Column[]): void;
  row(values: readonly unknown[]): void;
  /** Ends the answer, also one without a result set. */
  end(summary: Summary): void;
  /**
   * Ends an answer that breaks off.
   * @param problem the problem document
   * @returns false when the format has no place for an error
   */
  fail(problem: object): boolean;
  /** Whether so many bytes wait to be taken. */
  hasAtLeast(bytes: number): boolean;
  /** @returns what was written since it was called last; the body is all of it, in this order */
  take(): Uint8Array;
}

/** A format that is text. What its methods return, in the order of the calls, is the body when it has passed `toWire`. */
export interface TextFormat {
  readonly contentType: string;
  columns(columns: readonly Column[]): string;
  row(values: readonly unknown[]): string;
  end(summary: Summary): string;
  /** @returns undefined when the format has no place for an error */
  fail(problem: object): string | undefined;
  /** @param pieces one or several, joined */
  toWire(pieces: string): string;
}
