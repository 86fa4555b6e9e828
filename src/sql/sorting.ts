/**
 * Refuses a parameter as a whole item of ORDER BY, GROUP BY or PARTITION BY, at every place of a statement.
 */
import { StatementError } from "./errors.ts";
import type { Tokens } from "./tokens.ts";

/** The findings about an expression. */
interface Seen {
  /** The token of the first placeholder; undefined if there is none. */
  placeholder: number | undefined;
  /** Whether the expression holds something whose value may differ between rows, such as a name. */
  varies: boolean;
}

/** One level of parentheses; the first level is the statement. */
interface Level {
  /** The findings about everything in the parentheses, for the expression around them. */
  whole: Seen;
  /** The current item of an ORDER BY, GROUP BY or PARTITION BY list; undefined outside of such a list. */
  item: Seen | undefined;
}

/**
 * Refuses an item that has a parameter and nothing that differs between rows: `?`, `(?) DESC`, `? COLLATE
 * utf8mb4_bin`, `CONCAT(?, '')`. Such an item is a constant, so MySQL and MariaDB do not sort at all, and
 * TiDB reads a number as the position of a column. One pass, in time linear in the statement's length.
 *
 * @throws StatementError `sorted_by_parameter`
 */
export function checkSorting(tokens: Tokens, end: number): void {
  // A quick search first: most statements have no such list, and every request comes here.
  let first = 0;
  while (first < end && !beginsList(tokens, first)) first += 1;
  const levels: Level[] = [{ whole: nothing(), item: undefined }];
  for (let at = first; at < end; at++) {
    const level = levels.at(-1) as Level;
    const kind = tokens.kind(at);
    if (kind === "open") {
      levels.push({ whole: nothing(), item: isRollup(tokens, at, level) ? nothing() : undefined });
    } else if (kind === "close") {
      checkItem(tokens, level.item);
      level.item = undefined;
      // The loop starts at the first list, so a parenthesis that was opened before has no level.
      if (levels.length > 1) levels.pop();
      note(levels.at(-1) as Level, level.whole.placeholder, level.whole.varies);
    } else if (level.item !== undefined && (kind === "comma" || endsList(tokens, at))) {
      checkItem(tokens, level.item);
      level.item = kind === "comma" ? nothing() : undefined;
    } else if (kind === "positional" || kind === "named") {
      note(level, at, false);
    } else if (level.item === undefined ? !level.whole.varies : !level.item.varies) {
      note(level, undefined, varies(tokens, at));
    }
    if (beginsList(tokens, at)) level.item = nothing();
  }
  for (const { item } of levels) checkItem(tokens, item);
}

const sorting = new Set(["ORDER", "GROUP", "PARTITION"]);

/** `USE INDEX FOR ORDER BY (..)` has a list of indexes, which is not meant here. */
function beginsList(tokens: Tokens, by: number): boolean {
  return tokens.is(by, "BY") && sorting.has(tokens.keyword(by - 1)) && !tokens.is(by - 2, "FOR");
}

function nothing(): Seen {
  return { placeholder: undefined, varies: false };
}

function note({ whole, item }: Level, placeholder: number | undefined, differs: boolean): void {
  whole.placeholder ??= placeholder;
  whole.varies ||= differs;
  if (item === undefined) return;
  item.placeholder ??= placeholder;
  item.varies ||= differs;
}

function checkItem(tokens: Tokens, item: Seen | undefined): void {
  if (item?.placeholder === undefined || item.varies) return;
  throw new StatementError(
    "sorted_by_parameter",
    "A parameter is a value, not the name of a column: ORDER BY, GROUP BY and PARTITION BY would read it as a constant. Write the column itself, or choose one with CASE.",
    tokens.start(item.placeholder),
  );
}

/** MySQL: GROUP BY ROLLUP (a, b). */
function isRollup(tokens: Tokens, open: number, { item }: Level): boolean {
  return item !== undefined && tokens.is(open - 1, "ROLLUP");
}

/** Words that may follow the list. */
const followers = new Set([
  ...["LIMIT", "OFFSET", "FETCH", "HAVING", "QUALIFY", "WINDOW", "PROCEDURE", "RETURNING", "ON"],
  ...["FOR", "LOCK", "INTO", "UNION", "EXCEPT", "INTERSECT", "SEPARATOR", "WITH"],
  ...["ORDER", "GROUP", "PARTITION", "ROWS", "RANGE", "GROUPS"],
]);

/** A word after an operator or a dot is a column, because not every server reserves all of these words. */
function endsList(tokens: Tokens, at: number): boolean {
  const before = tokens.kind(at - 1);
  return before !== "operator" && before !== "dot" && followers.has(tokens.keyword(at));
}

/** @returns whether a token, which is not a placeholder, may have another value in the next row */
function varies(tokens: Tokens, at: number): boolean {
  const kind = tokens.kind(at);
  return !(kind !== undefined && fixedKinds.has(kind)) && !isFixedWord(tokens, at);
}

const fixedKinds = new Set(["string", "number", "operator", "comma"]);

/** Directions, operators and constants. Every server reserves these words, so none of them is a column. */
const fixedWords = new Set([
  ...["ASC", "DESC", "BINARY", "COLLATE", "CONVERT", "USING", "AS", "SELECT"],
  ...["NULL", "TRUE", "FALSE", "IS", "NOT", "AND", "OR", "XOR", "DIV", "MOD", "LIKE", "IN", "BETWEEN"],
]);

/** Functions whose result depends only on their arguments. */
const fixedFunctions = new Set([
  ...["CAST", "CONCAT", "CONCAT_WS", "LOWER", "UPPER", "LCASE", "UCASE", "TRIM"],
  ...["COALESCE", "IFNULL", "NULLIF", "QUOTE", "ROLLUP"],
]);

/** A type or a collation is fixed too: it follows AS, USING or COLLATE. */
function isFixedWord(tokens: Tokens, at: number): boolean {
  const before = tokens.keyword(at - 1);
  if (before === "AS" || before === "USING" || before === "COLLATE") return true;
  const word = tokens.keyword(at);
  return fixedWords.has(word) || (tokens.kind(at + 1) === "open" && fixedFunctions.has(word));
}
