/** The SQL of a saved query's pages, and the values of their keys. */

import { limits } from "../limits.ts";
import type { BoundValue } from "../sql/bound-value.ts";
import { readTyped, type ValueType } from "../sql/declared-types.ts";
import { quoteIdentifier } from "../sql/identifiers.ts";
import type { Spread } from "../sql/lists.ts";
import type { Page, PageKey } from "./saved-query.ts";

/** Where a page begins: behind a row with these values of the keys, or behind so many rows. */
export type PageStart = { after: readonly BoundValue[] } | { offset: number };

/** The texts around a query's own statement. */
interface Frame {
  before: string;
  after: string;
}

interface PageFrames {
  first: Frame;
  next: Frame;
}

const frames = new WeakMap<Page, PageFrames>();

/**
 * @param bound the query's own statement, with its values
 * @param start undefined for the first page
 * @param size rows of the page. The statement asks for one more, which says whether there is a next page
 * @returns the statement of one page
 */
export function pageStatement(
  page: Page,
  { sql, values }: Spread<BoundValue>,
  start: PageStart | undefined,
  size: number,
): Spread<BoundValue> {
  const { first, next } = framesOf(page);
  const isNext = start !== undefined && "after" in start;
  const { before, after } = isNext ? next : first;
  const further = page.kind === "offset" ? [integer(start && "offset" in start ? start.offset : 0)] : [];
  const keys = isNext ? comparedValues(start.after) : [];
  return { sql: before + sql + after, values: [...values, ...keys, integer(size + 1), ...further] };
}

/** @returns the statement that counts the rows of all pages */
export function totalStatement({ sql, values }: Spread<BoundValue>): Spread<BoundValue> {
  return { sql: `SELECT COUNT(*) FROM (${sql}) AS \`counted\``, values };
}

function framesOf(page: Page): PageFrames {
  const made = frames.get(page) ?? makeFrames(page);
  frames.set(page, made);
  return made;
}

function makeFrames({ kind, keys }: Page): PageFrames {
  if (kind === "offset") {
    const frame = { before: "", after: " LIMIT ? OFFSET ?" };
    return { first: frame, next: frame };
  }
  const before = "SELECT * FROM (";
  const order = keys.map(
    ({ column, descending }) => `${quoteIdentifier(column)}${descending ? " DESC" : ""}`,
  );
  const ordered = ` ORDER BY ${order.join(", ")} LIMIT ?`;
  return {
    first: { before, after: `) AS \`page\`${ordered}` },
    next: { before, after: `) AS \`page\` WHERE ${behind(keys)}${ordered}` },
  };
}

/**
 * Compares rows with the last row of a page. `(a, b) > (?, ?)` would say the same, but MySQL and MariaDB do not
 * look it up in an index, and it has no mixed directions. The first comparison bounds the range in an index.
 */
function behind([key, ...rest]: readonly PageKey[]): string {
  if (!key) throw new TypeError("a keyset has no keys");
  const column = quoteIdentifier(key.column);
  if (rest.length === 0) return compared(key, "");
  return `${compared(key, "=")} AND (${compared(key, "")} OR (${column} = ? AND ${behind(rest)}))`;
}

/**
 * NULL comes last in descending order. No comparison finds it, so it is asked for: a row with NULL is then refused, and
 * not lost. In ascending order it comes first, before any value. Servers take `IS NULL` out for a NOT NULL column.
 */
function compared({ column, descending }: PageKey, equal: "" | "="): string {
  const name = quoteIdentifier(column);
  return descending ? `(${name} <${equal} ? OR ${name} IS NULL)` : `${name} >${equal} ?`;
}

/** The values in the order of `behind`: each key but the last one three times. */
function comparedValues(values: readonly BoundValue[]): BoundValue[] {
  return values.flatMap((value, index) => (index === values.length - 1 ? [value] : [value, value, value]));
}

function integer(value: number): BoundValue {
  return { type: "integer", value };
}

const integers = ["TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT"];

/**
 * The types of columns that can order pages, with the type that their values are bound as. The text of such a value in
 * an answer is the whole value, and the server compares it as it sorts the column. For other types this is not so: no
 * FLOAT equals its text, and an ENUM is sorted by its position.
 */
const boundTypes = new Map<string, Exclude<ValueType, "number" | "boolean"> | "binary">([
  ...integers.flatMap((name) => [name, `${name} UNSIGNED`].map((type) => [type, "integer"] as const)),
  ["DECIMAL", "decimal"],
  ["DATE", "date"],
  ["DATETIME", "datetime"],
  ["TIMESTAMP", "datetime"],
  ["CHAR", "string"],
  ["VARCHAR", "string"],
  ["TEXT", "string"],
  ["BINARY", "binary"],
  ["VARBINARY", "binary"],
]);

/**
 * @param type as in an answer's `columns` (docs/reference/values.md)
 * @returns whether a column of the type can be a key of a page
 */
export function isPageKeyType(type: string): boolean {
  return boundTypes.has(type);
}

/**
 * @param type of the key's column, as in an answer's `columns`
 * @param text the value in an answer; of bytes their base64
 * @returns the value to compare the column with. Undefined if the server could compare it otherwise than it sorts: the
 *   column has another type, or the value is long
 */
export function pageKeyValue(type: string, text: string): BoundValue | undefined {
  const bound = boundTypes.get(type);
  if (bound === undefined || text.length > limits.pageKeyCharacters) return undefined;
  if (bound === "binary") return { type: bound, value: text };
  const reading = readTyped(bound, text, "query-string");
  return typeof reading === "string" ? undefined : reading;
}

/** A key's column as the server describes it, and its value in one row. */
interface FoundKey {
  /** As in an answer's `columns`. */
  type: string;
  /** The value in an answer, of bytes their base64; null for NULL; undefined to look at the column only. */
  text?: string | null | undefined;
  /** The account's time zone. */
  zone: string;
}

/** @returns why the column cannot order pages, for the operator, as the end of a sentence; undefined if it can */
export function complaintOnKey({ type, text, zone }: FoundKey): string | undefined {
  if (!isPageKeyType(type)) {
    return `is ${type}; a key may be ${[...boundTypes.keys()].filter((name) => !name.includes(" ")).join(", ")}`;
  }
  if (type === "TIMESTAMP" && !/^[+-]/.test(zone)) {
    return `is a TIMESTAMP, and in the zone ${zone} an hour may come twice: make the account's time_zone an offset`;
  }
  if (text === null) return "is NULL in a row, and NULL has no place in the order: leave such rows out";
  if (text !== undefined && pageKeyValue(type, text) === undefined)
    return `has a value that is too long, or no date: ${limits.pageKeyCharacters} characters are the most`;
  return undefined;
}
