/** JSON without what JavaScript's numbers lose of it: integers beyond 2^53, and the sign of zero. */
import { wrongParameter } from "./errors.ts";

/** What ECMAScript's "JSON.parse source text access" adds; TypeScript's library does not have it yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * As JSON.parse, but an integer literal beyond 2^53 becomes a bigint.
 * @throws SyntaxError for what is not JSON, RangeError for what nests too deeply
 */
export function parseExactly(text: string): unknown {
  // Few bodies have one, and asking for each value's source takes several times as long.
  return /\d{16}/.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text);
}

/** A finite number has 309 digits at most: reading them costs nothing. */
function exactInteger(_: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !Number.isFinite(value)) return value;
  if (context?.source === undefined) throw new TypeError("this runtime does not tell a number's digits");
  return /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
}

/**
 * The text of a value that `parseExactly` has read: bigints with all their digits, -0 as -0.0, which MySQL takes
 * for what it is (it reads -0 as 0). Other numbers are the shortest text of their double.
 *
 * @param name of the parameter, for messages
 * @throws ParameterError `wrong_type` for what JSON or the server cannot say
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
