/**
 * The guard accepts exactly one statement, of a kind that a caller may send.
 *
 * It is an allow-list over tokens, not a parser of SQL. It refuses everything that it does not know, and the
 * server still parses each accepted statement. It does not judge views and most functions (GET_LOCK, SLEEP,
 * stored ones): the session's READ ONLY state and the account's privileges protect against those.
 */

import type { Head } from "./dml-kind.ts";
import { StatementError } from "./errors.ts";
import { checkHints } from "./hints.ts";
import type { Verb } from "./keywords.ts";
import type { Lenient } from "./leniency.ts";
import { leniencyOf } from "./leniency.ts";
import { lex } from "./lexer.ts";
import { type Permission, permissionsOf } from "./permissions.ts";
import { isRowCount } from "./row-counts.ts";
import { checkServerSchemas } from "./server-tables.ts";
import { checkSorting } from "./sorting.ts";
import { readHead } from "./statement-kind.ts";
import { findOutside } from "./token-groups.ts";
import type { Tokens } from "./tokens.ts";

export { StatementError, type StatementReason } from "./errors.ts";
export type { Verb } from "./keywords.ts";
export type { Lenient } from "./leniency.ts";

/** The kind for the server. A READ ONLY session accepts `read`; `ddl` commits implicitly. */
export type StatementKind = "read" | "write" | "ddl";

export interface Placeholder {
  /** The name without its colon; null for `?`. */
  name: string | null;
  /** Offsets in `Statement.text`. */
  start: number;
  end: number;
  /** Offset in the caller's text. */
  sourceStart: number;
  /** It stands at LIMIT or OFFSET. */
  rowCount?: true;
}

export interface JudgedStatement {
  kind: StatementKind;
  /** The permissions that a grant must have, all of them, each once: `sql:read` and so on. */
  needs: readonly Permission[];
  verb: Verb;
  /** The statement changes rows and has MariaDB's RETURNING, so its answer may have rows. */
  returning: boolean;
  lenient: Lenient | undefined;
  /**
   * The statement without its closing semicolon and comments. A space replaces each comment; newlines and
   * optimizer hints stay. Send this text and not the caller's, because the guard has judged this text only.
   */
  text: string;
  placeholders: readonly Placeholder[];
}

/**
 * Judges a caller's text and says what kind of statement it is.
 *
 * @throws StatementError unless the text is one statement of an accepted kind
 */
export function classify(sql: string): JudgedStatement {
  const tokens = lex(sql);
  const end = onlyStatementEnd(tokens);
  const head = readHead(tokens, end);
  checkHints(tokens);
  checkMinuses(tokens, end);
  checkAssignments(tokens, end, head);
  checkFiles(tokens, end);
  checkParentheses(tokens, end);
  checkSorting(tokens, end);
  if (head.kind !== "read") checkServerSchemas(tokens, end, head);
  const returning = returns(tokens, end, head);
  const needs = permissionsOf(tokens, end, head, returning);
  const kind = head.kind === "read" && needs.includes("write") ? "write" : head.kind;
  const lenient = leniencyOf(tokens, end, head);
  return { kind, needs, verb: head.verb, returning, lenient, ...cleanText(tokens, end) };
}

/** @returns the number of tokens before the closing semicolon, which may be missing */
function onlyStatementEnd(tokens: Tokens): number {
  const last = tokens.length - 1;
  const end = tokens.kind(last) === "semicolon" ? last : tokens.length;
  if (end === 0) throw new StatementError("empty", "There is no statement.");
  for (let at = 0; at < end; at++) {
    if (tokens.kind(at) !== "semicolon") continue;
    throw new StatementError(
      "multiple_statements",
      "Send one statement at a time, without a semicolon inside; the body of a stored program may be one statement.",
      tokens.start(at),
    );
  }
  return end;
}

/**
 * Refuses two minus signs before a comment or the closing semicolon. The server reads `--` as two minus signs
 * unless white space or the end follows. The cleaned text has a space or nothing there, so the server would
 * then read a comment and ignore the rest of the line, for example the end of a WHERE.
 */
function checkMinuses(tokens: Tokens, end: number): void {
  const isMinus = (at: number) => at >= 0 && tokens.source[tokens.end(at) - 1] === "-";
  const comments = new Set(tokens.gaps.filter(({ kind }) => kind === "comment").map(({ start }) => start));
  for (let at = 0; at < end; at++) {
    if (!isMinus(at)) continue;
    const isPair =
      tokens.text(at).endsWith("--") || (isMinus(at - 1) && tokens.end(at - 1) === tokens.start(at));
    if (!isPair || (at < end - 1 && !comments.has(tokens.end(at)))) continue;
    throw new StatementError(
      "invalid_character",
      "Two minus signs must be followed by white space, as a comment, or by an operand.",
      tokens.start(at),
    );
  }
}

/**
 * Refuses statements that assign a variable or write a file. INTO is accepted only directly after the verb of
 * an INSERT or REPLACE: elsewhere, at any depth, it may write a file or a variable. `:=` assigns a variable,
 * and so does TiDB's function SETVAR, which implements `:=`.
 */
function checkAssignments(tokens: Tokens, end: number, head: Head): void {
  for (let at = 0; at < end; at++) {
    if (tokens.kind(at) === "assign" || (tokens.calls(at) === "SETVAR" && tokens.kind(at - 1) !== "dot")) {
      throw new StatementError(
        "not_allowed",
        "Variables cannot be assigned: neither := nor SETVAR() is accepted.",
        tokens.start(at),
      );
    }
    if (!tokens.is(at, "INTO") || isInsertTarget(tokens, at, head) || isPartitionList(tokens, at, head))
      continue;
    throw new StatementError(
      "not_allowed",
      "INTO is accepted after INSERT and REPLACE only; a column of that name must be in backquotes.",
      tokens.start(at),
    );
  }
}

/**
 * Refuses LOAD_FILE, which reads a file of the server if the login has FILE. A stored function with this name
 * has its database in front.
 */
function checkFiles(tokens: Tokens, end: number): void {
  for (let at = 0; at < end; at++) {
    if (tokens.calls(at) !== "LOAD_FILE" || tokens.kind(at - 1) === "dot") continue;
    throw new StatementError(
      "not_allowed",
      "Files are out of reach: LOAD_FILE() reads them.",
      tokens.start(at),
    );
  }
}

/** INSERT [LOW_PRIORITY | DELAYED | HIGH_PRIORITY] [IGNORE] INTO */
function isInsertTarget(tokens: Tokens, into: number, head: Head): boolean {
  let at = into - 1;
  while (insertModifiers.has(tokens.keyword(at))) at -= 1;
  return at === head.insert;
}

const insertModifiers = new Set(["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE"]);

/**
 * ALTER TABLE .. REORGANIZE PARTITION .. INTO (..). A parenthesis follows, so INTO names no file and no
 * variable.
 */
function isPartitionList(tokens: Tokens, into: number, head: Head): boolean {
  return head.verb === "ALTER" && tokens.kind(into + 1) === "open";
}

/**
 * Refuses a change inside parentheses. Today's servers refuse it too, but PostgreSQL allows changes inside
 * WITH. INSERT(..) and REPLACE(..) are functions.
 */
function checkParentheses(tokens: Tokens, end: number): void {
  for (let at = 1; at < end; at++) {
    if (tokens.kind(at - 1) !== "open" || !changes.has(tokens.keyword(at)) || tokens.kind(at + 1) === "open")
      continue;
    const message = `${tokens.keyword(at)} is not accepted in parentheses.`;
    throw new StatementError("not_allowed", message, tokens.start(at));
  }
}

const changes = new Set(["INSERT", "UPDATE", "DELETE", "REPLACE"]);

/**
 * INSERT | REPLACE | DELETE .. RETURNING: https://mariadb.com/kb/en/insertreturning/. The word is reserved on
 * MariaDB. So without backquotes it is the clause, except as a column after its table's name (`t.returning`).
 */
function returns(tokens: Tokens, end: number, head: Head): boolean {
  if (head.kind !== "write" || !changes.has(head.verb)) return false;
  const isClause = (at: number) => tokens.is(at, "RETURNING") && tokens.kind(at - 1) !== "dot";
  return findOutside(tokens, 0, end, isClause) < end;
}

/** @returns the text from the first token to the last one, with a space for each comment */
function cleanText(tokens: Tokens, end: number): Pick<JudgedStatement, "text" | "placeholders"> {
  const { source } = tokens;
  const last = tokens.end(end - 1);
  const placeholders: Placeholder[] = [];
  let text = "";
  let copied = tokens.start(0);
  let next = 0;
  const copyComments = (until: number): void => {
    for (; next < tokens.gaps.length; next++) {
      const gap = tokens.gaps[next];
      if (gap === undefined || gap.start >= until) return;
      if (gap.kind === "hint" || gap.end <= copied) continue;
      text += `${source.slice(copied, gap.start)}${blank(source.slice(gap.start, gap.end))}`;
      copied = gap.end;
    }
  };
  for (let at = 0; at < end; at++) {
    const kind = tokens.kind(at);
    if (kind !== "positional" && kind !== "named") continue;
    const sourceStart = tokens.start(at);
    copyComments(sourceStart);
    const start = text.length + sourceStart - copied;
    const name = kind === "named" ? tokens.text(at).slice(1) : null;
    placeholders.push({
      ...{ name, start, end: start + tokens.end(at) - sourceStart, sourceStart },
      ...(isRowCount(tokens, at) && { rowCount: true as const }),
    });
  }
  copyComments(last);
  return { text: text + source.slice(copied, last), placeholders };
}

/** Keeps newlines, so that the line numbers in the server's messages stay right. */
function blank(comment: string): string {
  return ` ${"\n".repeat(comment.split("\n").length - 1)}`;
}
