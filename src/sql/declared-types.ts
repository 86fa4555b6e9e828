/** The declared types of parameters, and how each reads a JSON value or a text. */

import type { BoundValue } from "./bound-value.ts";
import { datetimeText, isDate } from "./temporal.ts";

/** The types that a parameter can be declared with. */
export const valueTypes = ["string", "integer", "number", "boolean", "decimal", "date", "datetime"] as const;
export type ValueType = (typeof valueTypes)[number];

/** The source of the value. In a query string every value is text. */
export type ValueSource = "json" | "query-string";

/** The value, or a text that says what was expected: "an integer" for the message "must be an integer". */
export type Reading = BoundValue | string;

export function isValueType(text: string): text is ValueType {
  return (valueTypes as readonly string[]).includes(text);
}

/**
 * Reads a value as its declared type. It never rounds, cuts or guesses.
 *
 * @returns the bound value, or a text that says what was expected and never repeats the value
 */
export function readTyped(type: ValueType, value: unknown, source: ValueSource): Reading {
  switch (type) {
    case "string":
      return typeof value === "string" && value.isWellFormed()
        ? { type, value }
        : "a string of well-formed Unicode";
    case "boolean":
      return readBoolean(value, source);
    case "integer":
      return readInteger(value);
    case "number":
      return readNumber(value, source);
    case "decimal":
      return readDecimal(value);
    case "date":
      return readDate(value);
    case "datetime":
      return readDatetime(value);
  }
}

function readBoolean(value: unknown, source: ValueSource): Reading {
  if (typeof value === "boolean") return { type: "boolean", value };
  if (source === "json") return "true or false";
  if (value === "true" || value === "1") return { type: "boolean", value: true };
  if (value === "false" || value === "0") return { type: "boolean", value: false };
  return "true, false, 1 or 0";
}

/** MySQL's range over signed and unsigned BIGINT: https://dev.mysql.com/doc/refman/en/integer-types.html */
const everyInteger: Range = { least: -(2n ** 63n), most: 2n ** 64n - 1n, text: "-2^63 to 2^64-1" };
/** Both ends of the range fit into so many characters. A longer text is refused without parsing. */
const integerCharacters = 20;

/** The values of an integer type; `text` is the range for messages. */
export interface Range {
  least: bigint;
  most: bigint;
  text: string;
}

/** Reads a number, a bigint (an exact literal beyond 2^53), or digits in a string. */
export function readInteger(value: unknown, range: Range = everyInteger): Reading {
  const expected = `an integer from ${range.text}, as a number or its digits as a string`;
  const exact = exactInteger(value);
  if (exact === undefined || exact < range.least || exact > range.most) return expected;
  const rounded = Number(exact);
  return { type: "integer", value: Number.isSafeInteger(rounded) ? rounded : exact };
}

function exactInteger(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== "string" || value.length > integerCharacters || !/^-?\d+$/.test(value))
    return undefined;
  return BigInt(value);
}

/**
 * The longest text of a number that is parsed. A double needs 17 digits and an exponent; a client may add
 * zeros.
 */
const numberCharacters = 400;

/** Reads a number as the nearest DOUBLE. An integer of many digits becomes the nearest DOUBLE too. */
export function readNumber(value: unknown, source: ValueSource): Reading {
  const expected = "a finite number";
  if (typeof value === "bigint") return readNumber(Number(value), source);
  if (typeof value === "number" && Number.isFinite(value)) return { type: "number", value };
  if (source === "json" || typeof value !== "string" || value.length > numberCharacters) return expected;
  if (!/^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(value)) return expected;
  const number = Number(value);
  return Number.isFinite(number) ? { type: "number", value: number } : expected;
}

/**
 * https://dev.mysql.com/doc/refman/en/precision-math-decimal-characteristics.html: the server rounds more
 * digits.
 */
const decimalDigits = 65;
const decimalScale = 30;

function readDecimal(value: unknown): Reading {
  const expected = `a decimal as text, such as "1.10", of at most ${decimalDigits} digits, ${decimalScale} of them after the point`;
  if (typeof value === "bigint") return readDecimal(String(value));
  if (typeof value === "number")
    return Number.isSafeInteger(value) ? { type: "decimal", value: String(value) } : expected;
  if (typeof value !== "string" || value.length > decimalDigits + 2) return expected;
  const parts = /^-?(\d+)(?:\.(\d+))?$/.exec(value);
  const [whole = "", scale = ""] = parts?.slice(1) ?? [];
  if (parts === null || whole.length + scale.length > decimalDigits || scale.length > decimalScale)
    return expected;
  return { type: "decimal", value };
}

function readDate(value: unknown): Reading {
  if (typeof value === "string" && isDate(value)) return { type: "date", value };
  return "a date YYYY-MM-DD of an existing day, from year 0000 to 9999, or 0000-00-00";
}

/** Drops the `Z`, because MariaDB reads no offset. `utc` then makes sure that the session runs in UTC. */
function readDatetime(value: unknown): Reading {
  const text = typeof value === "string" ? datetimeText(value) : undefined;
  if (text === undefined) {
    return "a date and time YYYY-MM-DD hh:mm:ss, with up to 6 digits of fraction, and optionally a Z at the end";
  }
  return { type: "datetime", value: text, ...(String(value).endsWith("Z") && { utc: true as const }) };
}
