import type { TokenAlgorithm } from "./schema.ts";
import { tokenAlgorithms } from "./schema.ts";

/**
 * Reads the private key that signs an account's tokens. Pure. No result or error repeats a part of the key.
 */

/** The public facts about a private JWK (RFC 7517 §4). */
export interface TokenKey {
  kid: string;
  kty: unknown;
  crv: unknown;
  /** The key's only algorithm; undefined if the key names none. */
  alg: unknown;
}

/** @returns undefined if the text is not a private JWK with a `kid`, by which TiDB finds the public key */
export function readTokenKey(text: string): TokenKey | undefined {
  let jwk: Record<string, unknown> | null;
  try {
    jwk = JSON.parse(text);
  } catch {
    // The parser's message would quote the key.
    return undefined;
  }
  const { d, kid, kty, crv, alg } = jwk ?? {};
  return typeof d === "string" && typeof kid === "string" ? { kid, kty, crv, alg } : undefined;
}

/** @returns the algorithms that a key can sign with (RFC 7518 §3.1, §6.2.1.1); TiDB's default comes first */
export function algorithmsOf({ kty, crv, alg }: TokenKey): TokenAlgorithm[] {
  const curves: Partial<Record<TokenAlgorithm, string>> = { ES256: "P-256", ES384: "P-384" };
  return tokenAlgorithms.filter((algorithm) => {
    const curve = curves[algorithm];
    const fits = curve === undefined ? kty === "RSA" : kty === "EC" && crv === curve;
    return fits && (alg === undefined || alg === algorithm);
  });
}
