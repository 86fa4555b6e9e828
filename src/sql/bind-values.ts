import { limits } from "../limits.ts";
import { readAs, typeNames } from "./adhoc-types.ts";
import type { BoundValue } from "./bound-value.ts";
import { type ParameterError, wrongParameter } from "./errors.ts";
import { textAsSent } from "./exact-json.ts";
import type { List } from "./lists.ts";

export { type ValueType, valueTypes } from "./declared-types.ts";
export { ParameterError, type ParameterReason } from "./errors.ts";

/**
 * Binds a JSON value of ad-hoc SQL: string, boolean, null, number, bigint (an exact literal beyond 2^53), or
 * `{"type": "DECIMAL", "value": "1.10"}` for a type that JSON does not have.
 *
 * @param name of the parameter in messages
 * @param sent the caller's digits of a number, from `textAsSent`
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

/** A number beyond 2^53 that is not a bigint had a fraction or an exponent. It is a DOUBLE, as in SQL. */
function bindNumber(value: number | bigint, name: string): BoundValue {
  const type = typeof value === "bigint" || Number.isSafeInteger(value) ? "INTEGER" : "NUMBER";
  return { ...bindAs(type, value, name), undeclared: true };
}

function bindTyped(value: object, name: string): BoundValue {
  const typed = typeAndValue(value);
  if (typed === undefined) {
    throw wrong(
      name,
      'must be a string, a number, a boolean, null, or an object of "type" and "value"; send a list as {"type": "ARRAY", "value": [..]}, JSON as {"type": "JSON", "value": ..}',
    );
  }
  const bound = bindAs(typed.type, typed.value, name);
  return typed.type.toUpperCase() === "JSON" ? { ...bound, json: true } : bound;
}

function bindAs(type: string, value: unknown, name: string): BoundValue {
  const bound = readAs(type, value, name);
  if (bound === undefined)
    throw wrong(
      name,
      `has a type that is unknown, or not accepted here; the types are ${typeNames.join(", ")}`,
    );
  if (typeof bound === "string") throw wrong(name, `must be ${bound}`);
  return bound;
}

/** Reads the object's own members. A third member makes it invalid. */
function typeAndValue(given: object): { type: string; value: unknown } | undefined {
  const { type, value, ...more } = Object.fromEntries(Object.entries(given));
  const isTyped = typeof type === "string" && Object.hasOwn(given, "value") && !Array.isArray(given);
  return isTyped && Object.keys(more).length === 0 ? { type, value } : undefined;
}

/** Reads one value, as `bindJsonValue` does. */
export type BindOne<T> = (value: unknown, name: string, sent?: string) => T;

/**
 * Like `bindJsonValue`, but also takes `{"type": "ARRAY", "value": [..]}`.
 *
 * @param bindOne binds each element, or the value itself when it is not an array
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

/** @returns the elements of an array whose length fits IN, or a text that says what was expected */
export function readElements(value: unknown): readonly unknown[] | string {
  if (Array.isArray(value) && value.length > 0 && value.length <= limits.arrayElements) return value;
  return `an array of 1 to ${limits.arrayElements} elements; IN () without elements is not valid SQL`;
}

/**
 * Refuses a UTC value where the session is not in UTC. The server reads each date and time in the session's
 * zone, and MariaDB accepts no other zone in the text.
 * @param zone the session's time zone
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
