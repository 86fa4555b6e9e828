import type { Head } from "./dml-kind.ts";
import type { TokenKind, Tokens } from "./tokens.ts";

/**
 * Where a strict server may only warn of a text that it takes for a number or a date, and go on: in what answers with rows,
 * in a change with IGNORE, on MariaDB in every change that compares something. `ddl` cannot be taken back when it has
 * warned (CREATE TABLE .. SELECT).
 */
export type Lenient = "read" | "change" | "ignore" | "ddl";

/**
 * A word too many costs a transaction, a word too few would cost rows.
 * @returns undefined where it refuses, or compares nothing
 */
export function leniencyOf(tokens: Tokens, end: number, head: Head): Lenient | undefined {
  if (head.kind === "read") return "read";
  if (head.kind === "ddl") return "ddl";
  if (head.verb === "CALL") return undefined;
  let compares = head.insert === undefined;
  let ignores = false;
  for (let at = 0; at < end; at++) {
    // UPDATE t IGNORE INDEX (i) is no IGNORE.
    const isHint = tokens.is(at + 1, "INDEX") || tokens.is(at + 1, "KEY");
    ignores ||= tokens.is(at, "IGNORE") && !isHint;
    compares ||= comparing.has(tokens.keyword(at));
  }
  if (ignores) return compares || !storesOnly(tokens, end) ? "ignore" : undefined;
  return compares ? "change" : undefined;
}

/** An INSERT or REPLACE of VALUES alone compares nothing. */
const comparing = new Set(["SELECT", "TABLE", "WITH", "DUPLICATE"]);

/**
 * With IGNORE a row of plain values is left out or fitted, as it is asked to be, and its warnings say so: a thousand
 * duplicates are more than can be read.
 * @returns whether an INSERT ends with VALUES whose rows have placeholders and literals only
 */
function storesOnly(tokens: Tokens, end: number): boolean {
  let at = end - 1;
  while (inRows.has(tokens.kind(at) ?? "word") || constants.has(tokens.keyword(at))) at -= 1;
  return tokens.is(at, "VALUES") || tokens.is(at, "VALUE");
}

const inRows = new Set<TokenKind>(["open", "close", "comma", "positional", "named", "string", "number"]);
const constants = new Set(["NULL", "DEFAULT", "TRUE", "FALSE"]);
