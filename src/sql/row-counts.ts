/**
 * Placeholders for a number of rows. MySQL and MariaDB read a bound negative number there as 2^64 less it, so
 * `LIMIT ?` with -2 gives every row; TiDB refuses it (1210).
 */

import { type ParameterError, wrongParameter } from "./errors.ts";
import type { Tokens } from "./tokens.ts";

/**
 * LIMIT ?, LIMIT ?, ?, LIMIT .. OFFSET ?, OFFSET ? ROWS, and on MariaDB FETCH FIRST ? ROWS and
 * LIMIT .. ROWS EXAMINED ?. OFFSET may be a column's name, but no placeholder can follow one.
 *
 * @param at a placeholder's token
 */
export function isRowCount(tokens: Tokens, at: number): boolean {
  const before = at - 1;
  if (tokens.is(before, "LIMIT") || tokens.is(before, "OFFSET")) return true;
  if (tokens.kind(before) === "comma") return tokens.is(at - 3, "LIMIT");
  if (tokens.is(before, "FIRST") || tokens.is(before, "NEXT")) return tokens.is(at - 2, "FETCH");
  return tokens.is(before, "EXAMINED") && tokens.is(at - 2, "ROWS");
}

/**
 * @param name of the parameter, for the message
 * @param bound a BoundValue; what has no value yet passes
 * @throws ParameterError `below_minimum` for a negative number, or its text
 */
export function demandRowCount(name: string, bound: object): void {
  const value: unknown = "value" in bound ? bound.value : undefined;
  const isNumber = typeof value === "number" || typeof value === "bigint";
  if (isNumber ? value < 0 : /^\s*-/.test(String(value))) throw negative(name);
}

function negative(name: string): ParameterError {
  return wrongParameter(
    "below_minimum",
    name,
    "is a number of rows (LIMIT, OFFSET), so it must be 0 or more",
  );
}
