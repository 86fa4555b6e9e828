import { nameList, ParameterError } from "../sql/errors.ts";
import { claimPrefix } from "../sql/placeholders.ts";
import { readTyped, type ValueSource } from "../sql/value-types.ts";
import type { BoundValue } from "../sql/values.ts";
import type { Parameter } from "./header.ts";
import type { SavedQuery } from "./parse.ts";

export { ParameterError } from "../sql/errors.ts";

/** Name and text of each parameter of a query string, as URLSearchParams iterates. */
export type QueryStringInput = Iterable<readonly [string, string]>;

/**
 * Reads what the caller sent for a saved query.
 *
 * @param input the pairs of a query string, or the JSON value of a body; undefined is an empty body
 * @param claims of the verified token; their values never come from `input`
 * @returns a typed value for each `?`, in order
 * @throws ParameterError `missing_parameter`, `surplus_parameter`, `duplicate_parameter`, `wrong_shape`,
 *   `wrong_type` or `missing_claim`
 */
export function readParameters(
  query: SavedQuery,
  input: QueryStringInput,
  source: "query-string",
  claims?: Readonly<Record<string, unknown>>,
): BoundValue[];
export function readParameters(
  query: SavedQuery,
  input: unknown,
  source: "json",
  claims?: Readonly<Record<string, unknown>>,
): BoundValue[];
export function readParameters(
  query: SavedQuery,
  input: unknown,
  source: ValueSource,
  claims: Readonly<Record<string, unknown>> = {},
): BoundValue[] {
  const given = source === "json" ? fromJson(input) : fromPairs(input as QueryStringInput);
  checkNames(query.parameters, given);
  const values = new Map(
    query.parameters.map((parameter) => [parameter.name, readValue(parameter, given, source)]),
  );
  for (const claim of query.claims) values.set(claimPrefix + claim, readClaim(claim, claims));
  return query.order.map((name) => {
    const value = values.get(name);
    if (value === undefined)
      throw new TypeError(`saved query ${query.name} orders ${name} without declaring it`);
    return value;
  });
}

/** Own properties only: `__proto__` in a JSON text is a name like any other, and a surplus one. */
function fromJson(input: unknown): Map<string, unknown> {
  if (input === undefined) return new Map();
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new ParameterError("wrong_shape", "Send the parameters as a JSON object.");
  }
  return new Map(Object.entries(input));
}

function fromPairs(input: QueryStringInput): Map<string, unknown> {
  const given = new Map<string, unknown>();
  const repeated = new Set<string>();
  for (const [name, text] of input) {
    if (given.has(name)) repeated.add(name);
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

/** A parameter whose default is null may be sent as null; a query string cannot say null, but may leave it out. */
function readValue(
  parameter: Parameter,
  given: ReadonlyMap<string, unknown>,
  source: ValueSource,
): BoundValue {
  const { name, type } = parameter;
  const present = given.has(name);
  const value = present ? given.get(name) : parameter.default;
  if (value === null && parameter.default === null) return { type: "null", value: null };
  const reading = readTyped(type, value, present ? source : "json");
  if (typeof reading !== "string") return reading;
  throw new ParameterError("wrong_type", `Parameter ${nameList([name])} must be ${reading}.`, [name]);
}

/**
 * `jwt.a.b` is member b of claim a. An absent claim is an error, never NULL: a filter by tenant must not
 * become one by nobody.
 */
function readClaim(path: string, claims: Readonly<Record<string, unknown>>): BoundValue {
  let value: unknown = claims;
  for (const name of path.split(".")) {
    value =
      typeof value === "object" && value !== null && Object.hasOwn(value, name)
        ? Reflect.get(value, name)
        : undefined;
  }
  if (typeof value === "string" && value.isWellFormed()) return { type: "string", value };
  if (typeof value === "boolean") return { type: "boolean", value };
  if (typeof value === "number") {
    const reading = readTyped(Number.isInteger(value) ? "integer" : "number", value, "json");
    if (typeof reading !== "string") return reading;
  }
  throw new ParameterError(
    "missing_claim",
    `The token has no claim ${nameList([path])} that the query can use.`,
    [claimPrefix + path],
  );
}
