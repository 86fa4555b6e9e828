import { lex } from "./lexer.ts";
import { Nesting } from "./nesting.ts";
import { placesOf } from "./places.ts";
import type { Tokens } from "./tokens.ts";

/**
 * Tells for each placeholder whether the server may compare it with text that is not a plain column: a
 * function, a CASE or a subquery; in GREATEST and LEAST also a column. There MySQL compares a number with
 * text without a warning: `COALESCE(name, '') = 0` is true for every name.
 * @param sql a statement whose placeholders are all `?`
 */
export function besideHiddenText(sql: string): boolean[] {
  const tokens = lex(sql);
  const nesting = new Nesting(tokens);
  const operands = caseOperands(tokens);
  // A placeholder that is a column of a subquery is compared outside it, at a place that this loop does not
  // see.
  const places = placesOf(sql);
  const found: boolean[] = [];
  for (let at = 0; at < tokens.length; at++) {
    if (tokens.kind(at) !== "positional") continue;
    const isColumn = places[found.length] === "column";
    found.push(isColumn || hides(tokens, nesting, at) || isOfHiddenCase(tokens, { nesting, operands }, at));
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
    beginsHidden(tokens, afterComparison(tokens, right)) ||
    isSearchedFor(tokens, right) ||
    isArgument(tokens, nesting, { left, right })
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

/** @returns the first token of the operand after a comparison, or -1 */
function afterComparison(tokens: Tokens, from: number): number {
  if (!isSign(tokens, from)) return -1;
  let at = from;
  while (isSign(tokens, at)) at += 1;
  return at;
}

/** `? IN (a, f(b))`, `? BETWEEN a AND f(b)`. */
function isSearchedFor(tokens: Tokens, right: number): boolean {
  const word = tokens.is(right, "NOT") ? right + 1 : right;
  if (tokens.is(word, "IN")) return tokens.kind(word + 1) === "open" && holdsCall(tokens, word + 2);
  if (!tokens.is(word, "BETWEEN")) return false;
  let at = word + 1;
  while (at < tokens.length && !endsBound(tokens, at)) at += 1;
  return !tokens.is(at, "AND") || beginsHidden(tokens, at + 1);
}

function endsBound(tokens: Tokens, at: number): boolean {
  return tokens.kind(at) === "open" || boundEnds.has(tokens.keyword(at));
}

const boundEnds = new Set(["AND", "BETWEEN", "CASE"]);

/** @returns whether the parentheses contain inner parentheses, CASE or SELECT from token `from` on */
function holdsCall(tokens: Tokens, from: number): boolean {
  let at = from;
  while (at < tokens.length && tokens.kind(at) !== "close") {
    if (tokens.kind(at) === "open" || tokens.is(at, "CASE") || tokens.is(at, "SELECT")) return true;
    at += 1;
  }
  return false;
}

/**
 * An argument of a function that compares its arguments. With columns, NULLIF and FIELD warn; GREATEST and
 * LEAST do not.
 */
function isArgument(tokens: Tokens, nesting: Nesting, { left, right }: Sides): boolean {
  const isFirst = tokens.kind(left) === "open";
  const isWhole = (isFirst || tokens.kind(left) === "comma") && isEdge(tokens, right);
  if (!isWhole) return false;
  const open = nesting.openAt(left);
  const name = tokens.keyword(open - 1);
  if (name === "GREATEST" || name === "LEAST") return true;
  if (name !== "NULLIF" && name !== "FIELD") return false;
  if (isFirst) return holdsCall(tokens, right);
  let at = open + 1;
  while (tokens.isName(at) && tokens.kind(at + 1) === "dot") at += 2;
  return !tokens.isName(at) || tokens.kind(at + 1) !== "comma";
}

interface Sides {
  left: number;
  right: number;
}

function isEdge(tokens: Tokens, at: number): boolean {
  return tokens.kind(at) === "comma" || tokens.kind(at) === "close";
}

/** `CASE f(a) WHEN ?`, `CASE ? WHEN a`. */
function isOfHiddenCase(
  tokens: Tokens,
  { nesting, operands }: { nesting: Nesting; operands: ReadonlyMap<number, number> },
  at: number,
): boolean {
  if (tokens.is(at - 1, "CASE")) return true;
  return tokens.is(at - 1, "WHEN") && endsHidden(tokens, nesting, operands.get(at - 1) ?? -1);
}

/** @returns for each WHEN of a `CASE operand WHEN ..` the last token of the operand */
function caseOperands(tokens: Tokens): Map<number, number> {
  const found = new Map<number, number>();
  const open: { last: number | undefined; start: number }[] = [];
  for (let at = 0; at < tokens.length; at++) {
    if (tokens.kind(at - 1) === "dot") continue;
    if (tokens.is(at, "CASE")) open.push({ last: undefined, start: at });
    if (tokens.is(at, "END")) open.pop();
    const innermost = open.at(-1);
    if (!innermost || !tokens.is(at, "WHEN")) continue;
    innermost.last ??= at - 1;
    if (innermost.last > innermost.start) found.set(at, innermost.last);
  }
  return found;
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

/** Functions that always return a number. */
const numeric = new Set(
  "ABS ACOS ASCII ASIN ATAN AVG BIT_COUNT BIT_LENGTH CEIL CEILING CHARACTER_LENGTH CHAR_LENGTH COS COUNT CRC32 DATEDIFF DAY DAYOFMONTH DAYOFWEEK DAYOFYEAR DEGREES EXP EXTRACT FIELD FIND_IN_SET FLOOR HOUR INSTR JSON_DEPTH JSON_LENGTH LENGTH LN LOCATE LOG LOG10 LOG2 MICROSECOND MINUTE MOD MONTH OCTET_LENGTH ORD PI POSITION POW POWER QUARTER RADIANS RAND REGEXP_INSTR ROUND ROW_NUMBER SECOND SIGN SIN SQRT STD STDDEV STRCMP SUM TAN TIMESTAMPDIFF TIME_TO_SEC TO_DAYS TO_SECONDS TRUNCATE UNIX_TIMESTAMP VARIANCE WEEK WEEKDAY YEAR YEARWEEK".split(
    " ",
  ),
);
