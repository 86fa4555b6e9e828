import { readElements } from "../sql/bind-values.ts";
import type { BoundValue } from "../sql/bound-value.ts";
import { readTyped, type ValueSource } from "../sql/declared-types.ts";
import { nameList, ParameterError } from "../sql/errors.ts";
import { type List, type Spread, spread } from "../sql/lists.ts";
import { claimPrefix } from "../sql/placeholders.ts";
import { bindClaim } from "./claims.ts";
import type { SavedQuery } from "./parse.ts";
import type { Parameter } from "./saved-query.ts";

export { ParameterError } from "../sql/errors.ts";

/** The name and text of each parameter in a query string, in the form of URLSearchParams. */
export type QueryStringInput = Iterable<readonly [string, string]>;

/**
 * Reads the caller's parameters for a saved query.
 *
 * @param input the pairs of a query string, or the JSON value of a body; undefined for an empty body
 * @param claims of the verified token; their values never come from `input`
 * @returns the statement, and a typed value for each `?` in order; an array gives one value per element
 * @throws ParameterError `missing_parameter`, `surplus_parameter`, `duplicate_parameter`, `wrong_shape`,
 *   `wrong_type`, `too_large`, `missing_claim` or `wrong_claim`
 */
export function readParameters(
  query: SavedQuery,
  input: QueryStringInput,
  source: "query-string",
  claims?: Readonly<Record<string, unknown>>,
): Spread<BoundValue>;
export function readParameters(
  query: SavedQuery,
  input: unknown,
  source: "json",
  claims?: Readonly<Record<string, unknown>>,
): Spread<BoundValue>;
export function readParameters(
  query: SavedQuery,
  input: unknown,
  source: ValueSource,
  claims: Readonly<Record<string, unknown>> = {},
): Spread<BoundValue> {
  const given = source === "json" ? fromJson(input) : fromPairs(query.parameters, input as QueryStringInput);
  checkNames(query.parameters, given);
  const values = new Map<string, BoundValue | List<BoundValue>>(
    query.parameters.map((parameter) => [parameter.name, readParameter(parameter, given, source)]),
  );
  for (const claim of query.claims) values.set(claimPrefix + claim.name, bindClaim(claim, claims));
  const ordered = query.order.map((name) => {
    const value = values.get(name);
    if (value === undefined)
      throw new TypeError(`saved query ${query.name} orders ${name} without declaring it`);
    return value;
  });
  return spread(query.sql, ordered, (index) => query.order[index] ?? "");
}

/**
 * Reads own properties only. `__proto__` in a JSON text is an ordinary name here, and no query has such a
 * parameter.
 */
function fromJson(input: unknown): Map<string, unknown> {
  if (input === undefined) return new Map();
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new ParameterError("wrong_shape", "Send the parameters as a JSON object.");
  }
  return new Map(Object.entries(input));
}

/** A parameter that is declared as an array may be repeated; its texts are the elements. */
function fromPairs(parameters: readonly Parameter[], input: QueryStringInput): Map<string, unknown> {
  const lists = new Set(parameters.filter(({ list }) => list).map(({ name }) => name));
  const given = new Map<string, unknown>();
  const repeated = new Set<string>();
  for (const [name, text] of input) {
    const before = given.get(name);
    if (lists.has(name)) {
      if (Array.isArray(before)) before.push(text);
      else given.set(name, [text]);
      continue;
    }
    if (before !== undefined) repeated.add(name);
    given.set(name, text);
  }
  if (repeated.size === 0) return given;
  throw new ParameterError("duplicate_parameter", `Given more than once: ${nameList([...repeated])}.`, [
    ...repeated,
  ]);
}

function checkNames(parameters: readonly Parameter[], given: ReadonlyMap<string, unknown>): void {
  const missing = parameters
    .filter(({ required, name }) => required && !given.has(name))
    .map(({ name }) => name);
  if (missing.length > 0) {
    throw new ParameterError("missing_parameter", `Not given: ${nameList(missing)}.`, missing);
  }
  const known = new Set(parameters.map(({ name }) => name));
  const surplus = [...given.keys()].filter((name) => !known.has(name));
  if (surplus.length === 0) return;
  const advice = known.size === 0 ? "It takes none." : `It takes ${nameList([...known])}.`;
  throw new ParameterError(
    "surplus_parameter",
    `The query has no parameter ${nameList(surplus)}. ${advice}`,
    surplus,
  );
}

/**
 * A caller may send null if the default is null. A query string has no null, but it may omit the parameter.
 */
function readParameter(
  parameter: Parameter,
  given: ReadonlyMap<string, unknown>,
  source: ValueSource,
): BoundValue | List<BoundValue> {
  const { name, list } = parameter;
  const present = given.has(name);
  const value = present ? given.get(name) : parameter.default;
  if (list) {
    const elements = readElements(value);
    if (typeof elements === "string") throw wrongType(name, elements);
    return { list: elements.map((one) => readOne(parameter, one, source)) };
  }
  if (value === null && parameter.default === null) return { type: "null", value: null };
  return readOne(parameter, value, present ? source : "json");
}

function readOne({ name, type }: Parameter, value: unknown, source: ValueSource): BoundValue {
  const reading = readTyped(type, value, source);
  if (typeof reading === "string") throw wrongType(name, reading);
  return reading;
}

function wrongType(name: string, expected: string): ParameterError {
  return new ParameterError("wrong_type", `Parameter ${nameList([name])} must be ${expected}.`, [name]);
}
