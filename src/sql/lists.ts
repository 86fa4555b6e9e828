/** Lists: the one placeholder of `IN (?)` becomes as many as the list has elements. */
import { limits } from "../limits.ts";
import { ParameterError, wrongParameter } from "./errors.ts";
import { lex } from "./lexer.ts";
import type { Tokens } from "./tokens.ts";

/** The elements of an array, where a single value could be. */
export interface List<T> {
  list: readonly T[];
}

/** A statement with a value for each of its `?`. */
export interface Spread<T> {
  sql: string;
  values: T[];
}

/**
 * @param sql with `?` only
 * @param values one for each `?`
 * @param nameOf how the parameter of a place is called in messages
 * @throws ParameterError `wrong_place` for a list that is not alone in `IN (?)`, `too_large`
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

/** @returns for each `?` of a statement whether a list may be its value */
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
 * The last element again and again, up to the next power of two: IN and NOT IN mean the same, and lists of all
 * lengths make few statements, which stay prepared.
 */
function padded<T>(list: readonly T[]): T[] {
  return Array.from({ length: paddedLength(list.length) }, (_, i) => list[Math.min(i, list.length - 1)] as T);
}

function paddedLength(length: number): number {
  return 2 ** Math.ceil(Math.log2(length));
}

/** Before anything is made of them: a name that stands often in a statement binds its value, or its list, as often. */
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
