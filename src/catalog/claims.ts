/** Claims of the caller's token in saved queries: reads their values. */

import { readElements } from "../sql/bind-values.ts";
import type { BoundValue } from "../sql/bound-value.ts";
import { readTyped, type ValueType } from "../sql/declared-types.ts";
import { nameList, ParameterError } from "../sql/errors.ts";
import type { List } from "../sql/lists.ts";
import { claimPrefix } from "../sql/placeholders.ts";

/** A claim that a query reads. */
export interface Claim {
  /** The name after `:jwt.` in the statement. */
  name: string;
  /** The claim's name in the token, then the names of members inside it. */
  path: readonly string[];
  /** Absent for an undeclared claim. Its value must be a text or a safe integer, and is bound as a text. */
  type?: ValueType;
  /** Declared as `TYPE[]`: a list, for `IN (:jwt.NAME)`. */
  list?: true;
  /** It stands at LIMIT or OFFSET, so it must not be negative. */
  rowCount?: true;
}

/**
 * An example for messages: the declaration of a claim whose name in the token is not possible in a
 * placeholder.
 */
export const claimExample = `-- @claim tenant "https://example.com/tenant-id" string, then :${claimPrefix}tenant`;

/** @param name as in `:jwt.NAME`; a dot leads to a member of an object */
export function undeclaredClaim(name: string): Claim {
  return { name, path: name.split(".") };
}

/**
 * Binds a claim of a verified token. An absent claim is an error and never NULL, so that a filter by tenant
 * always has a tenant. The type of the bound value never depends on the issuer's JSON type: the server would
 * compare a number with a text column by conversion, and match rows of other tenants.
 *
 * @throws ParameterError `missing_claim` or `wrong_claim`
 */
export function bindClaim(
  claim: Claim,
  claims: Readonly<Record<string, unknown>>,
): BoundValue | List<BoundValue> {
  const value = find(claim.path, claims);
  if (value === undefined || value === null) {
    const message = `The token has no claim ${nameList([claim.path.join(".")])} that the query can use.`;
    throw new ParameterError("missing_claim", message, [claimPrefix + claim.name]);
  }
  if (claim.type === undefined) return bindUndeclared(claim, value);
  if (!claim.list) return bindAs(claim, claim.type, value);
  const { type } = claim;
  const elements = readElements(value);
  if (typeof elements === "string")
    throw wrongClaim(claim, `is ${kindOf(value)}; the query takes ${elements}`);
  return { list: elements.map((element) => bindAs(claim, type, element)) };
}

/**
 * Describes the claims that a query binds, to tell apart two requests that differ only in claims.
 *
 * @returns a text that is different for different values; undefined if the query reads no claims
 * @throws ParameterError like `bindClaim`
 */
export function fingerprintOfClaims(
  read: readonly Claim[],
  claims: Readonly<Record<string, unknown>>,
): string | undefined {
  if (read.length === 0) return undefined;
  const bound = read.map((claim) => [claim.name, bindClaim(claim, claims)]);
  // JSON.stringify cannot write bigints, and writes -0 as 0.
  return JSON.stringify(bound, (_, value: unknown) => {
    if (typeof value === "bigint") return { integer: value.toString() };
    return Object.is(value, -0) ? { number: "-0" } : value;
  });
}

/** Reads own members only, because a token may have a member `__proto__`. */
function find(path: readonly string[], claims: Readonly<Record<string, unknown>>): unknown {
  let value: unknown = claims;
  for (const name of path) {
    const isThere =
      typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, name);
    value = isThere ? Reflect.get(value as object, name) : undefined;
  }
  return value;
}

function bindAs(claim: Claim, type: ValueType, value: unknown): BoundValue {
  const reading = readTyped(type, value, "json");
  const verb = claim.list ? "has an element that is" : "is";
  if (typeof reading !== "string") {
    // JSON.parse has rounded it, so it may be equal to another caller's number.
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      throw wrongClaim(claim, `${verb} ${kindOf(value)}. The issuer must send its digits as a text`);
    if (!claim.rowCount || Number(reading.value) >= 0) return reading;
    throw wrongClaim(claim, "is a negative number, and the query takes it for a number of rows");
  }
  throw wrongClaim(claim, `${verb} ${kindOf(value)}; the query takes ${reading}`);
}

/**
 * Binds a text. In a column of numbers it equals the number, and in a column of texts it equals only itself.
 */
function bindUndeclared(claim: Claim, value: unknown): BoundValue {
  if (typeof value === "string" && value.isWellFormed()) return { type: "string", value, undeclared: true };
  if (Number.isSafeInteger(value)) return { type: "string", value: String(value), undeclared: true };
  throw wrongClaim(claim, `is ${kindOf(value)}. ${adviceOn(claim, value)}`);
}

function adviceOn({ name }: Claim, value: unknown): string {
  const declare = (type: string) => `The query must declare it in its head: -- @claim ${name} ${type}`;
  if (typeof value === "boolean") return declare("boolean");
  if (Array.isArray(value)) return `${declare("TYPE[]")}, and use it as IN (:${claimPrefix}${name})`;
  if (typeof value === "object") return `The query must name a member of it: :${claimPrefix}${name}.MEMBER`;
  if (Number.isInteger(value)) return "The issuer must send its digits as a text";
  return typeof value === "number" ? declare("number") : "The issuer must send it as well-formed Unicode";
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (Number.isSafeInteger(value)) return "an integer";
  if (typeof value === "number") {
    return Number.isInteger(value)
      ? "an integer beyond 2^53, whose digits are lost"
      : "a number with a fraction";
  }
  if (typeof value === "boolean") return "a boolean";
  if (typeof value === "string")
    return value.isWellFormed() ? "a text" : "a text that is not well-formed Unicode";
  return value === null ? "null" : "an object";
}

function wrongClaim(claim: Claim, complaint: string): ParameterError {
  const message = `The token's claim ${nameList([claim.path.join(".")])} ${complaint}.`;
  return new ParameterError("wrong_claim", message, [claimPrefix + claim.name]);
}
