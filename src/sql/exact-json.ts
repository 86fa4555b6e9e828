/**
 * Reads and writes JSON without loss of numbers: integers beyond 2^53, digits as sent, and the sign of zero.
 */
import { duplicateMember } from "../members.ts";
import { nameList, wrongParameter } from "./errors.ts";

/** From ECMAScript's "JSON.parse source text access". TypeScript's library does not have it yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** An object has a member twice. JSON parsers disagree on which one they keep. */
export class DuplicateMemberError extends Error {}

/**
 * Like JSON.parse, but an integer literal beyond 2^53 becomes a bigint, and `textAsSent` returns the caller's
 * digits of other numbers. A reviver would do the same, but takes three times as long, for every value of
 * such a body.
 * @throws SyntaxError for invalid JSON, DuplicateMemberError for an object that has a member twice
 */
export function parseExactly(text: string): unknown {
  const root = { "": JSON.parse(text) as unknown };
  const large: [holder: object, key: string | number, integer: bigint][] = [];
  const twice = duplicateMember(text, root, (holder, key, digits) => {
    if (/[.eE]/.test(digits) || digits === "-0") keepText(holder, key, digits);
    else if (isLarge(Number(digits))) large.push([holder, key, BigInt(digits)]);
  });
  if (twice !== undefined) {
    throw new DuplicateMemberError(`An object of the body has a member twice: ${nameList([twice])}.`);
  }
  for (const one of large) Reflect.set(...one);
  return root[""];
}

/** A finite number has 309 digits at most, so BigInt reads it quickly. */
function isLarge(number: number): boolean {
  return Number.isFinite(number) && !Number.isSafeInteger(number);
}

const textsAsSent = new WeakMap<object, Map<string | number, string>>();

function keepText(holder: object, key: string | number, text: string): void {
  const texts = textsAsSent.get(holder);
  if (texts) texts.set(key, text);
  else textsAsSent.set(holder, new Map([[key, text]]));
}

/**
 * @param holder an object or a list from `parseExactly` itself, not a copy
 * @param key of a number in it
 * @returns the caller's digits if they have a fraction or an exponent, or are -0: `1.50`, `1e3`, `-0`. Else
 *   undefined: then String(..) gives the digits
 */
export function textAsSent(holder: object, key: string | number): string | undefined {
  return textsAsSent.get(holder)?.get(Array.isArray(holder) ? Number(key) : String(key));
}

/**
 * Writes a value from `parseExactly` as JSON. Bigints keep all their digits. -0 becomes -0.0, because MySQL
 * reads -0 as 0. Other numbers get the shortest text of their double.
 *
 * @param name of the parameter, for messages
 * @throws ParameterError `wrong_type` for a value that JSON or the server cannot represent
 */
export function jsonText(value: unknown, name: string): string {
  const refuse = (what: string) => wrongParameter("wrong_type", name, what);
  const write = (key: string, member: unknown): unknown => {
    if (!key.isWellFormed() || (typeof member === "string" && !member.isWellFormed()))
      throw refuse("has a string that is not well-formed Unicode");
    if (typeof member === "bigint") return rawJSON(String(member));
    if (typeof member !== "number") return member;
    if (!Number.isFinite(member)) throw refuse("has a number that is not finite");
    return Object.is(member, -0) ? rawJSON("-0.0") : member;
  };
  try {
    return JSON.stringify(value, write);
  } catch (cause) {
    throw cause instanceof RangeError ? refuse("nests too deeply") : cause;
  }
}
