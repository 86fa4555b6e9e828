import { fitsAlgorithm, isEd25519, isKnownKind, publicAlgorithms } from "./algorithms.ts";
import { lettersOf, weakness } from "./public-numbers.ts";

/** A JWK set (RFC 7517 §5) whose keys have been checked. */
export interface KeySet {
  keys: Record<string, unknown>[];
}

/** Why a key is not used. */
export interface Refusal {
  reason: string;
  /** The key is for something else, and no mistake: a set may have keys of every kind (RFC 7517 §5). */
  isForeign?: boolean;
}

/** The runtimes have words of their own for it, and some of them quote the key. */
export const notImported: Refusal = { reason: "cannot be imported: its numbers are no key" };

export interface UsableKeys {
  jwks: KeySet;
  /** The reasons for removed keys, one line each, for the operator. */
  refused: string[];
  /** The same for keys that are for something else: of other kinds, for encryption. */
  foreign: string[];
}

/**
 * Keeps the keys of a set that may verify signatures. It removes all others with a reason: private and
 * symmetric keys (their owner has published a secret), keys for encryption, keys that are short or that anybody could
 * sign for, and kinds that the gateway does not know.
 * @throws TypeError when the value is not a JWK set (RFC 7517 §5)
 */
export function usableKeys(value: unknown): UsableKeys {
  const keys = keysOf(value);
  return withoutRefused(keys, keys.map(refusalOf));
}

/** @throws TypeError when the value is not a JWK set (RFC 7517 §5) */
export function keysOf(value: unknown): unknown[] {
  const keys = (value as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw new TypeError("not a JWK set");
  return keys;
}

/** @param refusals one for each key; undefined for a key that stays */
export function withoutRefused(
  keys: readonly unknown[],
  refusals: readonly (Refusal | undefined)[],
): UsableKeys {
  const lines = (isForeign: boolean) =>
    refusals.flatMap((refusal, i) =>
      refusal !== undefined && (refusal.isForeign ?? false) === isForeign
        ? [`keys[${i}]: ${refusal.reason}`]
        : [],
    );
  const usable = keys.filter((_, i) => refusals[i] === undefined) as KeySet["keys"];
  return { jwks: { keys: usable }, refused: lines(false), foreign: lines(true) };
}

/** RFC 7518 §6.2.2, §6.3.2 and §6.4: each prime of an RSA key gives the whole key away. `priv` is that of newer kinds. */
const secretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/** @returns whether a JWK has a part that only its owner may know */
export function hasSecret(jwk: object): boolean {
  return secretMembers.some((member) => member in jwk);
}

/** @returns why a key is not used, as far as its members say; undefined if they say nothing against it */
export function refusalOf(key: unknown): Refusal | undefined {
  if (typeof key !== "object" || key === null || Array.isArray(key)) return { reason: "is not a JWK" };
  const jwk = key as Record<string, unknown>;
  if (hasSecret(jwk)) return { reason: "is a private or symmetric key" };
  const { use, key_ops } = jwk;
  if (use !== undefined && use !== "sig")
    return { reason: "is not for signatures (use)", isForeign: use === "enc" };
  if (key_ops !== undefined && !(Array.isArray(key_ops) && key_ops.includes("verify"))) {
    return { reason: "is not for verifying (key_ops)", isForeign: Array.isArray(key_ops) };
  }
  if (!isKnownKind(jwk)) {
    const { kty } = jwk;
    const isOfCurve = kty === "EC" || kty === "OKP";
    const reason = isOfCurve
      ? "is on another curve than P-256, P-384, P-521 and Ed25519"
      : "is neither RSA nor EC nor OKP";
    // A key without a kind or curve is broken; one with an unknown name may be good for others.
    return { reason, isForeign: typeof (isOfCurve ? jwk.crv : kty) === "string" };
  }
  const reason = weakness(jwk);
  if (reason !== undefined) return { reason };
  if (publicAlgorithms.some((algorithm) => fitsAlgorithm(jwk, algorithm))) return undefined;
  return { reason: "is not for an algorithm of tokens (alg)", isForeign: typeof jwk.alg === "string" };
}

/**
 * Reduces a key to its numbers, its name and its algorithm: no other member decides anything any more, and none of them
 * can make the import fail. Ed25519 has no `alg` here: both names of its algorithm are good (RFC 9864).
 * @param jwk one for which `refusalOf` has no reason
 */
export function bareKey(jwk: Record<string, unknown>): Record<string, unknown> {
  const { kty, crv, kid, alg } = jwk;
  const numbers = kty === "RSA" ? ["n", "e"] : kty === "EC" ? ["x", "y"] : ["x"];
  return {
    kty,
    ...(kty === "RSA" ? {} : { crv }),
    ...Object.fromEntries(numbers.map((name) => [name, lettersOf(jwk[name])])),
    ...(typeof kid === "string" ? { kid } : {}),
    ...(alg === undefined || isEd25519(alg) ? {} : { alg }),
  };
}
