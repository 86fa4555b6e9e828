/**
 * The types that `{"type", "value"}` of a parameter may name: the servers' types, as answers name them, and
 * our own.
 */
import { isIPv4, isIPv6 } from "node:net";
import {
  type Range,
  type Reading,
  readInteger,
  readNumber,
  readTyped,
  type ValueType,
  valueTypes,
} from "./declared-types.ts";
import { jsonText } from "./exact-json.ts";
import { isTime } from "./temporal.ts";

/** @param name of the parameter. @throws ParameterError when a text has the wrong form */
type Reader = (value: unknown, name: string) => Reading;

/** The types in upper case, each with the reader of its values. Each type also takes null. */
const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ...valueTypes.map((type): [string, Reader] => [type.toUpperCase(), ofType(type)]),
  ...Object.entries({ TINYINT: 8n, SMALLINT: 16n, MEDIUMINT: 24n, INT: 32n, BIGINT: 64n }).flatMap(
    ([type, bits]): [string, Reader][] => [
      [type, (value) => readInteger(value, range(-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n))],
      [`${type} UNSIGNED`, (value) => readInteger(value, range(0n, 2n ** bits - 1n))],
    ],
  ),
  ["BOOL", ofType("boolean")],
  ["FLOAT", readFloat],
  ["DOUBLE", ofType("number")],
  ["BIT", readBits],
  ["TIME", text(isTime, "a time hh:mm:ss from -838:59:59.999999 to 838:59:59.999999")],
  ["TIMESTAMP", ofType("datetime")],
  ["YEAR", readYear],
  ...["CHAR", "VARCHAR", "TEXT", "ENUM", "SET"].map((type): [string, Reader] => [type, ofType("string")]),
  ...["BINARY", "VARBINARY", "BLOB", "GEOMETRY", "VECTOR"].map((type): [string, Reader] => [type, readBytes]),
  ["JSON", (value, name) => ({ type: "string", value: jsonText(value, name) })],
  ["UUID", text((value) => /^[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i.test(value), "a UUID")],
  ["INET4", text(isIPv4, "an IPv4 address")],
  ["INET6", text((value) => isIPv6(value) && !value.includes("%"), "an IPv6 address")],
  ["NULL", () => "null"],
]);

/** Every type's name, in upper case. A caller may write it in any case. */
export const typeNames: readonly string[] = [...readers.keys()];

/**
 * @param type as the caller wrote it
 * @returns the value, or a text that says what was expected; undefined for an unknown type
 * @throws ParameterError `wrong_type`
 */
export function readAs(type: string, value: unknown, name: string): Reading | undefined {
  const read = readers.get(type.toUpperCase());
  return read && value === null ? { type: "null", value: null } : read?.(value, name);
}

function ofType(type: ValueType): Reader {
  return (value) => readTyped(type, value, "json");
}

function range(least: bigint, most: bigint): Range {
  return { least, most, text: `${least} to ${most}` };
}

/**
 * Rounds to the nearest FLOAT and binds it as a DOUBLE, so that it equals the same value in a FLOAT column.
 */
function readFloat(value: unknown): Reading {
  const reading = readNumber(value, "json");
  if (typeof reading === "string") return reading;
  const float = Math.fround(Number(reading.value));
  return Number.isFinite(float) ? { type: "number", value: float } : "a number that fits into a FLOAT";
}

/** https://dev.mysql.com/doc/refman/en/year.html. Refuses 70: the server would read it as 1970. */
function readYear(value: unknown): Reading {
  const reading = readInteger(value, range(0n, 2155n));
  const year = typeof reading === "string" ? undefined : Number(reading.value);
  return typeof reading === "string" || (year !== 0 && Number(year) < 1901)
    ? "a year from 1901 to 2155, or 0"
    : reading;
}

function text(isRight: (value: string) => boolean, expected: string): Reader {
  return (value) => (typeof value === "string" && isRight(value) ? { type: "string", value } : expected);
}

/** A BIT column holds a number. The server would read bound bytes as digits, so this binds an integer. */
function readBits(value: unknown): Reading {
  const reading = readBytes(value);
  const bytes = typeof reading === "string" ? undefined : Buffer.from(String(reading.value), "base64");
  if (bytes === undefined || bytes.length < 1 || bytes.length > 8) return "1 to 8 bytes in base64";
  return readInteger(BigInt(`0x${bytes.toString("hex")}`));
}

/** Base64 with padding and without extra bits (RFC 4648 §3.5), the form that answers have. */
function readBytes(value: unknown): Reading {
  const isCanonical = typeof value === "string" && Buffer.from(value, "base64").toString("base64") === value;
  return isCanonical ? { type: "binary", value } : "bytes in base64, with padding";
}
