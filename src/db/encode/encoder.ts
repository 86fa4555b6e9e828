import type { Column } from "./columns.ts";
import { CsvEncoder } from "./csv.ts";
import type { Format } from "./formats.ts";
import { JsonEncoder } from "./json.ts";
import { NdjsonEncoder } from "./ndjson.ts";

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

/**
 * Writes one answer as text, piece by piece; what its methods return, in the order of the calls, is the body when it has
 * passed `toWire`.
 * Values are lossless (docs/values.md).
 */
export interface Encoder {
  /** With its parameters. */
  readonly contentType: string;
  /** Begins a result set; again for a further one. */
  columns(columns: readonly Column[]): string;
  row(values: readonly unknown[]): string;
  /** Ends the answer, also one without a result set. */
  end(summary: Summary): string;
  /**
   * Ends an answer that breaks off.
   * @param problem the problem document
   * @returns undefined when the format has no place for an error
   */
  fail(problem: object): string | undefined;
  /** @param pieces one or several, joined */
  toWire(pieces: string): string;
}

/** @param several whether the answer may have several result sets, or none: a CALL's */
export function encoderOf(format: Format, shape: RowShape, several: boolean): Encoder {
  switch (format) {
    case "json":
      return new JsonEncoder(shape, several);
    case "ndjson":
      return new NdjsonEncoder(shape);
    case "csv":
      return new CsvEncoder();
  }
}
