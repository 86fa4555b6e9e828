import { ParameterError } from "./errors.ts";
import { isValueType, readTyped, valueTypes } from "./value-types.ts";

export { ParameterError, type ParameterReason } from "./errors.ts";
export { type ValueType, valueTypes } from "./value-types.ts";

/** How a parameter is declared to the server: a number that is not declared is bound as DOUBLE and compares so. */
export type BoundType =
  | "string"
  | "integer"
  | "number"
  | "boolean"
  | "decimal"
  | "date"
  | "datetime"
  | "null";

/**
 * A parameter ready for the driver. An integer is a number when it is safe (|n| < 2^53) and a bigint
 * otherwise, within -2^63 .. 2^64-1; decimal, date and datetime are MySQL's text.
 */
export interface BoundValue {
  type: BoundType;
  value: string | number | bigint | boolean | null;
}

/**
 * A JSON value of ad-hoc SQL: string, boolean, null, number, or `{"type": "decimal", "value": "1.10"}` for
 * what JSON cannot say.
 *
 * @param name how the parameter is called in messages
 * @throws ParameterError `wrong_type`
 */
export function bindJsonValue(value: unknown, name = "?"): BoundValue {
  switch (typeof value) {
    case "string":
      if (value.isWellFormed()) return { type: "string", value };
      throw wrong(name, "is not well-formed Unicode");
    case "boolean":
      return { type: "boolean", value };
    case "number":
      return bindNumber(value, name);
    case "object":
      return value === null ? { type: "null", value } : bindTyped(value, name);
    default:
      throw wrong(name, "must be a JSON value");
  }
}

function bindNumber(value: number, name: string): BoundValue {
  if (!Number.isFinite(value)) throw wrong(name, "must be a finite number");
  if (!Number.isInteger(value)) return { type: "number", value };
  // Beyond 2^53 the parser of JSON may have rounded already.
  if (!Number.isSafeInteger(value)) {
    throw wrong(
      name,
      'is too large for an exact JSON number: send it as {"type": "integer", "value": "<digits>"} or as a string',
    );
  }
  return { type: "integer", value: value === 0 ? 0 : value };
}

function bindTyped(value: object, name: string): BoundValue {
  const entries = new Map(Object.entries(value));
  const type = entries.get("type");
  const known = typeof type === "string" ? type.toLowerCase() : "";
  if (Array.isArray(value) || entries.size !== 2 || !entries.has("value") || !isValueType(known)) {
    throw wrong(
      name,
      `must be a string, a number, a boolean, null, or {"type", "value"} with one of the types ${valueTypes.join(", ")}; send lists and objects as JSON text`,
    );
  }
  const given = entries.get("value");
  if (given === null) return { type: "null", value: null };
  const bound = readTyped(known, given, "json");
  if (typeof bound === "string") throw wrong(name, `must be ${bound}`);
  return bound;
}

function wrong(name: string, message: string): ParameterError {
  return new ParameterError("wrong_type", `Parameter ${name} ${message}.`, [name]);
}
