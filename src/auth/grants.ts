import type { Permission } from "../config/permissions.ts";
import type { ClaimPredicates, Grant } from "../config/schema.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Caller } from "./caller.ts";

/**
 * The permission that a request needs, in the words of a grant's `allow`. `operate` and `metrics` belong to
 * no account. `cancel` is for the caller's own statements, and `queries` for the list of what the grant allows:
 * every grant allows both.
 */
export type Action = `query:${string}` | Permission | "cancel" | "queries";

/**
 * The permission that a grant must give. `sql` means any permission that begins with `sql:`: the statement
 * has not been read yet, so its own permissions are not known.
 */
export type Demand = Action | "sql";

/** How one grant fits a caller. */
export interface GrantMatch {
  grant: Grant;
  /** Why the grant does not match; undefined if it matches. */
  mismatch: string | undefined;
}

export interface Decision {
  /** All grants in order, also those after the deciding one. */
  matches: GrantMatch[];
  /** The first grant that matches and gives the requested account. */
  decisive: Grant | undefined;
  /** The account; undefined if access is refused. */
  account: string | undefined;
  /** One sentence for the caller; undefined if access is given. */
  refusal: string | undefined;
}

/**
 * The first grant whose issuer and claims match decides. Without such a grant there is no access. A caller
 * with several accounts may choose one by name, but only among the accounts that its claims give.
 * @param wanted the account in the header Tidegate-Account
 */
export function explain(
  grants: readonly Grant[],
  caller: Caller,
  demand: Demand,
  wanted: string | undefined,
): Decision {
  const matches = grants.map((grant) => ({ grant, mismatch: mismatchOf(grant, caller, wanted) }));
  const decisive = matches.find(({ mismatch }) => mismatch === undefined)?.grant;
  if (!decisive) return { matches, decisive, account: undefined, refusal: noGrant(wanted) };
  const refusal = refusalOf(decisive, demand);
  return { matches, decisive, account: refusal === undefined ? decisive.account : undefined, refusal };
}

/** @throws TidegateError `access_denied` if the caller's own grant does not give the permission */
export function demandOf(grant: Grant, demand: Demand): void {
  const detail = refusalOf(grant, demand);
  if (detail !== undefined)
    throw new TidegateError("access_denied", { detail, reason: "grant_does_not_allow" });
}

export function allows(grant: Grant, demand: Demand): boolean {
  return refusalOf(grant, demand) === undefined;
}

function refusalOf({ allow }: Grant, demand: Demand): string | undefined {
  if (demand === "cancel" || demand === "queries") return undefined;
  if (allow.some((permission) => covers(permission, demand))) return undefined;
  return demand === "sql"
    ? "The grant allows no statements of your own."
    : `The grant does not allow ${demand}.`;
}

/**
 * @returns the deciding grant, as in `explain`. `demandOf` says what it allows
 * @throws TidegateError `access_denied` if there is none
 */
export function grantOf(grants: readonly Grant[], caller: Caller, wanted: string | undefined): Grant {
  const decisive = grants.find((grant) => mismatchOf(grant, caller, wanted) === undefined);
  if (decisive) return decisive;
  const details = { detail: noGrant(wanted), reason: "no_grant_matches" };
  throw new TidegateError("access_denied", details, mismatchesOf(grants, caller, wanted));
}

/**
 * Says why the grants of the caller's issuer do not match, for the log. It has words of the policy alone, and
 * no claim's value of the token.
 */
function mismatchesOf(grants: readonly Grant[], caller: Caller, wanted: string | undefined): string {
  const own = grants.flatMap((grant, i) => (grant.issuer === caller.issuer ? [[grant, i] as const] : []));
  if (own.length === 0) return "no grant is for the token's issuer";
  const shown = own
    .slice(0, limits.mismatchesShown)
    .map(([grant, i]) =>
      `grants[${i}] ${mismatchOf(grant, caller, wanted)}`.slice(0, limits.mismatchCharacters),
    );
  const more = own.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join("; ");
}

/** The text is equal for a missing account and for an account of other callers, so it reveals nothing. */
function noGrant(wanted: string | undefined): string {
  return wanted === undefined
    ? "No grant matches the token's claims."
    : "No grant gives the account asked for.";
}

function mismatchOf(grant: Grant, caller: Caller, wanted: string | undefined): string | undefined {
  if (wanted !== undefined && grant.account !== wanted)
    return `gives ${grant.account}, not the account asked for`;
  if (grant.issuer !== caller.issuer) return "is for another issuer";
  if (grant.subject !== undefined && !fits(grant.subject, caller.subject))
    return `wants sub to be ${grant.subject}`;
  return scopeMismatch(grant.scopes, caller.claims) ?? claimMismatch(grant.claims, caller.claims, "");
}

/** Each scope must be a whole word of `scope` (RFC 8693 §4.2) or `scp`: a text with spaces, or a list. */
function scopeMismatch(
  scopes: readonly string[] | undefined,
  claims: Readonly<Record<string, unknown>>,
): string | undefined {
  if (scopes === undefined) return undefined;
  const held = ["scope", "scp"].flatMap((name) => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    return typeof value === "string" ? value.split(" ") : value;
  });
  const missing = scopes.filter((scope) => !held.includes(scope));
  if (missing.length === 0) return undefined;
  return `wants the ${missing.length === 1 ? "scope" : "scopes"} ${missing.join(", ")}`;
}

/** @returns the path of the first claim that does not match, and the required value */
function claimMismatch(
  predicates: ClaimPredicates,
  claims: Readonly<Record<string, unknown>>,
  at: string,
): string | undefined {
  for (const [name, wanted] of Object.entries(predicates)) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    const path = at + keyOf(name);
    if (typeof wanted === "object") {
      const inner = tableMismatch(wanted, value, path);
      if (inner !== undefined) return inner;
    } else if (Array.isArray(value) ? !value.includes(wanted) : value !== wanted) {
      // JSON.parse rounds an integer beyond 2^53. It never becomes a smaller one, and a policy has no other.
      return `wants ${path} to be ${JSON.stringify(wanted)}`;
    }
  }
  return undefined;
}

/** One object of a list must fit the whole table: two objects that each fit a part of it are two others. */
function tableMismatch(wanted: ClaimPredicates, value: unknown, path: string): string | undefined {
  if (isTable(value)) return claimMismatch(wanted, value, `${path}.`);
  if (!Array.isArray(value)) return `wants ${path}`;
  const fitting = value.some((one) => isTable(one) && claimMismatch(wanted, one, "") === undefined);
  return fitting ? undefined : `wants one object of ${path} to be ${JSON.stringify(wanted)}`;
}

/** Writes a name as a key of TOML: in quotes if it has other characters than letters, digits, `_` and `-`. */
function keyOf(name: string): string {
  return /^[\w-]+$/.test(name) ? name : JSON.stringify(name);
}

/** @param pattern each `*` matches any number of characters; the pattern must match the whole subject */
function fits(pattern: string, subject: string | undefined): boolean {
  if (subject === undefined) return false;
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return subject === first;
  if (!subject.startsWith(first)) return false;
  const last = rest.pop() ?? "";
  let at = first.length;
  for (const part of rest) {
    const found = subject.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return subject.length - at >= last.length && subject.endsWith(last);
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function covers(permission: string, demand: Demand): boolean {
  if (demand === "sql") return permission.startsWith("sql:");
  return permission === demand || (permission === "query:*" && demand.startsWith("query:"));
}
