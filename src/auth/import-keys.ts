import type { CompactVerifyGetKey, CryptoKey, JSONWebKeySet, JWK } from "jose";
import { createLocalJWKSet, errors, importJWK } from "jose";
import { fitsAlgorithm, publicAlgorithms } from "../config/algorithms.ts";
import type { Refusal, UsableKeys } from "../config/key-set.ts";
import { bareKey, keysOf, notImported, refusalOf, usableKeys, withoutRefused } from "../config/key-set.ts";

/** What is done with the keys of a set one by one, so that a broken one disturbs no other. */

/**
 * Keeps the keys that `usableKeys` keeps and that WebCrypto imports: it refuses points that are not on their curve.
 * @throws TypeError when the value is not a JWK set (RFC 7517 §5)
 */
export async function importableKeys(value: unknown): Promise<UsableKeys> {
  const keys = keysOf(value);
  return withoutRefused(
    keys,
    await Promise.all(keys.map(async (key) => refusalOf(key) ?? (await trial(key)))),
  );
}

async function trial(key: unknown): Promise<Refusal | undefined> {
  const jwk = bareKey(key as Record<string, unknown>);
  try {
    // For an RSA key that names no algorithm, any one will do.
    const algorithm = publicAlgorithms.find((one) => fitsAlgorithm(jwk, one));
    await importBare(jwk, String(algorithm));
    return undefined;
  } catch {
    return notImported;
  }
}

/**
 * Imports a key that `refusalOf` has no reason against.
 * @throws Error of jose or of WebCrypto
 */
export async function importPublicKey(jwk: JWK, algorithm: string): Promise<CryptoKey> {
  return await importBare(bareKey(jwk), algorithm);
}

async function importBare(jwk: Record<string, unknown>, algorithm: string): Promise<CryptoKey> {
  return (await importJWK(jwk as unknown as JWK, algorithm)) as CryptoKey;
}

/**
 * @param set its unusable keys are left out
 * @returns a function that finds a token's key in the set. It imports each key once, when it is first needed. A key
 *   that cannot be imported is no key. If several fit, it throws JWKSMultipleMatchingKeys, which has them
 */
export function resolver(set: unknown): CompactVerifyGetKey {
  const { keys } = usableKeys(set).jwks;
  const find = createLocalJWKSet({ keys: keys.map(bareKey) } as unknown as JSONWebKeySet);
  return async (header, token) => {
    try {
      return await find(header, token);
    } catch (cause) {
      throw cause instanceof errors.JOSEError ? cause : new errors.JWKSNoMatchingKey(undefined, { cause });
    }
  };
}
