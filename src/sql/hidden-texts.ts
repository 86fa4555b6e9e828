import { lex } from "./lexer.ts";
import { Nesting } from "./nesting.ts";
import type { Tokens } from "./tokens.ts";

/**
 * Whether each placeholder is compared with what may be text without being a column of its own: a function, a CASE, a
 * subquery. There MySQL compares a number with texts without a warning: `COALESCE(name, '') = 0` is true of every name.
 * @param sql with `?` only
 */
export function besideHiddenText(sql: string): boolean[] {
  const tokens = lex(sql);
  const nesting = new Nesting(tokens);
  const found: boolean[] = [];
  for (let at = 0; at < tokens.length; at++) {
    if (tokens.kind(at) === "positional") found.push(hides(tokens, nesting, at));
  }
  return found;
}

function hides(tokens: Tokens, nesting: Nesting, at: number): boolean {
  let [left, right] = [at - 1, at + 1];
  while (tokens.kind(left) === "open" && tokens.kind(right) === "close" && !tokens.isName(left - 1)) {
    left -= 1;
    right += 1;
  }
  return (
    endsHidden(tokens, nesting, beforeComparison(tokens, nesting, left)) ||
    beginsHidden(tokens, afterComparison(tokens, right))
  );
}

/** @returns the last token of the operand before a comparison, or -1 */
function beforeComparison(tokens: Tokens, nesting: Nesting, from: number): number {
  const list = tokens.kind(from) === "comma" || tokens.kind(from) === "open" ? nesting.openAt(from) : -1;
  let at = list < 0 ? from : list - 1;
  if (tokens.is(at, "AND") && tokens.is(at - 2, "BETWEEN")) at -= 2;
  if (!isComparison(tokens, at)) return -1;
  while (isComparison(tokens, at) || tokens.is(at, "NOT")) at -= 1;
  return at;
}

function isComparison(tokens: Tokens, at: number): boolean {
  return isSign(tokens, at) || tokens.is(at, "IN") || tokens.is(at, "BETWEEN");
}

/** @returns the first token of the operand behind a comparison, or -1 */
function afterComparison(tokens: Tokens, from: number): number {
  if (!isSign(tokens, from)) return -1;
  let at = from;
  while (isSign(tokens, at)) at += 1;
  return at;
}

function isSign(tokens: Tokens, at: number): boolean {
  return tokens.kind(at) === "operator" && "<>=!".includes(tokens.text(at));
}

function endsHidden(tokens: Tokens, nesting: Nesting, last: number): boolean {
  if (last < 0) return false;
  if (tokens.is(last, "END")) return true;
  if (tokens.kind(last) === "string") return isMember(tokens, last);
  if (tokens.kind(last) !== "close") return false;
  return !numeric.has(tokens.keyword(nesting.openAt(last - 1) - 1));
}

/** doc->>'$.a' */
function isMember(tokens: Tokens, path: number): boolean {
  return tokens.kind(path - 1) === "operator" && tokens.text(path - 1) === ">";
}

function beginsHidden(tokens: Tokens, first: number): boolean {
  if (first < 0) return false;
  if (tokens.kind(first) === "open" || tokens.is(first, "CASE")) return true;
  if (!tokens.isName(first)) return false;
  let at = first;
  while (tokens.kind(at + 1) === "dot") at += 2;
  const isMemberOf =
    tokens.kind(at + 1) === "operator" && tokens.text(at + 1) === "-" && tokens.text(at + 2) === ">";
  return isMemberOf || (tokens.kind(at + 1) === "open" && !numeric.has(tokens.keyword(at)));
}

/** Functions whose result is a number, whatever they are given. */
const numeric = new Set(
  "ABS ACOS ASCII ASIN ATAN AVG BIT_COUNT BIT_LENGTH CEIL CEILING CHARACTER_LENGTH CHAR_LENGTH COS COUNT CRC32 DATEDIFF DAY DAYOFMONTH DAYOFWEEK DAYOFYEAR DEGREES EXP EXTRACT FIELD FIND_IN_SET FLOOR HOUR INSTR JSON_DEPTH JSON_LENGTH LENGTH LN LOCATE LOG LOG10 LOG2 MICROSECOND MINUTE MOD MONTH OCTET_LENGTH ORD PI POSITION POW POWER QUARTER RADIANS RAND REGEXP_INSTR ROUND ROW_NUMBER SECOND SIGN SIN SQRT STD STDDEV STRCMP SUM TAN TIMESTAMPDIFF TIME_TO_SEC TO_DAYS TO_SECONDS TRUNCATE UNIX_TIMESTAMP VARIANCE WEEK WEEKDAY YEAR YEARWEEK".split(
    " ",
  ),
);
