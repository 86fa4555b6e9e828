import type { Tokens } from "../../src/sql/tokens.ts";

/** A table that a statement names, and the name that it has in the statement. In lower case. */
export interface NamedTable {
  name: string;
  alias: string;
}

const begins = new Set(["FROM", "JOIN", "STRAIGHT_JOIN", "INTO"]);
const modifiers = new Set(["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "QUICK", "IGNORE", "LATERAL"]);
const ends = new Set("WHERE GROUP HAVING ORDER LIMIT SET VALUES VALUE SELECT WINDOW RETURNING".split(" "));
const noAlias = new Set(
  "ON USING JOIN INNER LEFT RIGHT CROSS NATURAL STRAIGHT_JOIN OUTER UNION EXCEPT INTERSECT FOR LOCK PARTITION USE FORCE IGNORE DEFAULT WITH".split(
    " ",
  ),
);

/**
 * Finds the tables of a statement by its words. Names of CTEs are among them; derived tables are not.
 * @param tokens of a statement that the guard has accepted
 */
export function tablesOf(tokens: Tokens): NamedTable[] {
  const tables: NamedTable[] = [];
  /** For each open parenthesis, the outermost first: whether its next comma leads to a table. */
  const lists = [false];
  let isNext = false;
  for (let at = 0; at < tokens.length; at++) {
    const kind = tokens.kind(at);
    const word = tokens.keyword(at);
    if (kind === "open") lists.push(isNext);
    else if (kind === "close") {
      lists.pop();
      isNext = false;
    } else if (kind === "comma") isNext = lists.at(-1) ?? false;
    else if (begins.has(word) || (word === "UPDATE" && at === 0)) {
      lists[lists.length - 1] = word !== "INTO";
      isNext = true;
    } else if (ends.has(word)) {
      lists[lists.length - 1] = false;
      isNext = false;
    } else if (isNext && tokens.isName(at) && !modifiers.has(word)) {
      let last = at;
      while (tokens.kind(last + 1) === "dot" && tokens.isName(last + 2)) last += 2;
      const next = tokens.is(last + 1, "AS") ? last + 2 : last + 1;
      const word = tokens.keyword(next);
      const hasAlias = tokens.isName(next) && !noAlias.has(word) && !ends.has(word);
      const name = nameAt(tokens, last);
      tables.push({ name, alias: hasAlias ? nameAt(tokens, next) : name });
      at = hasAlias ? next : last;
      isNext = false;
    }
  }
  return tables;
}

/** @returns a name in lower case, without backquotes */
export function nameAt(tokens: Tokens, at: number): string {
  const text = tokens.text(at);
  const name = text.startsWith("`") ? text.slice(1, -1).replaceAll("``", "`") : text;
  return name.toLowerCase();
}
