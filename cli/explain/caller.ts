import type { Caller } from "../../src/auth/caller.ts";
import { faultsOf, lengthFault, openJsonClaims } from "../../src/auth/issuer-rules.ts";
import type { UnverifiedToken } from "../../src/auth/parse-jwt.ts";
import { parseClaims, parseJwt } from "../../src/auth/parse-jwt.ts";
import { bindClaim } from "../../src/catalog/claims.ts";
import type { SavedQuery } from "../../src/catalog/parse.ts";
import type { IssuerRules } from "../../src/config/issuer.ts";
import { rulesOf } from "../../src/config/issuer.ts";
import type { Policy } from "../../src/config/schema.ts";
import { TidegateError } from "../../src/errors.ts";
import { ParameterError } from "../../src/sql/errors.ts";
import { operatorText, Stop } from "../command/errors.ts";

/** Reads a caller from a token or from claims, without a signature, by the gateway's own rules. */

type Issuers = Policy["issuers"];
type Claims = UnverifiedToken["claims"];

export interface JudgedCaller {
  caller: Caller;
  /** Why the gateway refuses the token before it looks at grants. One sentence each. */
  faults: string[];
}

/** @throws Stop if the token cannot be read */
export function judgeToken(token: string, issuers: Issuers, now: Date): JudgedCaller {
  const parsed = attempt("--token", () => parseJwt(token));
  const { iss } = parsed.claims;
  const found = issuers.find(({ issuer }) => issuer === iss);
  if (found === undefined) {
    const fault = iss === undefined ? "It has no iss." : "The policy has no issuer with its iss.";
    return { caller: callerOf(parsed.claims), faults: [fault] };
  }
  const rules = rulesOf(found);
  const { claims, faults } = opened(parsed.claims, rules);
  const tooLong = lengthFault(token, rules);
  const isAccepted = rules.algorithms.some((one) => one === parsed.header.alg);
  const foreign = isAccepted ? [] : ["The token's algorithm is not accepted from its issuer."];
  const others = [...(tooLong ? [tooLong] : []), ...faultsOf({ ...parsed, claims }, rules, now)];
  const told = others.map(({ message }) => sentence(message));
  return { caller: callerOf(claims), faults: [...foreign, ...told, ...faults] };
}

/**
 * @param text the claims of a token that is good otherwise, as JSON
 * @throws Stop if they cannot be read, or do not say which of several issuers is meant
 */
export function judgeClaims(text: string, issuers: Issuers): JudgedCaller {
  const given = attempt("--claims", () => parseClaims(text));
  const [first, ...more] = issuers;
  if (given.iss === undefined && more.length > 0) {
    const names = issuers.map(({ issuer }) => issuer).join(", ");
    throw new Stop(`--claims: name the issuer in iss; the environment has several: ${names}.`);
  }
  const iss = given.iss ?? first?.issuer;
  const found = issuers.find(({ issuer }) => issuer === iss);
  if (found === undefined) throw new Stop("--claims: the policy has no issuer with this iss.");
  const { claims, faults } = opened({ ...given, iss }, rulesOf(found));
  return { caller: callerOf(claims), faults };
}

/** @returns a sentence for each claim that the query reads and the token lacks, or has with another type */
export function missingClaims(query: SavedQuery, claims: Claims): string[] {
  return query.claims.flatMap((claim) => {
    try {
      bindClaim(claim, claims);
      return [];
    } catch (cause) {
      if (cause instanceof ParameterError) return [cause.message];
      throw cause;
    }
  });
}

function opened(claims: Claims, rules: IssuerRules): { claims: Claims; faults: string[] } {
  try {
    return { claims: openJsonClaims(claims, rules), faults: [] };
  } catch (cause) {
    if (cause instanceof TidegateError) return { claims, faults: [cause.message] };
    throw cause;
  }
}

function callerOf(claims: Claims): Caller {
  return { issuer: String(claims.iss), subject: claims.sub as string | undefined, claims };
}

function attempt<T>(option: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new Stop(`${option}: ${operatorText(cause)}`, 2);
  }
}

/** The title of an error has no full stop. */
function sentence(message: string): string {
  return message.endsWith(".") ? message : `${message}.`;
}
