import type { Engine } from "../../src/config/schema.ts";
import { lex } from "../../src/sql/lexer.ts";
import type { Tokens } from "../../src/sql/tokens.ts";
import { tablesOf } from "./tables.ts";

/** Reads the answers to EXPLAIN of MySQL, MariaDB and TiDB. Pure. */

/** A row of the answer, by the names of its columns. */
export type PlanRow = Readonly<Record<string, unknown>>;

/** A table that a plan reads from its beginning to its end. */
export interface Scan {
  table: string;
  /** The server's estimate. */
  rows: number;
  /** Why the server reads it so. */
  reason: string;
}

/** The question for a plan, without the statement. MySQL and TiDB have variables for another form. */
export const explain: Readonly<Record<Engine, string>> = {
  mysql: "EXPLAIN FORMAT=TRADITIONAL ",
  mariadb: "EXPLAIN ",
  tidb: "EXPLAIN FORMAT='row' ",
};

/**
 * @param sql the explained statement
 * @returns every full scan, also of small tables
 */
export function scansOf(engine: Engine, sql: string, rows: readonly PlanRow[]): Scan[] {
  const tokens = lex(sql);
  const tables = tablesOf(tokens);
  const nameOf = (alias: string) =>
    tables.find((table) => table.alias === alias.toLowerCase())?.name ?? alias;
  return engine === "tidb" ? scansOfTidb(rows, nameOf) : scansOfTable(rows, nameOf, endsEarly(tokens));
}

/** @param isCut whether the statement stops after its first rows if it may return each row that it reads */
function scansOfTable(rows: readonly PlanRow[], nameOf: (alias: string) => string, isCut: boolean): Scan[] {
  return rows.flatMap((row) => {
    const { table, type, key, possible_keys: keys, Extra: extra } = row;
    const isWhole = type === "ALL" || type === "index";
    // <derived2>, <subquery3>: made by the statement itself.
    if (!isWhole || typeof table !== "string" || table.startsWith("<")) return [];
    if (isCut && rows.length === 1 && !/Using (?:where|temporary|filesort)/.test(String(extra ?? "")))
      return [];
    const reason =
      type === "index"
        ? `it reads the whole index ${key}`
        : keys
          ? `the server chooses none of the indexes ${String(keys).replaceAll(",", ", ")}`
          : "no index fits";
    return [{ table: nameOf(table), rows: Number(row.rows), reason }];
  });
}

/**
 * https://docs.pingcap.com/tidb/stable/explain-overview/: estRows is what the operator returns, so with a LIMIT it is
 * what the server expects to read.
 */
function scansOfTidb(rows: readonly PlanRow[], nameOf: (alias: string) => string): Scan[] {
  return rows.flatMap((row) => {
    const [, kind] = /(TableFullScan|IndexFullScan)_\d+/.exec(String(row.id)) ?? [];
    const access = String(row["access object"]);
    const [, table] = /^table:([^,]+)/.exec(access) ?? [];
    if (kind === undefined || table === undefined) return [];
    const [, index] = /index:([^(]+)\(/.exec(access) ?? [];
    const isGuess = String(row["operator info"]).includes("stats:pseudo");
    const why = index === undefined ? "no index fits" : `it reads the whole index ${index}`;
    const reason = isGuess ? `${why}; TiDB guesses, because the table was never analyzed` : why;
    return [{ table: nameOf(table), rows: Number(row.estRows), reason }];
  });
}

const grouping = new Set("GROUP DISTINCT HAVING UNION EXCEPT INTERSECT OVER".split(" "));
const aggregates = new Set("AVG COUNT GROUP_CONCAT JSON_ARRAYAGG JSON_OBJECTAGG MAX MIN SUM".split(" "));

/** @returns whether the statement has a LIMIT outside of parentheses, and its rows are not those of groups */
function endsEarly(tokens: Tokens): boolean {
  let [depth, hasLimit] = [0, false];
  for (let at = 0; at < tokens.length; at++) {
    if (tokens.kind(at) === "open") depth += 1;
    if (tokens.kind(at) === "close") depth -= 1;
    const word = tokens.keyword(at);
    if (grouping.has(word) || (aggregates.has(word) && tokens.kind(at + 1) === "open")) return false;
    if (depth === 0 && word === "LIMIT") hasLimit = true;
  }
  return hasLimit;
}
