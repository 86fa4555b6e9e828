import { compactVerify, errors } from "jose";
import type { Issuer } from "../config/issuer.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import { withAnyKey } from "./any-key.ts";
import type { Caller } from "./caller.ts";
import { boundKeyOf, faultsOf, lengthFault, openJsonClaims } from "./issuer-rules.ts";
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
  /** The longest token of any issuer. */
  readonly maxTokenBytes: number;
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
  const maxTokenBytes = Math.max(...issuers.map((issuer) => issuer.maxTokenBytes));
  return {
    maxTokenBytes,
    async verify(token, now) {
      // A token with other characters than ASCII is longer in bytes, but no JWS: parseJwt refuses it.
      if (token.length > maxTokenBytes) throw new TidegateError("token_malformed");
      const hash = await tokenHash(token);
      const remembered = cache.get(hash, now.getTime());
      if (remembered) return { caller: remembered, remembered: true };
      const unverified = parseJwt(token);
      const { iss } = unverified.claims;
      if (iss === undefined) throw new TidegateError("issuer_unknown", { detail: "The token has no iss." });
      const found = known.get(String(iss));
      if (!found) throw new TidegateError("issuer_unknown");
      const { issuer, keys } = found;
      const tooLong = lengthFault(token, issuer);
      if (tooLong) throw tooLong;
      await verifySignature(token, issuer, keys);
      // The parts were parsed from the text whose signature is now known to be good.
      const claims = openJsonClaims(unverified.claims, issuer);
      const [fault] = faultsOf({ ...unverified, claims }, issuer, now);
      if (fault) throw fault;
      const subject = claims.sub as string | undefined;
      const caller = { issuer: issuer.issuer, subject, claims, boundTo: boundKeyOf(claims) };
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

async function verifySignature(token: string, issuer: Issuer, keys: KeySource): Promise<void> {
  try {
    const { algorithms } = issuer;
    await withAnyKey(keys.find, (find) => compactVerify(token, find, { algorithms }));
  } catch (cause) {
    throw refusal(cause);
  }
}

/** @returns the error for a signature, without any part of the token */
function refusal(cause: unknown): TidegateError {
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
