import type { Column } from "./columns.ts";

/** The form of a row, for formats that have both. */
export type RowShape = "object" | "array";

/** The facts after the rows (docs/http.md). */
export interface Summary {
  rowsAffected: number;
  rowsChanged: number | null;
  lastInsertId: string | null;
  info: string | null;
  warnings: readonly { level: string; code: number; message: string }[] | null;
}

/** Writes one answer as bytes. Values lose nothing (docs/values.md). */
export interface Encoder {
  /** The media type with its parameters. */
  readonly contentType: string;
  /** Begins a result set. Called again for each further one. */
  columns(columns: readonly Column[]): void;
  row(values: readonly unknown[]): void;
  /** Ends the answer, also one without a result set. */
  end(summary: Summary): void;
  /**
   * Ends an answer that failed in the middle.
   * @param problem the problem document
   * @returns false when the format has no place for an error
   */
  fail(problem: object): boolean;
  /** @returns whether at least so many bytes are ready for `take` */
  hasAtLeast(bytes: number): boolean;
  /** @returns the bytes since the last call. All calls together, in order, give the body */
  take(): Uint8Array;
}

/** A text format. The body is the text that its methods return, in the order of the calls, after `toWire`. */
export interface TextFormat {
  readonly contentType: string;
  columns(columns: readonly Column[]): string;
  row(values: readonly unknown[]): string;
  end(summary: Summary): string;
  /** @returns undefined when the format has no place for an error */
  fail(problem: object): string | undefined;
  /** @param pieces one or several returned texts, joined */
  toWire(pieces: string): string;
}
