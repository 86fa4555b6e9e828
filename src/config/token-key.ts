import type { TokenAlgorithm } from "./schema.ts";
import { tokenAlgorithms } from "./schema.ts";

/** The private key that signs an account's tokens. Pure; nothing here repeats a part of the key. */

/** What a private JWK (RFC 7517 §4) says of itself. */
export interface TokenKey {
  kid: string;
  kty: unknown;
  crv: unknown;
  /** The one algorithm that the key is for; undefined where the key does not say. */
  alg: unknown;
}

/** @returns undefined for a text that is no private JWK with a `kid`: TiDB finds the public key by it */
export function readTokenKey(text: string): TokenKey | undefined {
  let jwk: Record<string, unknown> | null;
  try {
    jwk = JSON.parse(text);
  } catch {
    // The parser's words would quote the key.
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
