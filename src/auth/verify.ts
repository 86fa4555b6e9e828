import type { JWTPayload } from "jose";
import { errors, jwtVerify } from "jose";
import type { Issuer } from "../config/config.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import { withAnyKey } from "./any-key.ts";
import type { Caller } from "./caller.ts";
import { boundKeyOf, checkIssuerRules } from "./issuer-rules.ts";
import type { AskKeys, KeySource } from "./keys.ts";
import { keySource } from "./keys.ts";
import { parseJwt } from "./parse-jwt.ts";
import { TokenCache, tokenHash } from "./token-cache.ts";

export interface Verified {
  caller: Caller;
  /** Whether this isolate has verified the same token before, less than a minute ago. */
  remembered: boolean;
}

export interface Verifier {
  /**
   * @param token from the Authorization header
   * @param now the time for the checks of `exp`, `nbf` and `iat`
   * @throws TidegateError `token_malformed`, `issuer_unknown`, `token_expired`, `token_invalid`,
   *   `keys_unavailable`
   */
  verify(token: string, now: Date): Promise<Verified>;
  /** @throws TidegateError `keys_unavailable` when the keys of an issuer are not available */
  ready(): Promise<void>;
}

/**
 * The token's issuer selects the keys, the algorithms and the audience from the configuration. So a key never
 * verifies another issuer's token (RFC 8725 §3.8), and the token's header never selects a key source (§3.10).
 */
export function createVerifier(issuers: readonly Issuer[], ask: AskKeys): Verifier {
  const known = new Map(issuers.map((issuer) => [issuer.issuer, { issuer, keys: keySource(issuer, ask) }]));
  const cache = new TokenCache();
  return {
    async verify(token, now) {
      // A token with other characters than ASCII is longer in bytes, but no JWS: parseJwt refuses it.
      if (token.length > limits.tokenBytes) throw new TidegateError("token_malformed");
      const hash = await tokenHash(token);
      const remembered = cache.get(hash, now.getTime());
      if (remembered) return { caller: remembered, remembered: true };
      const unverified = parseJwt(token);
      const { iss } = unverified.claims;
      if (iss === undefined) throw new TidegateError("issuer_unknown", { detail: "The token has no iss." });
      const found = known.get(String(iss));
      if (!found) throw new TidegateError("issuer_unknown");
      const claims = await verifiedClaims(token, found.issuer, found.keys, now);
      checkIssuerRules(unverified, found.issuer, now);
      const boundTo = boundKeyOf(unverified, found.issuer);
      const caller = { issuer: found.issuer.issuer, subject: claims.sub, claims, boundTo };
      cache.set(hash, caller, Number(claims.exp) * 1000, now.getTime());
      return { caller, remembered: false };
    },
    async ready() {
      for (const { keys } of known.values()) {
        await keys.ready().catch((cause) => {
          throw keysUnavailable(cause);
        });
      }
    },
  };
}

async function verifiedClaims(
  token: string,
  issuer: Issuer,
  keys: KeySource,
  now: Date,
): Promise<JWTPayload> {
  try {
    const options = {
      issuer: issuer.issuer,
      audience: [...issuer.audiences],
      algorithms: issuer.algorithms,
      clockTolerance: limits.clockSkewSeconds,
      requiredClaims: ["iss", "aud", "exp"],
      currentDate: now,
    };
    const { payload } = await withAnyKey(keys.find, (find) => jwtVerify(token, find, options));
    return payload;
  } catch (cause) {
    throw refusal(cause);
  }
}

/** @returns the error for a token, without any part of the token */
function refusal(cause: unknown): TidegateError {
  if (cause instanceof errors.JWTExpired) return new TidegateError("token_expired");
  if (cause instanceof errors.JWTClaimValidationFailed) {
    return new TidegateError("token_invalid", { detail: `The claim ${cause.claim} does not hold.` });
  }
  if (cause instanceof errors.JWSSignatureVerificationFailed || cause instanceof errors.JWKSNoMatchingKey) {
    return new TidegateError("token_invalid", { detail: "The signature does not fit the issuer's keys." });
  }
  if (cause instanceof errors.JOSEAlgNotAllowed) {
    return new TidegateError("token_invalid", {
      detail: "The token's algorithm is not accepted from its issuer.",
    });
  }
  if (cause instanceof errors.JOSEError) return new TidegateError("token_invalid");
  return keysUnavailable(cause);
}

function keysUnavailable(cause: unknown): TidegateError {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new TidegateError("keys_unavailable", { retryAfter: limits.jwksRetryMs / 1000 }, reason);
}
