import type { JWK } from "jose";
import { calculateJwkThumbprint, compactVerify, errors } from "jose";
import { fitsAlgorithm, publicAlgorithms } from "../config/algorithms.ts";
import { refusalOf } from "../config/key-set.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import { importPublicKey } from "./import-keys.ts";
import { parseJwt } from "./parse-jwt.ts";
import { tokenHash } from "./token-cache.ts";

/** Signature algorithms of proofs: those of issuers, except the symmetric one (RFC 9449 §4.2). */
export const proofAlgorithms: readonly string[] = publicAlgorithms;

/** The facts that a proof must match: this request, this token, and the key that the token is bound to. */
export interface ProofSubject {
  method: string;
  /** The request's URL. Its query and fragment are ignored. */
  url: string;
  token: string;
  /** The token's `cnf.jkt`: the key's SHA-256 thumbprint (RFC 7638), base64url. */
  thumbprint: string;
}

/** A proof that is valid so far. Only the key's Proofs object knows whether it is fresh and new. */
export interface Proof {
  /** SHA-256 of the `jti`, base64url. The hash has a fixed size; a client's `jti` may be long. */
  id: string;
  nonce: string | undefined;
}

/**
 * Checks everything about a proof of possession that needs no state (RFC 9449 §4.3, 1 to 11 without 10).
 * @param header the DPoP header's value. Several headers arrive joined by a comma, and no proof contains a
 *   comma
 * @throws TidegateError `proof_missing`, `proof_invalid`; the message never repeats a part of the proof
 */
export async function checkProof(
  header: string | undefined,
  subject: ProofSubject,
  now: Date,
): Promise<Proof> {
  if (header === undefined) throw new TidegateError("proof_missing", { detail: "Send a proof as DPoP." });
  const proof = header.trim();
  const { header: jose, claims } = parseJwt(proof, {
    code: "proof_invalid",
    noun: "proof",
    maxBytes: limits.proofBytes,
  });
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

const unfit = "The proof's jwk cannot be used with its algorithm.";

async function checkSignature(proof: string, alg: string, key: unknown, thumbprint: string): Promise<void> {
  const algorithm = publicAlgorithms.find((one) => one === alg);
  if (algorithm === undefined) throw invalid("The proof's algorithm is not accepted.");
  if (refusalOf(key) !== undefined) throw invalid("The proof's jwk is not a public key for signatures.");
  const jwk = key as JWK;
  try {
    if ((await calculateJwkThumbprint(jwk)) !== thumbprint) {
      throw invalid("The proof was made with another key than the token is bound to.");
    }
    // The runtime does not compare the curve that the key names.
    if (!fitsAlgorithm(jwk, algorithm)) throw invalid(unfit);
    await compactVerify(proof, await importPublicKey(jwk, algorithm), { algorithms: [algorithm] });
  } catch (cause) {
    if (cause instanceof TidegateError) throw cause;
    if (cause instanceof errors.JWSSignatureVerificationFailed)
      throw invalid("The proof's signature does not hold.");
    // jose and WebCrypto throw many kinds of errors for a key whose members do not fit together or to the
    // algorithm.
    throw invalid(unfit);
  }
}

/** RFC 9449 §4.3, 9: ignores query and fragment. URL normalizes case, default port and path. */
function isSameTarget(htu: unknown, url: string): boolean {
  if (typeof htu !== "string" || !URL.canParse(htu)) return false;
  const named = new URL(htu);
  const asked = new URL(url);
  return named.origin === asked.origin && named.pathname === asked.pathname;
}

function invalid(detail: string): TidegateError {
  return new TidegateError("proof_invalid", { detail });
}
