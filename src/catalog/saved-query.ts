/** What a saved query is, when it has been read. All of it is plain JSON, because the build bundles it. */

import type { ValueType } from "../sql/declared-types.ts";
import type { Lenient, StatementKind, Verb } from "../sql/guard.ts";
import type { Automaton } from "./automaton.ts";
import type { Claim } from "./claims.ts";

/** A parameter that the caller may send. */
export interface Parameter {
  name: string;
  type: ValueType;
  /** Declared as `TYPE[]`: an array, for `IN (:name)`. Always required. */
  list?: true;
  required: boolean;
  /**
   * A JSON value of the type, or null. With null the caller may also send null. Absent if the parameter is
   * required.
   */
  default?: string | number | boolean | null;
  /** The only values that it may have. Of an array: its elements. */
  enum?: readonly Bound[];
  /** The least value and the greatest one, inclusive. For integers, numbers, decimals, dates and times. */
  min?: Bound;
  max?: Bound;
  /** How many characters (Unicode code points) a string may have. Of an array: each element. */
  length?: Bounds;
  /** A regular expression (ECMA-262, flag `u`) that must match the whole string. Of an array: each element. */
  pattern?: string;
  /** The pattern as the gateway runs it, made by the build. */
  automaton?: Automaton;
  /** How many elements an array may have. */
  items?: Bounds;
  description: string;
}

/** A number, or a text: the digits of a decimal or of an integer beyond 2^53, a date, a date and time, a string. */
export type Bound = string | number;

/** How many, inclusive. */
export interface Bounds {
  least?: number;
  most?: number;
}

/**
 * The answer of a query: `many` rows, `one` row as an object (404 without a row), or the counts of a change
 * (`exec`).
 */
export type ResultKind = "many" | "one" | "exec";

/** A column that orders the pages of a query. */
export interface PageKey {
  /** The name of a column of the result. */
  column: string;
  descending: boolean;
}

/** How a query is answered in pages. */
export interface Page {
  /** `keyset`: a page begins behind the last row of the page before it. `offset`: rows are counted. */
  kind: "keyset" | "offset";
  /** Of a keyset. The last one is unique within equal values of those before it. */
  keys: readonly PageKey[];
  /** Rows of a page, where the caller asks for none. */
  size: number;
  /** The most rows that a caller may ask for. */
  sizeCeiling: number;
}

/** Parameters that the query accepts, for its documentation. */
export interface Example {
  description: string;
  /** By name, as in the JSON body of a request. */
  parameters: Readonly<Record<string, unknown>>;
}

/** A column of a result, as queries.lock and the answers describe it. */
export interface ResultColumn {
  name: string;
  /** As in an answer's `columns` (docs/reference/values.md). */
  type: string;
  nullable: boolean;
}

/** A saved query, ready to bind. */
export interface SavedQuery {
  name: string;
  /** The first paragraph of the head, on one line; may be empty. */
  summary: string;
  /** The further paragraphs; may be empty. */
  description: string;
  /** The text for the server: placeholders are `?`, and comments are removed. */
  sql: string;
  kind: StatementKind;
  verb: Verb;
  /** As of a Statement. */
  returning: boolean;
  /** As of a Statement. */
  lenient?: Lenient | undefined;
  /** The caller's parameters, in the order of declaration. */
  parameters: readonly Parameter[];
  /** For each `?` the name of its parameter, or `jwt.` and the name of its claim; with repeats. */
  order: readonly string[];
  /** The claims that the query reads, each once. */
  claims: readonly Claim[];
  result: ResultKind;
  page?: Page;
  /** The deadline, if it is shorter than that of the caller's grant. */
  deadlineMs?: number;
  /** The ceiling on rows, if it is lower than that of the caller's grant. */
  maxRows?: number;
  /** Answers to GET have an entity tag, and may be kept by the caller for so long. */
  cache?: { maxAgeSeconds: number };
  /** For grants: `query:#TAG`. */
  tags: readonly string[];
  examples: readonly Example[];
  /** The columns of the result, from queries.lock. Absent if the lock does not have this text of the query. */
  columns?: readonly ResultColumn[];
}
