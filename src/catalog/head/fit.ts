/** Compares what the head says of the answer with the statement. */

import type { JudgedStatement } from "../../sql/guard.ts";
import { isQuery } from "../../sql/keywords.ts";
import { lex } from "../../sql/lexer.ts";
import { findOutside } from "../../sql/token-groups.ts";
import type { Tokens } from "../../sql/tokens.ts";
import type { Header } from "../header.ts";
import type { Page, ResultKind } from "../saved-query.ts";
import type { Report } from "../source.ts";

/** @returns the result of a query whose head names none */
export function usualResult(statement: JudgedStatement): ResultKind {
  return givesRows(statement) ? "many" : "exec";
}

/** CALL may give rows: only its procedure says. */
function givesRows({ verb, returning }: JudgedStatement): boolean {
  return isQuery(verb) || returning || verb === "CALL";
}

export function checkFit(
  source: string,
  statement: JudgedStatement,
  { settings, settingPlaces }: Header,
  report: Report,
): void {
  const { result = usualResult(statement), page, maxRows, cache } = settings;
  const wrong = (tag: string, message: string) => report(settingPlaces.get(tag) ?? 0, message);
  const complaint = settings.result && complaintOnResult(settings.result, statement);
  if (complaint !== undefined) wrong("@result", complaint);
  else if (maxRows !== undefined && result !== "many") {
    const why = result === "one" ? "one row is answered" : "no rows are answered";
    wrong("@max_rows", `@max_rows has no effect, since ${why}: remove it.`);
  }
  if (cache && statement.kind !== "read")
    wrong("@cache", "Only the answer to a query that reads can be kept: remove @cache.");
  if (page === undefined) return;
  const isPaged = statement.kind === "read" && ["SELECT", "TABLE", "VALUES"].includes(statement.verb);
  if (!isPaged) wrong("@page", "Only a SELECT that changes and locks nothing has pages: remove @page.");
  else if (result !== "many")
    wrong("@page", `A query with @result ${result} has no pages: remove @page, or write @result many.`);
  else checkClauses(source, page, { wrong, report });
  if (maxRows !== undefined && maxRows < page.sizeCeiling)
    wrong(
      "@max_rows",
      `@max_rows is less than the max of a page, ${page.sizeCeiling}: make one of the two fit.`,
    );
}

function complaintOnResult(result: ResultKind, statement: JudgedStatement): string | undefined {
  const { verb } = statement;
  if (result === "exec" && givesRows(statement) && verb !== "CALL") {
    return statement.returning
      ? "The statement returns rows (RETURNING): write @result many or one, or remove RETURNING."
      : `A ${verb} answers with rows: write @result many or one.`;
  }
  if (result !== "exec" && !givesRows(statement))
    return `A ${verb} changes rows and answers with none: write @result exec, or remove the line.`;
  if (result === "one" && verb === "CALL")
    return "A CALL may answer with several results: write @result many or exec.";
  return undefined;
}

/** The gateway adds the clauses that make the pages, so they must not stand there already. */
function checkClauses(
  source: string,
  page: Page,
  { wrong, report }: { wrong: (tag: string, message: string) => void; report: Report },
): void {
  const tokens = lex(source);
  const find = (fits: (at: number) => boolean) => {
    const at = findOutside(tokens, 0, tokens.length, fits);
    return at < tokens.length ? at : undefined;
  };
  const limit = find((at) => isLimit(tokens, at));
  const locking = find((at) => isClause(tokens, at, "FOR") && !locksNothing(tokens, at));
  const order = find((at) => isOrder(tokens, at));
  if (limit !== undefined)
    report(tokens.start(limit), `@page limits the rows of a page: remove ${tokens.keyword(limit)}.`);
  if (locking !== undefined || find((at) => isClause(tokens, at, "LOCK")) !== undefined)
    wrong("@page", "A query that locks rows has no pages: remove the locking clause, or @page.");
  if (page.kind === "offset" && order === undefined)
    wrong(
      "@page",
      "Pages by offset need an ORDER BY at the end of the statement, or rows are lost and repeated.",
    );
  if (page.kind === "offset") return;
  if (order !== undefined)
    report(tokens.start(order), "@page keyset orders the rows by its columns: remove ORDER BY.");
  for (const { column } of page.keys)
    if (!names(tokens, column))
      wrong("@page", `The statement has no column ${column}: pages are ordered by columns of the result.`);
}

/** Behind a dot, a reserved word is the name of a column. */
function isClause(tokens: Tokens, at: number, word: string): boolean {
  return tokens.is(at, word) && tokens.kind(at - 1) !== "dot";
}

/** LIMIT, FETCH FIRST 5 ROWS ONLY, or OFFSET 5 ROWS without the two (MariaDB). OFFSET alone may be a column's name. */
function isLimit(tokens: Tokens, at: number): boolean {
  if (isClause(tokens, at, "LIMIT") || isClause(tokens, at, "FETCH")) return true;
  return isClause(tokens, at, "OFFSET") && (tokens.is(at + 2, "ROWS") || tokens.is(at + 2, "ROW"));
}

/** USE INDEX FOR ORDER BY (..) is a hint. */
function isOrder(tokens: Tokens, at: number): boolean {
  return isClause(tokens, at, "ORDER") && tokens.is(at + 1, "BY") && !tokens.is(at - 1, "FOR");
}

/** USE INDEX FOR JOIN (..) is a hint, and MariaDB's FOR SYSTEM_TIME names the versions of a table's rows. */
function locksNothing(tokens: Tokens, at: number): boolean {
  return ["JOIN", "ORDER", "GROUP", "SYSTEM_TIME"].some((word) => tokens.is(at + 1, word));
}

/** A * may stand for any column. A column's own name may be in quotes: `AS 'total'`. */
function names(tokens: Tokens, column: string): boolean {
  for (let at = 0; at < tokens.length; at++) {
    if (tokens.kind(at) === "operator" && tokens.text(at) === "*") return true;
    const isName = tokens.isName(at) || tokens.kind(at) === "string";
    if (isName && tokens.text(at).replaceAll(/[`'"]/g, "").toLowerCase() === column.toLowerCase())
      return true;
  }
  return tokens.is(0, "TABLE") || tokens.is(0, "VALUES");
}
