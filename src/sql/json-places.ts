/** JSON parameters: where a JSON function takes a value, a text would become a JSON string. There it is parsed. */
import { lex } from "./lexer.ts";
import type { Spread } from "./lists.ts";
import type { Tokens } from "./tokens.ts";

/** Whether an argument is a value, by its index from 0. */
type Values = (argument: number) => boolean;

const afterPath: Values = (argument) => argument >= 2 && argument % 2 === 0;

/**
 * The functions that take values which need not be documents. Those that take documents (JSON_MERGE_PATCH, JSON_CONTAINS,
 * JSON_OVERLAPS, ..) parse a text by themselves.
 * https://dev.mysql.com/doc/refman/9.7/en/json-functions.html, https://mariadb.com/kb/en/json-functions/
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
 * No server takes a JSON type on the wire, and CAST(.. AS JSON) MariaDB does not have. The root of a document is always
 * there, so that nothing is inserted. TiDB keeps no plan of a statement with JSON_EXTRACT(?, '$').
 */
const parsed = ["JSON_INSERT(", ", '$', 0)"] as const;

/**
 * Parses the JSON parameters that stand where a JSON function takes a value, or before MEMBER OF.
 * @param statement with `?` only; the values that are JSON have the member `json`
 * @returns the same values, and a text that depends on which of them are JSON only
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

/** An open parenthesis, and in which of its arguments we are. */
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

/** A name behind a dot is another function, of a database. */
function functionAt(tokens: Tokens, at: number): Values | undefined {
  return tokens.kind(at - 1) === "dot" ? undefined : functions.get(tokens.name(at));
}

/** @param at the placeholder's token. @returns whether it is alone what a function or MEMBER OF takes for a value */
function isValue(calls: readonly Call[], tokens: Tokens, at: number): boolean {
  let [left, right] = [at - 1, at + 1];
  let depth = calls.length - 1;
  // Parentheses around it, which call nothing.
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
