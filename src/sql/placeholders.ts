import { type BindOne, bindJsonParameter, bindJsonValue } from "./bind-values.ts";
import type { BoundValue } from "./bound-value.ts";
import { nameList, ParameterError, StatementError } from "./errors.ts";
import { textAsSent } from "./exact-json.ts";
import type { JudgedStatement, Placeholder } from "./guard.ts";
import { parseJson } from "./json-places.ts";
import { type List, type Spread, spread } from "./lists.ts";
import { demandRowCount } from "./row-counts.ts";

/** A name with this prefix is a claim of the caller's token. The gateway binds it, in saved queries only. */
export const claimPrefix = "jwt.";

/**
 * The values that a statement needs. In `sql` all placeholders are `?`, as the server prepares it.
 * `rowCounts` are the indexes of those at LIMIT or OFFSET, absent if there are none.
 */
export type BindPlan = { sql: string; rowCounts?: readonly number[] } & (
  | { style: "positional"; count: number }
  | { style: "named"; names: readonly string[] }
);

/**
 * Reads the placeholders of a statement.
 *
 * @param where `ad-hoc` refuses claims, because a caller could combine them with other SQL
 * @returns how to bind. A statement without placeholders is positional with count 0. `names` is in the order
 *   of the placeholders and has repeats
 * @throws StatementError `mixed_placeholders` or `reserved_parameter`
 */
export function bindPlan(statement: JudgedStatement, where: "ad-hoc" | "saved" = "ad-hoc"): BindPlan {
  const { placeholders, text } = statement;
  const names = placeholders.map(({ name }) => name).filter((name) => name !== null);
  const counts = placeholders.flatMap(({ rowCount }, index) => (rowCount ? [index] : []));
  const rowCounts = counts.length > 0 ? { rowCounts: counts } : {};
  if (names.length === 0) return { style: "positional", sql: text, count: placeholders.length, ...rowCounts };
  if (names.length !== placeholders.length) {
    const odd = placeholders.find(({ name }) => (name === null) !== (placeholders[0]?.name === null));
    throw new StatementError(
      "mixed_placeholders",
      "Use either ? or :name placeholders, not both.",
      odd?.sourceStart,
    );
  }
  const claim =
    where === "ad-hoc" ? placeholders.find(({ name }) => name?.startsWith(claimPrefix)) : undefined;
  if (claim !== undefined) {
    throw new StatementError(
      "reserved_parameter",
      `Parameters that begin with "${claimPrefix}" are the token's claims; they exist in saved queries only.`,
      claim.sourceStart,
    );
  }
  return { style: "named", sql: rewrite(text, placeholders), names, ...rowCounts };
}

function rewrite(text: string, placeholders: readonly Placeholder[]): string {
  let sql = "";
  let copied = 0;
  for (const { start, end } of placeholders) {
    sql += `${text.slice(copied, start)}?`;
    copied = end;
  }
  return sql + text.slice(copied);
}

/** The caller's parameters: a list for `?`, an object for `:name`, nothing when there are no placeholders. */
export type Parameters = readonly unknown[] | Readonly<Record<string, unknown>>;

/**
 * Puts the caller's values into the order of the placeholders. Reads only an object's own properties.
 *
 * @throws ParameterError `wrong_shape`, `missing_parameter` or `surplus_parameter`
 */
export function bind(plan: BindPlan, params: Parameters | undefined): unknown[] {
  if (params !== undefined && (typeof params !== "object" || params === null)) {
    throw new ParameterError("wrong_shape", "Send the parameters as a list or an object.");
  }
  return plan.style === "positional" ? bindPositions(plan.count, params) : bindNames(plan.names, params);
}

/**
 * Like `bind`, but returns values for the driver, one placeholder per element of an array, and a text that
 * parses JSON where a JSON function takes it.
 * @throws ParameterError also `wrong_type`, `wrong_place`, `too_large`, `below_minimum`
 */
export function bindJson(plan: BindPlan, params: Parameters | undefined): Spread<BoundValue> {
  return bindEach(plan, params, bindJsonValue);
}

/** Like `bindJson`, with another reader for values and elements. It reads each value once. */
export function bindEach<T extends object>(
  plan: BindPlan,
  params: Parameters | undefined,
  bindOne: BindOne<T>,
): Spread<T> {
  const nameOf = (index: number) =>
    (plan.style === "named" ? plan.names[index] : undefined) ?? String(index + 1);
  const read = new Map<string, T | List<T>>();
  const values = bind(plan, params).map((value, index) => {
    const name = nameOf(index);
    const sent = params && textAsSent(params, plan.style === "named" ? name : index);
    const bound = read.get(name) ?? bindJsonParameter(value, name, bindOne, sent);
    read.set(name, bound);
    return bound;
  });
  for (const index of plan.rowCounts ?? []) demandRowCount(nameOf(index), values[index] ?? {});
  return parseJson(spread(plan.sql, values, nameOf));
}

function bindPositions(count: number, params: Parameters | undefined): unknown[] {
  // A client without parameters may send an empty object or an empty list.
  const nothing = params === undefined || (count === 0 && Object.keys(params).length === 0);
  if (nothing) return expectCount(count, []);
  if (!isList(params)) {
    throw new ParameterError(
      "wrong_shape",
      "The statement has ? placeholders: send the parameters as a list.",
    );
  }
  return expectCount(count, params);
}

function expectCount(count: number, values: readonly unknown[]): unknown[] {
  if (values.length === count) return Array.from(values);
  const missing = values.length < count;
  const [first, last] = missing ? [values.length, count] : [count, values.length];
  throw new ParameterError(
    missing ? "missing_parameter" : "surplus_parameter",
    `The statement has ${count} placeholders, the list has ${values.length} parameters.`,
    Array.from({ length: last - first }, (_, index) => String(first + index + 1)),
  );
}

function bindNames(names: readonly string[], params: Parameters | undefined): unknown[] {
  if (params !== undefined && isList(params)) {
    throw new ParameterError(
      "wrong_shape",
      "The statement has :name placeholders: send the parameters as an object.",
    );
  }
  const given = new Map(Object.entries(params ?? {}));
  const wanted = new Set(names);
  const missing = [...wanted].filter((name) => !given.has(name));
  if (missing.length > 0) {
    throw new ParameterError("missing_parameter", `Not given: ${nameList(missing)}.`, missing);
  }
  const surplus = [...given.keys()].filter((name) => !wanted.has(name));
  if (surplus.length > 0) {
    throw new ParameterError(
      "surplus_parameter",
      `The statement has no placeholder for ${nameList(surplus)}.`,
      surplus,
    );
  }
  return names.map((name) => given.get(name));
}

function isList(params: Parameters): params is readonly unknown[] {
  return Array.isArray(params);
}
