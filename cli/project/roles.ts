import type { SavedQuery } from "../../src/catalog/parse.ts";
import { writingAccounts } from "../../src/config/reading.ts";
import type { ClaimPredicates, Grant, Policy } from "../../src/config/schema.ts";

/**
 * The callers that a policy's grants tell apart. The development issuer makes tokens for each of them, so `tidegate
 * start`, `token` and `drain` need no names of their own. Pure.
 */

/** A caller by the grant that gives it access. */
export interface Role {
  /** As `token --role` takes it: the value of the grant's one claim, or all of its claims. */
  name: string;
  /** The token's claims besides iss, aud and sub. */
  claims: ClaimPredicates;
  /** The token's subject. */
  subject: string;
  /** The first grant with these claims: it decides what the caller may do. */
  grant: Grant;
}

const usualSubject = "developer";

/** @returns a subject that the grant accepts: a * of its pattern fits every text */
export function subjectOf(grant: Pick<Grant, "subject"> | undefined): string {
  return grant?.subject?.replaceAll("*", usualSubject) ?? usualSubject;
}

/** @returns the claims of a token that the grant matches, besides iss, aud and sub */
export function claimsFor({ claims, scopes }: Grant): ClaimPredicates {
  return scopes === undefined ? claims : { ...claims, scope: scopes.join(" ") };
}

/** @returns a role for each set of claims in the grants, in their order; no two have the same name */
export function rolesOf(grants: readonly Grant[]): Role[] {
  const first = new Map<string, Grant>();
  for (const grant of grants) {
    const key = JSON.stringify([claimsFor(grant), grant.subject]);
    if (!first.has(key)) first.set(key, grant);
  }
  const own = [...first.values()];
  const short = own.map(shortName);
  return own.map((grant, i) => {
    const name = short[i];
    const isOnly = name !== undefined && short.indexOf(name) === short.lastIndexOf(name);
    return {
      name: isOnly ? name : longName(grant),
      claims: claimsFor(grant),
      subject: subjectOf(grant),
      grant,
    };
  });
}

/** @returns whether the role may run anything */
export function runs({ grant }: Role): boolean {
  return grant.allow.some((permission) => permission.startsWith("query:") || permission.startsWith("sql:"));
}

/** @returns whether the role may change data */
export function writes({ grant }: Role, queries: readonly SavedQuery[]): boolean {
  return writingAccounts([grant], queries).size > 0;
}

/**
 * @returns the role for examples: the first that only reads, otherwise the first that runs anything; undefined if no
 * grant runs anything
 */
export function usualRole(
  { grants }: Pick<Policy, "grants">,
  queries: readonly SavedQuery[],
): Role | undefined {
  const running = rolesOf(grants).filter(runs);
  return running.find((role) => !writes(role, queries)) ?? running[0];
}

/** @returns the value of the only claim; undefined for a grant that looks at more, or at nothing */
function shortName(grant: Grant): string | undefined {
  const values = Object.values(claimsFor(grant));
  const [only] = values;
  const isOne = values.length === 1 && typeof only !== "object" && grant.subject === undefined;
  return isOne ? String(only) : undefined;
}

function longName(grant: Grant): string {
  const { subject } = grant;
  const parts = [...pathsOf(claimsFor(grant), ""), ...(subject === undefined ? [] : [`sub=${subject}`])];
  return parts.length === 0 ? "anybody" : parts.join(",");
}

/** @returns "realm.role=reader" for each value */
function pathsOf(claims: ClaimPredicates, at: string): string[] {
  return Object.entries(claims).flatMap(([name, value]) =>
    typeof value === "object" ? pathsOf(value, `${at}${name}.`) : [`${at}${name}=${value}`],
  );
}
