import type { JWK } from "jose";
import { calculateJwkThumbprint, compactVerify, errors, importJWK } from "jose";
import { usableKeys } from "../config/key-set.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import { readToken } from "./parse-jwt.ts";
import { tokenHash } from "./token-cache.ts";

/** Signatures of proofs: what issuers may sign with, but for the symmetric one (RFC 9449 §4.2). */
export const proofAlgorithms = [
  "ES256",
  "ES384",
  "EdDSA",
  "Ed25519",
  "PS256",
  "PS384",
  "PS512",
  "RS256",
  "RS384",
  "RS512",
] as const;

/** What a proof must be about: this request, this token, the key that the token is bound to. */
export interface ProofSubject {
  method: string;
  /** The request's URL; its query and fragment play no role. */
  url: string;
  token: string;
  /** The token's `cnf.jkt`: the key's SHA-256 thumbprint (RFC 7638), base64url. */
  thumbprint: string;
}

/** A proof that holds, but for what only the key's object can know: whether it is fresh and new. */
export interface Proof {
  /** SHA-256 of the `jti`, base64url: of one size, however long the client's is. */
  id: string;
  nonce: string | undefined;
}

/**
 * Checks a proof of possession in all that can be checked without state (RFC 9449 §4.3, 1 to 11 without 10).
 * @param header the DPoP header's value; several arrive joined by a comma, which no proof contains
 * @throws TidegateError `proof_missing`, `proof_invalid`; no message repeats anything of the proof
 */
export async function checkProof(
  header: string | undefined,
  subject: ProofSubject,
  now: Date,
): Promise<Proof> {
  if (header === undefined) throw new TidegateError("proof_missing", { detail: "Send a proof as DPoP." });
  const proof = header.trim();
  const { header: jose, claims } = readToken(proof, { code: "proof_invalid", noun: "proof" });
  if (jose.typ !== "dpop+jwt") throw invalid("The proof's typ is not dpop+jwt.");
  await checkSignature(proof, String(jose.alg), jose.jwk, subject.thumbprint);
  const { htm, htu, ath, iat, jti, nonce } = claims;
  if (htm !== subject.method) throw invalid("The proof is for another method (htm).");
  if (!isSameTarget(htu, subject.url)) throw invalid("The proof is for another address (htu).");
  if (ath !== (await tokenHash(subject.token))) throw invalid("The proof is for another token (ath).");
  if (typeof iat !== "number" || Math.abs(now.getTime() / 1000 - iat) > limits.proofAgeSeconds) {
    throw invalid("The proof was not made now (iat); compare the client's clock.");
  }
  if (typeof jti !== "string" || jti === "") throw invalid("The proof has no jti.");
  if (nonce !== undefined && typeof nonce !== "string") throw invalid("The proof's nonce is not text.");
  return { id: await tokenHash(jti), nonce };
}

async function checkSignature(proof: string, alg: string, jwk: unknown, thumbprint: string): Promise<void> {
  if (!(proofAlgorithms as readonly string[]).includes(alg)) {
    throw invalid("The proof's algorithm is not accepted.");
  }
  const { refused } = usableKeys({ keys: [jwk] });
  if (refused.length > 0) throw invalid("The proof's jwk is not a public key for signatures.");
  try {
    if ((await calculateJwkThumbprint(jwk as JWK)) !== thumbprint) {
      throw invalid("The proof was made with another key than the token is bound to.");
    }
    await compactVerify(proof, await importJWK(jwk as JWK, alg), { algorithms: [alg] });
  } catch (cause) {
    if (cause instanceof TidegateError) throw cause;
    if (cause instanceof errors.JWSSignatureVerificationFailed)
      throw invalid("The proof's signature does not hold.");
    // jose and WebCrypto say in many ways that members of a key do not fit together or to the algorithm.
    throw invalid("The proof's jwk cannot be used with its algorithm.");
  }
}

/** RFC 9449 §4.3, 9: query and fragment are ignored; URL normalizes case, default port and path. */
function isSameTarget(htu: unknown, url: string): boolean {
  if (typeof htu !== "string" || !URL.canParse(htu)) return false;
  const named = new URL(htu);
  const asked = new URL(url);
  return named.origin === asked.origin && named.pathname === asked.pathname;
}

function invalid(detail: string): TidegateError {
  return new TidegateError("proof_invalid", { detail });
}
