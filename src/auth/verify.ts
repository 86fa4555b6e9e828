import type { JWTPayload } from "jose";
import { decodeJwt, errors, jwtVerify } from "jose";
import type { Issuer } from "../config/config.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { KeySource } from "./keys.ts";
import { keySource } from "./keys.ts";

/** Somebody whose token has been verified. */
export interface Caller {
  issuer: string;
  subject: string | undefined;
  claims: Readonly<JWTPayload>;
}

export interface Verifier {
  /**
   * @param token a compact JWS
   * @param now the time to judge `exp` and `nbf` by; `iat` need only be a number
   * @throws TidegateError `token_malformed`, `issuer_unknown`, `token_expired`, `token_invalid`, `keys_unavailable`
   */
  verify(token: string, now: Date): Promise<Caller>;
  /** @throws TidegateError `keys_unavailable` when an issuer's keys cannot be had */
  ready(): Promise<void>;
}

/**
 * The issuer named in the token chooses the keys, the algorithms and the audience, so a key is never used
 * for another issuer's token (RFC 8725 §3.8) and the token's header never chooses a key source (§3.10).
 */
export function createVerifier(issuers: readonly Issuer[]): Verifier {
  const known = new Map(issuers.map((issuer) => [issuer.issuer, { issuer, keys: keySource(issuer) }]));
  return {
    async verify(token, now) {
      const claimed = issuerOf(token);
      const found = known.get(claimed);
      if (!found) throw new TidegateError("issuer_unknown");
      const claims = await verifiedClaims(token, found.issuer, found.keys, now);
      return { issuer: found.issuer.issuer, subject: claims.sub, claims };
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

/** Reads `iss` before anything is verified: it only selects the configuration to verify with. */
function issuerOf(token: string): string {
  let claims: JWTPayload;
  try {
    claims = decodeJwt(token);
  } catch {
    throw new TidegateError("token_malformed", { detail: "The token's claims cannot be read." });
  }
  if (typeof claims.iss !== "string")
    throw new TidegateError("issuer_unknown", { detail: "The token has no iss." });
  return claims.iss;
}

async function verifiedClaims(
  token: string,
  issuer: Issuer,
  keys: KeySource,
  now: Date,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys.find, {
      issuer: issuer.issuer,
      audience: issuer.audience,
      algorithms: issuer.algorithms,
      clockTolerance: limits.clockSkewSeconds,
      requiredClaims: ["iss", "aud", "exp"],
      currentDate: now,
    });
    return payload;
  } catch (cause) {
    throw refusal(cause);
  }
}

/** Says what is wrong with a token without repeating any of it. */
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
  const malformed = [
    errors.JWSInvalid,
    errors.JWTInvalid,
    errors.JOSENotSupported,
    errors.JWKSMultipleMatchingKeys,
  ];
  if (malformed.some((kind) => cause instanceof kind)) return new TidegateError("token_invalid");
  return keysUnavailable(cause);
}

function keysUnavailable(cause: unknown): TidegateError {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new TidegateError("keys_unavailable", { retryAfter: 5 }, reason);
}
