/**
 * Finds the place of each placeholder in the text. The place shows what the server compares the value with.
 */
import { betweensOf } from "./betweens.ts";
import { lex } from "./lexer.ts";
import { Nesting } from "./nesting.ts";
import type { Comparison } from "./place-words.ts";
import {
  calculations,
  clauseWords,
  comparisons,
  endsAssignment,
  endsList,
  operators,
  patterns,
  queries,
  selectModifiers,
  setOperators,
  signs,
  takesTexts,
  takesValues,
} from "./place-words.ts";
import type { Tokens } from "./tokens.ts";

/**
 * - `equality`: an operand of `= <> != <=>`, an item of an IN list, or an item of a row in such a comparison
 * - `searched`: the left side of IN; the items on the right may have several types
 * - `pattern`: an operand of LIKE or REGEXP
 * - `order`: an operand of `< > <= >=` or BETWEEN, an argument of GREATEST or LEAST
 * - `assigned`: an item of VALUES in an INSERT or REPLACE, `column = ?` of a SET, an argument of CALL
 * - `text`: an argument of a function that takes texts
 * - `value`: an item of the outermost select list, the operand of IS NULL, or an argument of an explicit
 *   conversion or of a function that keeps types
 * - `column`: an item of an inner select list, or one that HAVING may name; it acts as a column where the
 *   query is used
 * - `other`: everything else
 */
export type Place =
  | "equality"
  | "searched"
  | "pattern"
  | "order"
  | "assigned"
  | "text"
  | "value"
  | "column"
  | "other";

/**
 * @param sql a statement that the guard has accepted, whose placeholders are all `?`
 * @returns the place of each `?`, in order
 */
export function placesOf(sql: string): Place[] {
  const tokens = lex(sql);
  const groups: Group[] = [];
  const places: Place[] = [];
  const whole = {
    isReused: reusesItems(tokens),
    nesting: new Nesting(tokens),
    betweens: betweensOf(tokens),
  };
  /** The current clause of each open query, the outermost first. */
  const clauses = [""];
  /** The group that was closed last, to find the further rows of VALUES (..), (..). */
  let closed: Group | undefined;
  for (let at = 0; at < tokens.length; at++) {
    const kind = tokens.kind(at);
    if (kind === "open") {
      groups.push(groupAt(tokens, at, closed));
      clauses.push("");
    }
    if (kind === "close") {
      closed = groups.pop();
      clauses.pop();
    }
    if (clauseWords.has(tokens.keyword(at))) clauses[clauses.length - 1] = tokens.keyword(at);
    if (isOnDuplicate(tokens, at)) clauses[clauses.length - 1] = "SET";
    if (kind === "positional") places.push(placeAt(tokens, at, groups, { clauses, ...whole }));
  }
  return places;
}

/** Facts about the whole statement, and the clauses around the current token. */
interface Whole {
  clauses: readonly string[];
  isReused: boolean;
  nesting: Nesting;
  /** The ANDs that belong to a BETWEEN. */
  betweens: ReadonlySet<number>;
}

/** The kind of a pair of parentheses, which the token before it shows. */
type Group = "list" | "row" | "values" | "query" | `call ${string}`;

function groupAt(tokens: Tokens, open: number, closed: Group | undefined): Group {
  if (queries.has(tokens.keyword(open + 1))) return "query";
  const before = open - 1;
  const word = tokens.keyword(before);
  if (word === "IN") return "list";
  if (isValues(tokens, before, word, closed)) return "values";
  return tokens.isName(before) && !operators.has(word) ? `call ${tokens.name(before)}` : "row";
}

/** VALUES (..), (..) and VALUES ROW(..), ROW(..); VALUE is another word for it. */
function isValues(tokens: Tokens, before: number, word: string, closed: Group | undefined): boolean {
  const at = word === "ROW" ? before - 1 : before;
  if (tokens.is(at, "VALUES") || tokens.is(at, "VALUE")) return true;
  return closed === "values" && tokens.kind(at) === "comma" && tokens.kind(at - 1) === "close";
}

function placeAt(
  tokens: Tokens,
  at: number,
  groups: readonly Group[],
  { clauses, isReused, nesting, betweens }: Whole,
): Place {
  const { left, right, depth } = bare(tokens, at, groups);
  if (depth === 0 && clauses[0] === "SET" && isAssigned(tokens, left, right)) return "assigned";
  if (isCalculated(tokens, left, -1) || isCalculated(tokens, right, 1)) return "other";
  // BETWEEN x AND ?
  const sides = [betweens.has(left) ? "order" : comparison(tokens, left, -1), comparison(tokens, right, 1)];
  const compared = comparisons.find((one) => sides.includes(one));
  if (compared !== undefined) return compared;
  if (isAskedForNull(tokens, right)) return "value";
  if (tokens.is(tokens.is(right, "NOT") ? right + 1 : right, "IN")) return "searched";
  const isWhole = isEdge(tokens, left) && isEdge(tokens, right);
  const group = groups[depth - 1];
  if (group === undefined || group === "query") {
    if (clauses[depth] !== "SELECT" || !isItem(tokens, left, right)) return "other";
    return group === undefined && !isReused ? "value" : "column";
  }
  if (isWhole && depth === 1 && tokens.is(0, "CALL")) return "assigned";
  if (group.startsWith("call ")) return argumentOf(group.slice("call ".length), tokens, right, isWhole);
  if (!isWhole) return "other";
  if (group === "values") return depth === 1 && isInsert(tokens) ? "assigned" : "other";
  if (group === "list") return "equality";
  return group === "row" ? rowAt(tokens, at, { depth, groups, nesting }) : "other";
}

/** Skips parentheses that hold only the placeholder, and BINARY and COLLATE. */
function bare(tokens: Tokens, at: number, groups: readonly Group[]) {
  let left = at - 1;
  let right = at + 1;
  let depth = groups.length;
  for (;;) {
    if (tokens.is(right, "COLLATE")) right += 2;
    else if (tokens.is(left, "BINARY")) left -= 1;
    else if (groups[depth - 1] === "row" && tokens.kind(left) === "open" && tokens.kind(right) === "close") {
      left -= 1;
      right += 1;
      depth -= 1;
    } else return { left, right, depth };
  }
}

/**
 * @param at the token beside the operand
 * @param step -1 if `at` is before the operand, 1 if it is after it
 * @returns the kind of comparison that the token belongs to
 */
function comparison(tokens: Tokens, at: number, step: -1 | 1): Comparison | undefined {
  if (tokens.kind(at) === "operator") return signs.get(operatorAt(tokens, at, step));
  const word = tokens.keyword(step === 1 && tokens.is(at, "NOT") ? at + 1 : at);
  if (patterns.has(word)) return "pattern";
  return word === "BETWEEN" ? "order" : undefined;
}

/** `? + 1`, `-?`, `? DIV 2`: the server compares the result, not the parameter. */
function isCalculated(tokens: Tokens, at: number, step: -1 | 1): boolean {
  if (tokens.kind(at) === "operator") return !signs.has(operatorAt(tokens, at, step));
  return calculations.has(tokens.keyword(at));
}

/** `? IS [NOT] NULL` */
function isAskedForNull(tokens: Tokens, at: number): boolean {
  return tokens.is(at, "IS") && tokens.is(tokens.is(at + 1, "NOT") ? at + 2 : at + 1, "NULL");
}

/** ON DUPLICATE KEY UPDATE */
function isOnDuplicate(tokens: Tokens, at: number): boolean {
  return tokens.is(at, "UPDATE") && tokens.is(at - 1, "KEY");
}

/** `SET a = ?`, `, t.a = ?`. In `SET a = b = ?` the second `=` compares. */
function isAssigned(tokens: Tokens, left: number, right: number): boolean {
  const end = tokens.kind(right);
  if (end !== undefined && end !== "comma" && !endsAssignment.has(tokens.keyword(right))) return false;
  if (tokens.kind(left) !== "operator" || operatorAt(tokens, left, -1) !== "=") return false;
  let at = left - 1;
  if (!tokens.isName(at)) return false;
  while (tokens.kind(at - 1) === "dot") at -= 2;
  return tokens.kind(at - 1) === "comma" || tokens.is(at - 1, "SET") || isOnDuplicate(tokens, at - 1);
}

/** @returns the operator that begins (step 1) or ends (step -1) with the token `at`; its characters touch */
function operatorAt(tokens: Tokens, at: number, step: -1 | 1): string {
  let other = at;
  const touches = (next: number) =>
    tokens.kind(next) === "operator" &&
    (step === 1 ? tokens.start(next) === tokens.end(other) : tokens.end(next) === tokens.start(other));
  while (touches(other + step)) other += step;
  return step === 1
    ? tokens.source.slice(tokens.start(at), tokens.end(other))
    : tokens.source.slice(tokens.start(other), tokens.end(at));
}

/** `(a, b) = (?, ?)`: the server compares each item separately. */
function rowAt(
  tokens: Tokens,
  at: number,
  { depth, groups, nesting }: { depth: number; groups: readonly Group[]; nesting: Nesting },
): Place {
  if (depth !== groups.length) return "other";
  // IN ((?, ?), (?, ?))
  if (groups[depth - 2] === "list") return "equality";
  const open = nesting.openAt(at);
  return comparison(tokens, open - 1, -1) ?? comparison(tokens, nesting.closeOf(open) + 1, 1) ?? "other";
}

function argumentOf(name: string, tokens: Tokens, right: number, isWhole: boolean): Place {
  const isConverted = tokens.is(right, "AS") || tokens.is(right, "USING") || isWhole;
  if ((name === "CAST" || name === "CONVERT") && isConverted) return "value";
  if (!isWhole) return "other";
  if (name === "GREATEST" || name === "LEAST") return "order";
  if (takesValues.has(name)) return "value";
  return takesTexts.has(name) ? "text" : "other";
}

/** A whole item of a select list: `?`, `? AS name`, `? name`. */
function isItem(tokens: Tokens, left: number, right: number): boolean {
  const begins = tokens.kind(left) === "comma" || selectModifiers.has(tokens.keyword(left));
  const named = tokens.is(right, "AS") ? right + 2 : isAlias(tokens, right) ? right + 1 : right;
  const kind = tokens.kind(named);
  const ends = kind === undefined || kind === "comma" || kind === "close";
  return begins && (ends || endsList.has(tokens.keyword(named)));
}

function isAlias(tokens: Tokens, at: number): boolean {
  return tokens.kind(at) === "string" || (tokens.isName(at) && !endsList.has(tokens.keyword(at)));
}

/** An item ends at a comma, at a parenthesis, or at an end of the statement. */
function isEdge(tokens: Tokens, at: number): boolean {
  const kind = tokens.kind(at);
  return kind === undefined || kind === "comma" || kind === "open" || kind === "close";
}

function isInsert(tokens: Tokens): boolean {
  return tokens.is(0, "INSERT") || tokens.is(0, "REPLACE");
}

/**
 * @returns whether the statement may compare an item of its outermost select list: UNION makes one column of
 *   several items, and HAVING can name an item
 */
function reusesItems(tokens: Tokens): boolean {
  let depth = 0;
  for (let at = 0; at < tokens.length; at++) {
    const kind = tokens.kind(at);
    if (kind === "open") depth += 1;
    if (kind === "close") depth -= 1;
    if (depth > 0) continue;
    const word = tokens.keyword(at);
    if (word === "HAVING" || setOperators.has(word)) return true;
  }
  return false;
}
