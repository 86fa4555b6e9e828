import type { Permission } from "../config/permissions.ts";
import type { ClaimPredicates, Grant } from "../config/schema.ts";
import { TidegateError } from "../errors.ts";
import type { Caller } from "./caller.ts";

/**
 * What a request wants to do, as `allow` of a grant says it; `operate` and `metrics` are about no account in
 * particular. To cancel what is one's own every grant allows.
 */
export type Action = `query:${string}` | Permission | "cancel";

/** What is asked of a grant: `sql` is any permission that begins with `sql:`, before a statement says which ones it needs. */
export type Demand = Action | "sql";

/** What one grant says to a caller. */
export interface Verdict {
  grant: Grant;
  /** Why it does not match; undefined when it does. */
  mismatch: string | undefined;
}

export interface Decision {
  /** Every grant in order, also those after the one that decided. */
  verdicts: Verdict[];
  /** The first grant that matches, and gives the account asked for. */
  decisive: Grant | undefined;
  /** Set when access is given. */
  account: string | undefined;
  /** One sentence for the caller when it is not. */
  refusal: string | undefined;
}

/**
 * The first grant whose issuer and claims match decides; no grant, no access. A caller to whom several
 * accounts are open may choose one by name, and can never name one that its claims do not give.
 * @param wanted the account asked for with the header Tidegate-Account
 */
export function explain(
  grants: readonly Grant[],
  caller: Caller,
  demand: Demand,
  wanted: string | undefined,
): Decision {
  const verdicts = grants.map((grant) => ({ grant, mismatch: mismatchOf(grant, caller, wanted) }));
  const decisive = verdicts.find(({ mismatch }) => mismatch === undefined)?.grant;
  if (!decisive) {
    // The same whether the account does not exist or is not the caller's.
    const refusal =
      wanted === undefined ? "No grant matches the token's claims." : "No grant gives the account asked for.";
    return { verdicts, decisive, account: undefined, refusal };
  }
  const refusal = refusalOf(decisive, demand);
  return { verdicts, decisive, account: refusal === undefined ? decisive.account : undefined, refusal };
}

/** @throws TidegateError `access_denied` where the caller's own grant does not allow it */
export function demandOf(grant: Grant, action: Action): void {
  const detail = refusalOf(grant, action);
  if (detail !== undefined) throw new TidegateError("access_denied", { detail });
}

function refusalOf({ allow }: Grant, demand: Demand): string | undefined {
  if (demand === "cancel" || allow.some((permission) => covers(permission, demand))) return undefined;
  return demand === "sql"
    ? "The grant allows no statements of your own."
    : `The grant does not allow ${demand}.`;
}

/**
 * @returns the grant that gives access
 * @throws TidegateError `access_denied`
 */
export function decide(
  grants: readonly Grant[],
  caller: Caller,
  demand: Demand,
  wanted: string | undefined,
): Grant {
  const { decisive, refusal } = explain(grants, caller, demand, wanted);
  if (decisive && refusal === undefined) return decisive;
  throw new TidegateError("access_denied", refusal === undefined ? {} : { detail: refusal });
}

function mismatchOf(grant: Grant, caller: Caller, wanted: string | undefined): string | undefined {
  if (wanted !== undefined && grant.account !== wanted)
    return `gives ${grant.account}, not the account asked for`;
  if (grant.issuer !== caller.issuer) return "is for another issuer";
  if (grant.subject !== undefined && !fits(grant.subject, caller.subject))
    return `wants sub to be ${grant.subject}`;
  return claimMismatch(grant.claims, caller.claims, "");
}

/** @returns the first claim that does not hold, by its path, and what it must be */
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

/** @param pattern text in which each `*` stands for any number of characters, a token's subject in full */
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
