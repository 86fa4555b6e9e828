/** Statements about rows: queries, changes and CALL. Their first words decide what they are. */
import { StatementError } from "./errors.ts";
import { refused, type Verb } from "./keywords.ts";
import { afterGroup } from "./token-groups.ts";
import type { Tokens } from "./tokens.ts";

/** What the beginning of a statement says about it. */
export interface Head {
  kind: "read" | "write" | "ddl";
  verb: Verb;
  /** It tells of the server or of other callers, whatever tables it names. */
  tellsOfServer?: boolean;
  /** What a ddl statement has the server do with rows, now or, in a program or a view, later. */
  body?: { reads: boolean; writes: boolean };
  /** The token INSERT or REPLACE that may be followed by INTO; undefined when there is none. */
  insert?: number;
}

/**
 * @returns what the statement about rows that begins at token `from` is.
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

/** @returns the error for a statement that begins with a word that is not accepted. */
export function refusal(tokens: Tokens, at: number): StatementError {
  const word = tokens.keyword(at);
  const advice = refused.get(word);
  return advice === undefined
    ? new StatementError(
        "unknown_statement",
        "The statement begins with nothing that the gateway knows.",
        tokens.start(at),
      )
    : new StatementError("not_allowed", `${word} is not accepted. ${advice}`, tokens.start(at));
}

/**
 * SELECT, TABLE, VALUES, and those in parentheses: `(SELECT ..) UNION ..`, `(WITH .. SELECT ..)`. What is in
 * parentheses can only be a query, so its first word decides.
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
 * https://dev.mysql.com/doc/refman/en/with.html, https://mariadb.com/kb/en/with/. Walked exactly, so that no
 * name or inner query can pass for the main verb.
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

/** The main verb; parentheses around a query, but no second WITH, so that nothing here recurses. */
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
