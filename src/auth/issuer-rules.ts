import type { Issuer } from "../config/config.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { UnverifiedToken } from "./parse-jwt.ts";

/**
 * Checks the rules of an issuer's configuration that jose does not check: the token's type, the client that
 * it was issued to, its lifetime, and required claims. jose checks signature, algorithm, issuer, audience,
 * exp and nbf.
 * @throws TidegateError `token_invalid`
 */
export function checkIssuerRules({ header, claims }: UnverifiedToken, issuer: Issuer, now: Date): void {
  const { typ, authorizedParties, maxLifetimeSeconds, requiredClaims } = issuer;
  if (typ !== undefined && mediaType(header.typ) !== mediaType(typ))
    throw refused("The token is of another kind (typ).");
  for (const name of requiredClaims) {
    if (!Object.hasOwn(claims, name) || claims[name] === null)
      throw refused(`The token lacks the claim ${name}.`);
  }
  if (authorizedParties.length > 0) {
    // OpenID Connect's azp and RFC 9068's client_id. If a token has both, both must be known.
    const parties = [claims.azp, claims.client_id].filter((party) => party !== undefined);
    const known = parties.every((party) => authorizedParties.includes(String(party)));
    if (parties.length === 0 || !known) throw refused("The token was issued to another client.");
  }
  const { iat, exp } = claims as { iat?: number; exp: number };
  if (iat !== undefined && iat > now.getTime() / 1000 + limits.clockSkewSeconds) {
    throw refused("The token was issued in the future (iat).");
  }
  if (maxLifetimeSeconds === undefined) return;
  if (iat === undefined) throw refused("The token lacks the claim iat.");
  if (exp - iat > maxLifetimeSeconds) throw refused("The token lives for longer than its issuer may let it.");
}

/**
 * A SHA-256 in base64url (RFC 7638 §3.1). It has 32 bytes, so the last two bits of the last character are
 * zero.
 */
const thumbprint = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/**
 * Finds the key that a token is bound to (RFC 7800 §3.1, RFC 9449 §6.1). It refuses a binding that the
 * gateway cannot check: as an ordinary token, it would work for a thief.
 * @returns the key's thumbprint; undefined for a token without a binding
 * @throws TidegateError `token_invalid`
 */
export function boundKeyOf({ claims }: UnverifiedToken, { dpop }: Issuer): string | undefined {
  const { cnf } = claims;
  if (cnf === undefined) {
    if (dpop === "required")
      throw refused("The token is not bound to a key (cnf), and its issuer's must be.");
    return undefined;
  }
  if (dpop === "off")
    throw refused("The token is bound to a key (cnf), and proofs of its issuer are not taken.");
  const { jkt, ...others } = (cnf ?? {}) as Record<string, unknown>;
  if (typeof jkt !== "string" || !thumbprint.test(jkt) || Object.keys(others).length > 0) {
    throw refused("The token is bound in another way than by the thumbprint of a key (cnf.jkt).");
  }
  return jkt;
}

/** RFC 7515 §4.1.9: "application/" is optional, and case does not matter. */
function mediaType(typ: unknown): string | undefined {
  if (typeof typ !== "string") return undefined;
  const lower = typ.toLowerCase();
  return lower.includes("/") ? lower : `application/${lower}`;
}

function refused(detail: string): TidegateError {
  return new TidegateError("token_invalid", { detail });
}
