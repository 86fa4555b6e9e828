import type { Grant } from "../config/schema.ts";
import { TidegateError } from "../errors.ts";
import type { Caller } from "./verify.ts";

/** What a request wants to do: `query:NAME`, `sql:read`, `sql:write` or `sql:ddl`. */
export type Action = `query:${string}` | "sql:read" | "sql:write" | "sql:ddl";

/**
 * The first grant whose issuer and claims match decides; no grant, no access. A caller to whom several
 * accounts are open may choose one by name, and can never name one that its claims do not give.
 * @param wanted the account asked for with the header Tidegate-Account
 * @returns the account's name
 * @throws TidegateError `access_denied`, the same whether the account does not exist or is not the caller's
 */
export function decide(
  grants: readonly Grant[],
  caller: Caller,
  action: Action,
  wanted: string | undefined,
): string {
  const grant = grants.find(
    (candidate) => (wanted === undefined || candidate.account === wanted) && matches(candidate, caller),
  );
  if (!grant) {
    const detail =
      wanted === undefined ? "No grant matches the token's claims." : "No grant gives the account asked for.";
    throw new TidegateError("access_denied", { detail });
  }
  if (!grant.allow.some((permission) => covers(permission, action))) {
    throw new TidegateError("access_denied", { detail: `The grant does not allow ${action}.` });
  }
  return grant.account;
}

function matches(grant: Grant, caller: Caller): boolean {
  if (grant.issuer !== caller.issuer) return false;
  return Object.entries(grant.claims).every(([claim, wanted]) => {
    if (!Object.hasOwn(caller.claims, claim)) return false;
    const value = caller.claims[claim];
    return Array.isArray(value) ? value.includes(wanted) : value === wanted;
  });
}

function covers(permission: string, action: Action): boolean {
  return permission === action || (permission === "query:*" && action.startsWith("query:"));
}
