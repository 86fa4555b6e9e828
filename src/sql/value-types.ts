/** The declared types of parameters, and how each reads a JSON value or a text. */
import type { BoundValue } from "./values.ts";

/** What a parameter can be declared as. */
export const valueTypes = ["string", "integer", "number", "boolean", "decimal", "date", "datetime"] as const;
export type ValueType = (typeof valueTypes)[number];

/** Where the value comes from: in a query string everything is text. */
export type ValueSource = "json" | "query-string";

/** Either the value, or what was expected, as in "must be an integer". */
export type Reading = BoundValue | string;

export function isValueType(text: string): text is ValueType {
  return (valueTypes as readonly string[]).includes(text);
}

/**
 * Reads a value as its declared type. Nothing is rounded, cut or guessed.
 *
 * @returns the bound value, or a text that says what was expected; it never repeats the value.
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
const smallestInteger = -(2n ** 63n);
const largestInteger = 2n ** 64n - 1n;
/** Enough for either end of the range; a longer text is not worth parsing. */
const integerCharacters = 20;

function readInteger(value: unknown): Reading {
  if (typeof value === "number") {
    if (Number.isSafeInteger(value)) return { type: "integer", value: value === 0 ? 0 : value };
    return "an integer; beyond 2^53 it must be sent as a string, since a JSON number is rounded there";
  }
  const expected = "an integer from -2^63 to 2^64-1";
  if (typeof value !== "string" || value.length > integerCharacters || !/^-?\d+$/.test(value))
    return expected;
  const exact = BigInt(value);
  if (exact < smallestInteger || exact > largestInteger) return expected;
  const rounded = Number(exact);
  return { type: "integer", value: Number.isSafeInteger(rounded) ? rounded : exact };
}

/** The longest double written in full has 17 digits and an exponent; a reader of logs may add zeros. */
const numberCharacters = 400;

function readNumber(value: unknown, source: ValueSource): Reading {
  const expected = "a finite number";
  if (typeof value === "number" && Number.isFinite(value)) return { type: "number", value };
  if (source === "json" || typeof value !== "string" || value.length > numberCharacters) return expected;
  if (!/^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(value)) return expected;
  const number = Number(value);
  return Number.isFinite(number) ? { type: "number", value: number } : expected;
}

/** https://dev.mysql.com/doc/refman/en/precision-math-decimal-characteristics.html: more would be rounded. */
const decimalDigits = 65;
const decimalScale = 30;

function readDecimal(value: unknown): Reading {
  const expected = `a decimal as text, such as "1.10", of at most ${decimalDigits} digits, ${decimalScale} of them after the point`;
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
  if (typeof value === "string" && value.length === 10 && isRealDate(value)) return { type: "date", value };
  return "a date YYYY-MM-DD from 1000-01-01 to 9999-12-31";
}

/**
 * MySQL's text: `T` becomes a space. `Z` is dropped, since MariaDB reads no offset: sessions run in UTC.
 * https://dev.mysql.com/doc/refman/en/datetime.html
 */
function readDatetime(value: unknown): Reading {
  const expected = "a date and time YYYY-MM-DD hh:mm:ss, with up to 6 digits of fraction, in UTC";
  if (typeof value !== "string" || value.length > 27) return expected;
  const parts = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}):(\d{2}):(\d{2})(\.\d{1,6})?Z?$/.exec(value);
  if (parts === null) return expected;
  const [date = "", hours = "", minutes = "", seconds = "", fraction = ""] = parts.slice(1);
  if (!isRealDate(date) || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59)
    return expected;
  return { type: "datetime", value: `${date} ${hours}:${minutes}:${seconds}${fraction}` };
}

/** In the Gregorian calendar and in MySQL's range. */
function isRealDate(text: string): boolean {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  const [year = 0, month = 0, day = 0] = parts?.slice(1).map(Number) ?? [];
  if (year < 1000 || month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day <= (days[month - 1] ?? 0);
}
