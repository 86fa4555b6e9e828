import type { Head } from "./dml-kind.ts";
import type { TokenKind, Tokens } from "./tokens.ts";

/**
 * Statements in which a strict server may read a text as a number or a date, only warn, and go on: statements
 * that answer with rows, changes with IGNORE, and on MariaDB every change that compares something. `ddl`
 * (CREATE TABLE .. SELECT) cannot be rolled back after such a warning.
 */
export type Lenient = "read" | "change" | "ignore" | "ddl";

/**
 * Decides by words. If it finds too many, a statement runs in a transaction for nothing. If it found too few,
 * rows would be changed wrongly.
 * @returns undefined where the server refuses such a text, or compares nothing
 */
export function leniencyOf(tokens: Tokens, end: number, head: Head): Lenient | undefined {
  if (head.kind === "read") return "read";
  if (head.kind === "ddl") return "ddl";
  if (head.verb === "CALL") return undefined;
  let compares = head.insert === undefined;
  let ignores = false;
  for (let at = 0; at < end; at++) {
    // IGNORE in `UPDATE t IGNORE INDEX (i)` is an index hint.
    const isHint = tokens.is(at + 1, "INDEX") || tokens.is(at + 1, "KEY");
    ignores ||= tokens.is(at, "IGNORE") && !isHint;
    compares ||= comparing.has(tokens.keyword(at));
  }
  if (ignores) return compares || !storesOnly(tokens, end) ? "ignore" : undefined;
  return compares ? "change" : undefined;
}

/** Words with which an INSERT or REPLACE compares something. One with VALUES alone compares nothing. */
const comparing = new Set(["SELECT", "TABLE", "WITH", "DUPLICATE"]);

/**
 * With IGNORE the server skips or adjusts a row of plain values, which the caller asked for. Such a statement
 * is not lenient: it may give a thousand warnings of duplicates, more than the gateway reads.
 * @returns whether an INSERT ends with VALUES, and its rows have placeholders and literals only
 */
function storesOnly(tokens: Tokens, end: number): boolean {
  let at = end - 1;
  while (inRows.has(tokens.kind(at) ?? "word") || constants.has(tokens.keyword(at))) at -= 1;
  return tokens.is(at, "VALUES") || tokens.is(at, "VALUE");
}

const inRows = new Set<TokenKind>(["open", "close", "comma", "positional", "named", "string", "number"]);
const constants = new Set(["NULL", "DEFAULT", "TRUE", "FALSE"]);
