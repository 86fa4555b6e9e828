/**
 * Parses JSON parameters in the statement. As a value of a JSON function, a bound text would become a JSON
 * string.
 */
import { lex } from "./lexer.ts";
import type { Spread } from "./lists.ts";
import type { Tokens } from "./tokens.ts";

/** Tells whether the argument at an index (from 0) is a value. */
type Values = (argument: number) => boolean;

const afterPath: Values = (argument) => argument >= 2 && argument % 2 === 0;

/**
 * The functions with value arguments, which need not be JSON documents. Functions that take documents
 * (JSON_MERGE_PATCH, JSON_CONTAINS, JSON_OVERLAPS, ..) parse a text themselves.
 */
const functions: ReadonlyMap<string, Values> = new Map<string, Values>([
  ["JSON_SET", afterPath],
  ["JSON_INSERT", afterPath],
  ["JSON_REPLACE", afterPath],
  ["JSON_ARRAY_APPEND", afterPath],
  ["JSON_ARRAY_INSERT", afterPath],
  ["JSON_ARRAY", () => true],
  ["JSON_OBJECT", (argument) => argument % 2 === 1],
  ["JSON_ARRAYAGG", (argument) => argument === 0],
  ["JSON_OBJECTAGG", (argument) => argument === 1],
]);

/**
 * Wraps a placeholder so that the server parses its text. No server accepts a JSON type in the binary
 * protocol, and MariaDB has no CAST(.. AS JSON). The root `$` of a document always exists, so JSON_INSERT
 * only parses and inserts nothing. JSON_EXTRACT(?, '$') would do too, but TiDB caches no plan of a statement
 * with it.
 */
const parsed = ["JSON_INSERT(", ", '$', 0)"] as const;

/**
 * Wraps each JSON parameter that is a value of a JSON function or stands before MEMBER OF.
 * @param statement all its placeholders are `?`; the JSON values have the member `json`
 * @returns the same values, and a text that depends only on which values are JSON
 */
export function parseJson<T extends object>({ sql, values }: Spread<T>): Spread<T> {
  const isJson = values.map((value) => "json" in value);
  if (!isJson.includes(true)) return { sql, values };
  const tokens = lex(sql);
  let text = "";
  let copied = 0;
  let next = 0;
  const calls: Call[] = [];
  for (let at = 0; at < tokens.length; at++) {
    follow(calls, tokens, at);
    if (tokens.kind(at) !== "positional" || !isJson[next++] || !isValue(calls, tokens, at)) continue;
    text += sql.slice(copied, tokens.start(at)) + parsed.join("?");
    copied = tokens.end(at);
  }
  return { sql: text + sql.slice(copied), values };
}

/** An open parenthesis, and the index of the current argument. */
interface Call {
  values: Values | undefined;
  argument: number;
}

function follow(calls: Call[], tokens: Tokens, at: number): void {
  const call = calls.at(-1);
  switch (tokens.kind(at)) {
    case "open":
      calls.push({ values: functionAt(tokens, at - 1), argument: 0 });
      break;
    case "close":
      calls.pop();
      break;
    case "comma":
      if (call) call.argument += 1;
  }
}

/** A name after a dot is a stored function of a database. */
function functionAt(tokens: Tokens, at: number): Values | undefined {
  return tokens.kind(at - 1) === "dot" ? undefined : functions.get(tokens.name(at));
}

/**
 * @param at the placeholder's token. @returns whether it is one whole value for a JSON function or MEMBER OF
 */
function isValue(calls: readonly Call[], tokens: Tokens, at: number): boolean {
  let [left, right] = [at - 1, at + 1];
  let depth = calls.length - 1;
  // Skip parentheses around the placeholder that are not a function call.
  while (tokens.kind(left) === "open" && tokens.kind(right) === "close" && !tokens.isName(left - 1)) {
    left -= 1;
    right += 1;
    depth -= 1;
  }
  if (isMemberOf(tokens, right)) return tokens.kind(left) !== "operator";
  if (tokens.is(left, "DISTINCT")) left -= 1;
  const begins = tokens.kind(left) === "open" || tokens.kind(left) === "comma";
  const ends =
    tokens.kind(right) === "comma" ||
    tokens.kind(right) === "close" ||
    // MariaDB's JSON_ARRAYAGG(DISTINCT ? ORDER BY .. LIMIT ..)
    tokens.is(right, "ORDER") ||
    tokens.is(right, "LIMIT");
  const call = calls[depth];
  return begins && ends && call?.values?.(call.argument) === true;
}

function isMemberOf(tokens: Tokens, at: number): boolean {
  return tokens.is(at, "MEMBER") && (tokens.is(at + 1, "OF") || tokens.kind(at + 1) === "open");
}
