/** Lists: replaces the placeholder of `IN (?)` by one placeholder per element of the list. */
import { limits } from "../limits.ts";
import { ParameterError, wrongParameter } from "./errors.ts";
import { lex } from "./lexer.ts";
import type { Tokens } from "./tokens.ts";

/** The elements of an array that a caller sent as one parameter. */
export interface List<T> {
  list: readonly T[];
}

/** A statement and one value for each `?`. */
export interface Spread<T> {
  sql: string;
  values: T[];
}

/**
 * @param sql a statement whose placeholders are all `?`
 * @param values one for each `?`
 * @param nameOf returns the name of the parameter at an index, for messages
 * @throws ParameterError `wrong_place` for a list that is not alone in `IN (?)`, `too_large` for too many
 *   values
 */
export function spread<T extends object>(
  sql: string,
  values: readonly (T | List<T>)[],
  nameOf: (index: number) => string,
): Spread<T> {
  checkSize(values);
  if (values.every((value) => !("list" in value))) return { sql, values: [...values] as T[] };
  const places = values.map((value) => ("list" in value ? padded(value.list) : [value]));
  const tokens = lex(sql);
  const marks = placeholders(tokens);
  let text = "";
  let copied = 0;
  for (const [index, value] of values.entries()) {
    const at = marks[index] ?? -1;
    if ("list" in value && !isListPlace(tokens, at)) {
      const complaint = "is an array: its placeholder must be alone in IN (?) or NOT IN (?)";
      throw wrongParameter("wrong_place", nameOf(index), complaint);
    }
    text += sql.slice(copied, tokens.start(at)) + Array(places[index]?.length).fill("?").join(", ");
    copied = tokens.end(at);
  }
  return { sql: text + sql.slice(copied), values: places.flat() };
}

/** @returns for each `?` whether its value may be a list */
export function listPlaces(sql: string): boolean[] {
  const tokens = lex(sql);
  return placeholders(tokens).map((at) => isListPlace(tokens, at));
}

function placeholders(tokens: Tokens): number[] {
  const found: number[] = [];
  for (let at = 0; at < tokens.length; at++) if (tokens.kind(at) === "positional") found.push(at);
  return found;
}

function isListPlace(tokens: Tokens, at: number): boolean {
  return tokens.is(at - 2, "IN") && tokens.kind(at - 1) === "open" && tokens.kind(at + 1) === "close";
}

/**
 * Repeats the last element up to the next power of two. IN and NOT IN keep their meaning. The padding leaves
 * few different texts for lists of all lengths, so they stay prepared.
 */
function padded<T>(list: readonly T[]): T[] {
  return Array.from({ length: paddedLength(list.length) }, (_, i) => list[Math.min(i, list.length - 1)] as T);
}

function paddedLength(length: number): number {
  return 2 ** Math.ceil(Math.log2(length));
}

/**
 * Checks the size before any text is built: a name that stands often in a statement binds its whole value
 * each time.
 */
function checkSize<T extends object>(values: readonly (T | List<T>)[]): void {
  let count = 0;
  let characters = 0;
  const sizes = new Map<object, number>();
  for (const value of values) {
    const size = sizes.get(value) ?? sizeOf(value);
    sizes.set(value, size);
    count += "list" in value ? paddedLength(value.list.length) : 1;
    characters += size;
  }
  if (count > limits.boundValues)
    throw new ParameterError("too_large", `A statement may have ${limits.boundValues} values.`);
  if (characters > limits.boundCharacters) {
    throw new ParameterError(
      "too_large",
      `The values of a statement may have ${limits.boundCharacters} characters together, each as often as it is used.`,
    );
  }
}

function sizeOf(value: object): number {
  if ("list" in value) return (value.list as object[]).reduce((sum, one) => sum + sizeOf(one), 0);
  return "value" in value && typeof value.value === "string" ? value.value.length : 0;
}
