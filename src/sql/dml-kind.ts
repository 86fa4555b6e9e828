/** Statements about rows: queries, changes and CALL. The first words of a statement tell its kind. */
import { StatementError } from "./errors.ts";
import { refused, type Verb } from "./keywords.ts";
import { afterGroup } from "./token-groups.ts";
import type { Tokens } from "./tokens.ts";

/** The facts that the first words of a statement tell. */
export interface Head {
  kind: "read" | "write" | "ddl";
  verb: Verb;
  /** The answer tells about the server or other callers, whichever tables the statement names. */
  tellsOfServer?: boolean;
  /** Whether a ddl statement reads or writes rows: now, or later in a stored program or a view. */
  body?: { reads: boolean; writes: boolean };
  /** The token INSERT or REPLACE, after which INTO may come; undefined in other statements. */
  insert?: number;
}

/**
 * @returns the facts about the statement that begins at token `from`
 * @throws StatementError `not_allowed` or `unknown_statement`
 */
export function readRows(tokens: Tokens, from: number, end: number): Head {
  const query = readQuery(tokens, from, end);
  if (query !== undefined) return query;
  const word = tokens.keyword(from);
  switch (word) {
    case "WITH":
      return readWith(tokens, from, end);
    case "INSERT":
    case "REPLACE":
      return { kind: "write", verb: word, insert: from };
    case "UPDATE":
    case "DELETE":
      return { kind: "write", verb: word };
    case "CALL":
      return { kind: "write", verb: word };
    default:
      throw refusal(tokens, from);
  }
}

/** @returns the error for a statement whose first word is not accepted */
export function refusal(tokens: Tokens, at: number): StatementError {
  const word = tokens.keyword(at);
  const advice = refused.get(word);
  return advice === undefined
    ? new StatementError(
        "unknown_statement",
        "The gateway does not know the statement's first word.",
        tokens.start(at),
      )
    : new StatementError("not_allowed", `${word} is not accepted. ${advice}`, tokens.start(at));
}

/**
 * Reads SELECT, TABLE and VALUES, also in parentheses: `(SELECT ..) UNION ..`, `(WITH .. SELECT ..)`.
 * Parentheses can only hold a query here, so the first word inside decides.
 */
function readQuery(tokens: Tokens, from: number, end: number): Head | undefined {
  let at = from;
  while (tokens.kind(at) === "open") at += 1;
  const word = tokens.keyword(at);
  if (word === "SELECT" || word === "TABLE" || word === "VALUES") return { kind: "read", verb: word };
  if (at === from) return undefined;
  const head = word === "WITH" ? readWith(tokens, at, end) : undefined;
  if (head?.kind === "read") return head;
  throw new StatementError(
    "unknown_statement",
    "Only a query may begin with a parenthesis.",
    tokens.start(from),
  );
}

/**
 * WITH [RECURSIVE] name [(columns)] AS (query) [CYCLE columns RESTRICT] [, ..] followed by the main verb:
 * https://dev.mysql.com/doc/refman/en/with.html, https://mariadb.com/kb/en/with/. It reads every token of
 * this form, so that a name or an inner query is never taken for the main verb.
 */
function readWith(tokens: Tokens, from: number, end: number): Head {
  let at = tokens.is(from + 1, "RECURSIVE") ? from + 2 : from + 1;
  while (tokens.isName(at)) {
    at += 1;
    if (tokens.kind(at) === "open") at = afterGroup(tokens, at, end);
    if (!tokens.is(at, "AS") || tokens.kind(at + 1) !== "open") break;
    at = afterGroup(tokens, at + 1, end);
    if (tokens.is(at, "CYCLE")) at = afterCycle(tokens, at, end);
    if (tokens.kind(at) !== "comma") return readMain(tokens, at, from);
    at += 1;
  }
  throw badWith(tokens, from);
}

/**
 * Reads the main verb. A query may be in parentheses, but it may not begin with a second WITH, so nothing
 * recurses.
 */
function readMain(tokens: Tokens, from: number, start: number): Head {
  let at = from;
  while (tokens.kind(at) === "open") at += 1;
  const word = tokens.keyword(at);
  if (word === "SELECT" || word === "TABLE" || word === "VALUES") return { kind: "read", verb: word };
  if (at === from && (word === "UPDATE" || word === "DELETE")) return { kind: "write", verb: word };
  throw badWith(tokens, start);
}

function afterCycle(tokens: Tokens, cycle: number, end: number): number {
  let at = cycle + 1;
  while (at < end && !tokens.is(at, "RESTRICT") && tokens.kind(at) !== "open") at += 1;
  return tokens.is(at, "RESTRICT") ? at + 1 : at;
}

function badWith(tokens: Tokens, at: number): StatementError {
  const message = "After WITH there must be queries in parentheses, then SELECT, UPDATE or DELETE.";
  return new StatementError("unknown_statement", message, tokens.start(at));
}
