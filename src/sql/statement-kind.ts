/**
 * Finds the kind of a statement by its first words. Each reader takes the tokens from..end of one statement.
 */

import { type Head, readRows, refusal } from "./dml-kind.ts";
import { StatementError } from "./errors.ts";
import { readSchemaStatement } from "./schema-statements.ts";
import { readShow } from "./show.ts";
import type { Tokens } from "./tokens.ts";

/**
 * @returns the kind of the statement and the facts that its first words tell
 * @throws StatementError `not_allowed` or `unknown_statement`
 */
export function readHead(tokens: Tokens, end: number): Head {
  const word = tokens.keyword(0);
  switch (word) {
    case "SHOW":
      return { kind: "read", verb: word, tellsOfServer: readShow(tokens, end) };
    case "DESC":
    case "DESCRIBE":
    case "EXPLAIN":
    case "ANALYZE":
      return readExplain(tokens, word === "DESC" ? "DESCRIBE" : word, end);
    case "CREATE":
    case "ALTER":
    case "DROP":
    case "RENAME":
    case "TRUNCATE":
      return readSchemaStatement(tokens, word, end);
    default:
      return readRows(tokens, 0, end);
  }
}

/** The statements that EXPLAIN accepts, besides a query in parentheses. CALL would have to run. */
const explained = new Set(["SELECT", "TABLE", "VALUES", "WITH", "INSERT", "UPDATE", "DELETE", "REPLACE"]);

/**
 * EXPLAIN, DESCRIBE, DESC, and MariaDB's ANALYZE, which is its EXPLAIN ANALYZE:
 * https://dev.mysql.com/doc/refman/en/explain.html, https://mariadb.com/kb/en/analyze-statement/
 *
 * EXPLAIN without ANALYZE runs nothing, so the plan of a write counts as a read. With ANALYZE the statement
 * runs, so only queries are accepted. ANALYZE TABLE writes statistics, so it is refused.
 */
function readExplain(tokens: Tokens, verb: "EXPLAIN" | "DESCRIBE" | "ANALYZE", end: number): Head {
  let runs = verb === "ANALYZE";
  let at = 1;
  for (; at < end; at++) {
    const option = tokens.keyword(at);
    if (option === "ANALYZE") runs = true;
    else if (option === "FORMAT" && tokens.text(at + 1) === "=") at += 2;
    else if (option !== "EXTENDED" && option !== "PARTITIONS") break;
  }
  const subject = tokens.keyword(at);
  if (explained.has(subject) || tokens.kind(at) === "open") {
    const inner = readRows(tokens, at, end);
    if (runs && (inner.kind !== "read" || (verb === "ANALYZE" && subject === "TABLE")))
      throw onlyQueries(tokens, at);
    return { ...inner, kind: "read", verb };
  }
  if (runs || subject === "CALL") throw onlyQueries(tokens, at);
  if (tokens.is(at, "FOR")) return { ...readConnection(tokens, at, end), verb };
  if (isTableName(tokens, at, end)) return { kind: "read", verb };
  throw refusal(tokens, at);
}

function onlyQueries(tokens: Tokens, at: number): StatementError {
  return new StatementError(
    "not_allowed",
    "Only a query's plan may be measured (ANALYZE), and only that of a query or a change of rows may be explained.",
    tokens.start(at),
  );
}

/**
 * `EXPLAIN FOR CONNECTION 12`, on MariaDB also `EXPLAIN FOR 12`: shows the plan of another caller's
 * statement.
 * @throws StatementError `not_allowed` unless the rest is one number
 */
function readConnection(tokens: Tokens, at: number, end: number): Omit<Head, "verb"> {
  const id = tokens.is(at + 1, "CONNECTION") ? at + 2 : at + 1;
  if (tokens.kind(id) === "number" && id + 1 === end) return { kind: "read", tellsOfServer: true };
  throw new StatementError(
    "not_allowed",
    "EXPLAIN is accepted for a statement of your own; with sql:server also FOR CONNECTION and its number.",
    tokens.start(at),
  );
}

/**
 * `DESCRIBE [db.]table [column | 'pattern']`. TiDB's EXPLAIN EXPLORE has the same form but may run the
 * statement.
 */
function isTableName(tokens: Tokens, from: number, end: number): boolean {
  if (tokens.is(from, "EXPLORE") || !tokens.isName(from)) return false;
  const at = tokens.kind(from + 1) === "dot" && tokens.isName(from + 2) ? from + 3 : from + 1;
  return at === end || (at + 1 === end && (tokens.isName(at) || tokens.kind(at) === "string"));
}
