import { limits } from "../limits.ts";
import { readAs, typeNames } from "./adhoc-types.ts";
import type { BoundValue } from "./bound-value.ts";
import { type ParameterError, wrongParameter } from "./errors.ts";
import { textAsSent } from "./exact-json.ts";
import type { List } from "./lists.ts";

export type { BoundType, BoundValue } from "./bound-value.ts";
export { type ValueType, valueTypes } from "./declared-types.ts";
export { ParameterError, type ParameterReason } from "./errors.ts";

/**
 * A JSON value of ad-hoc SQL: string, boolean, null, number, bigint (an exact literal beyond 2^53), or
 * `{"type": "DECIMAL", "value": "1.10"}` for what JSON cannot say.
 *
 * @param name how the parameter is called in messages
 * @param sent how a number was written, as `textAsSent` tells it
 * @throws ParameterError `wrong_type`
 */
export function bindJsonValue(value: unknown, name = "?", sent?: string): BoundValue {
  switch (typeof value) {
    case "string":
      if (value.isWellFormed()) return { type: "string", value, undeclared: true };
      throw wrong(name, "is not well-formed Unicode");
    case "boolean":
      return { type: "boolean", value, undeclared: true };
    case "bigint":
    case "number":
      return { ...bindNumber(value, name), ...(sent === undefined ? {} : { sent }) };
    case "object":
      return value === null ? { type: "null", value } : bindTyped(value, name);
    default:
      throw wrong(name, "must be a JSON value");
  }
}

/** A number beyond 2^53 that is no bigint was written with a fraction or an exponent: a DOUBLE, as in SQL. */
function bindNumber(value: number | bigint, name: string): BoundValue {
  const type = typeof value === "bigint" || Number.isSafeInteger(value) ? "INTEGER" : "NUMBER";
  return { ...bindAs(type, value, name), undeclared: true };
}

function bindTyped(value: object, name: string): BoundValue {
  const typed = typeAndValue(value);
  if (typed === undefined) {
    throw wrong(
      name,
      'must be a string, a number, a boolean, null, or an object of "type" and "value"; a list goes as {"type": "ARRAY", "value": [..]}, JSON as {"type": "JSON", "value": ..}',
    );
  }
  const bound = bindAs(typed.type, typed.value, name);
  return typed.type.toUpperCase() === "JSON" ? { ...bound, json: true } : bound;
}

function bindAs(type: string, value: unknown, name: string): BoundValue {
  const bound = readAs(type, value, name);
  if (bound === undefined)
    throw wrong(name, `has a type that is not known, or not here; the types are ${typeNames.join(", ")}`);
  if (typeof bound === "string") throw wrong(name, `must be ${bound}`);
  return bound;
}

/** Own members only, and no third one. */
function typeAndValue(given: object): { type: string; value: unknown } | undefined {
  const { type, value, ...more } = Object.fromEntries(Object.entries(given));
  const isTyped = typeof type === "string" && Object.hasOwn(given, "value") && !Array.isArray(given);
  return isTyped && Object.keys(more).length === 0 ? { type, value } : undefined;
}

/** Reads one value, as `bindJsonValue` does. */
export type BindOne<T> = (value: unknown, name: string, sent?: string) => T;

/**
 * As `bindJsonValue`, also for `{"type": "ARRAY", "value": [..]}`.
 *
 * @param bindOne binds the elements, and a value that is no array
 * @throws ParameterError `wrong_type`
 */
export function bindJsonParameter<T>(
  value: unknown,
  name: string,
  bindOne: BindOne<T>,
  sent?: string,
): T | List<T> {
  const typed = typeof value === "object" && value !== null ? typeAndValue(value) : undefined;
  if (typed?.type.toUpperCase() !== "ARRAY") return bindOne(value, name, sent);
  const elements = readElements(typed.value);
  if (typeof elements === "string") throw wrong(name, `must be ${elements}`);
  return { list: elements.map((element, index) => bindOne(element, name, textAsSent(elements, index))) };
}

/** @returns the elements of a list of a length that IN takes, or what was expected */
export function readElements(value: unknown): readonly unknown[] | string {
  if (Array.isArray(value) && value.length > 0 && value.length <= limits.arrayElements) return value;
  return `an array of 1 to ${limits.arrayElements} elements; without any IN () would be no SQL`;
}

/**
 * The server reads a date and time in its session's zone, and MariaDB reads no other: what is said to be UTC may be
 * bound in UTC only.
 * @param zone the session's
 * @throws ParameterError `wrong_type`
 */
export function demandZone(values: readonly object[], zone: string): void {
  const at = zone === "+00:00" ? -1 : values.findIndex((value) => "utc" in value);
  if (at < 0) return;
  throw wrong(
    String(at + 1),
    `ends with Z, but the account's time zone is ${zone}: say it in that, without Z`,
  );
}

function wrong(name: string, complaint: string): ParameterError {
  return wrongParameter("wrong_type", name, complaint);
}
