import type { Engine } from "../../src/config/schema.ts";
import { lex } from "../../src/sql/lexer.ts";
import { plainFunctions } from "../../src/sql/plain/functions.ts";
import { openers } from "../../src/sql/plain/words.ts";
import type { Tokens } from "../../src/sql/tokens.ts";
import { nameAt } from "./tables.ts";

/**
 * Tells by the words of a statement whether a server runs a part of it while it prepares or explains it.
 * Pure. Measured with MySQL 9.7, MariaDB 10.11 and TiDB 8.5:
 *
 * - PREPARE runs nothing on MySQL and MariaDB. TiDB runs scalar subqueries and EXISTS, functions of
 *   constants that change the session (GET_LOCK, LAST_INSERT_ID), and for the word DEFAULT the column's own
 *   default, which may take the next value of a sequence. Its EXPLAIN does so too.
 * - EXPLAIN runs functions of constants on every engine, stored ones too (MySQL, MariaDB). MySQL also runs
 *   what has one row and depends on nothing outside: scalar subqueries, EXISTS, and derived tables with an
 *   aggregate alone or with LIMIT 1. MariaDB runs no subqueries. TiDB runs none if
 *   tidb_opt_enable_non_eval_scalar_subquery is ON.
 */

/** Names in the database that may hide a part of a statement, in lower case. */
export interface Hidden {
  views: ReadonlySet<string>;
  /** Other databases. */
  schemas: ReadonlySet<string>;
  /** Whether EXPLAIN runs subqueries: an old TiDB does. */
  subqueries: boolean;
}

/** @returns whether PREPARE runs no part of the statement on TiDB */
export function preparesAlone(sql: string): boolean {
  return judge(sql, "tidb", { nested: isSet });
}

/** @returns whether EXPLAIN runs no part of the statement */
export function explainsAlone(sql: string, engine: Engine, hidden: Hidden): boolean {
  if (engine === "mysql") return judge(sql, engine, { hidden, nested: isLargeSet });
  return judge(sql, engine, { hidden, nested: hidden.subqueries ? isSet : () => true });
}

interface Rules {
  hidden?: Hidden;
  /** Whether a query in parentheses is not run. @param at its first word */
  nested(tokens: Tokens, at: number): boolean;
}

const heads = new Set("SELECT WITH INSERT REPLACE UPDATE DELETE".split(" "));
const queries = new Set("SELECT WITH TABLE VALUES".split(" "));
/** Keywords before a parenthesis that call nothing, besides those of a plain SELECT. */
const callNothing = new Set(
  "VALUES VALUE INTO SET AS ANY ALL SOME KEY INDEX UNION EXCEPT INTERSECT LIMIT PARTITION LATERAL USE FORCE IGNORE".split(
    " ",
  ),
);

function judge(sql: string, engine: Engine, { hidden, nested }: Rules): boolean {
  const tokens = lex(sql);
  if (!heads.has(tokens.keyword(0)) && tokens.kind(0) !== "open") return false;
  for (let at = 0; at < tokens.length; at++) {
    const kind = tokens.kind(at);
    if (kind === "assign" || kind === "user_variable") return false;
    if (engine === "tidb" && tokens.is(at, "DEFAULT")) return false;
    if (hidden && tokens.isName(at)) {
      const name = nameAt(tokens, at);
      if (hidden.views.has(name)) return false;
      if (hidden.schemas.has(name) && tokens.kind(at + 1) === "dot") return false;
    }
    if (kind !== "open") continue;
    if (tokens.isName(at - 1) && !callsNothing(tokens, at - 1, engine)) return false;
    if (queries.has(tokens.keyword(at + 1)) && !nested(tokens, at + 1)) return false;
  }
  return true;
}

function callsNothing(tokens: Tokens, at: number, engine: Engine): boolean {
  const word = tokens.keyword(at);
  if (tokens.kind(at - 1) !== "dot") {
    if (plainFunctions[engine].has(word) || openers.has(word) || callNothing.has(word)) return true;
  }
  // INTO table (..), INTO database.table (..)
  const first = tokens.kind(at - 1) === "dot" ? at - 2 : at;
  return tokens.is(first - 1, "INTO");
}

/** Words before the parenthesis of a query that is a set of rows. */
const beforeSets = new Set(
  "IN ANY ALL SOME FROM JOIN STRAIGHT_JOIN AS LATERAL UNION EXCEPT INTERSECT DISTINCT".split(" "),
);

function isSet(tokens: Tokens, at: number): boolean {
  const before = at - 2;
  if (before < 0 || beforeSets.has(tokens.keyword(before))) return true;
  // A query in several parentheses.
  return tokens.kind(before) === "open" && isSet(tokens, at - 1);
}

const aggregates = new Set(
  "AVG BIT_AND BIT_OR BIT_XOR COUNT GROUP_CONCAT JSON_ARRAYAGG JSON_OBJECTAGG MAX MIN STD STDDEV STDDEV_POP STDDEV_SAMP SUM VARIANCE VAR_POP VAR_SAMP".split(
    " ",
  ),
);

/** @returns whether it is a set, and its words do not say that it has one row at most */
function isLargeSet(tokens: Tokens, at: number): boolean {
  if (!isSet(tokens, at)) return false;
  const words = new Set<string>();
  let hasAggregate = false;
  for (let [i, depth] = [at, 0]; i < tokens.length && depth >= 0; i++) {
    if (tokens.kind(i) === "open") depth += 1;
    if (tokens.kind(i) === "close") depth -= 1;
    if (depth !== 0) continue;
    words.add(tokens.keyword(i));
    // The call of a function is followed by its parenthesis.
    if (aggregates.has(tokens.keyword(i)) && tokens.kind(i + 1) === "open") hasAggregate = true;
  }
  return words.has("FROM") && !words.has("LIMIT") && (words.has("GROUP") || !hasAggregate);
}
