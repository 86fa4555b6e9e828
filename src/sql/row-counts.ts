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
 * @param bound a value for the placeholder: a BoundValue, or a batch's reference to an earlier result
 * @throws ParameterError `below_minimum` for a negative number, or its text; `wrong_reference` for a value of an
 *   earlier row, which may be negative
 */
export function demandRowCount(name: string, bound: object): void {
  if ("reference" in bound && isOfRow(bound.reference)) {
    const complaint = "is a number of rows (LIMIT, OFFSET): it may not refer to a value of an earlier row";
    throw wrongParameter("wrong_reference", name, complaint);
  }
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

function isOfRow(reference: unknown): boolean {
  const isTable = typeof reference === "object" && reference !== null && "of" in reference;
  return isTable && typeof reference.of === "object";
}
