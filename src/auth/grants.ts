import type { Permission } from "../config/permissions.ts";
import type { ClaimPredicates, Grant } from "../config/schema.ts";
import { TidegateError } from "../errors.ts";
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
  if (detail !== undefined) throw new TidegateError("access_denied", { detail });
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
  throw new TidegateError("access_denied", { detail: noGrant(wanted) });
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
  return claimMismatch(grant.claims, caller.claims, "");
}

/** @returns the path of the first claim that does not match, and the required value */
function claimMismatch(
  predicates: ClaimPredicates,
  claims: Readonly<Record<string, unknown>>,
  at: string,
): string | undefined {
  for (const [name, wanted] of Object.entries(predicates)) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (typeof wanted === "object") {
      const inner = isTable(value) ? claimMismatch(wanted, value, `${at}${name}.`) : `wants ${at}${name}`;
      if (inner !== undefined) return inner;
    } else if (Array.isArray(value) ? !value.includes(wanted) : value !== wanted) {
      return `wants ${at}${name} to be ${JSON.stringify(wanted)}`;
    }
  }
  return undefined;
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
