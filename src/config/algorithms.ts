/** The signature algorithms of tokens and proofs, and the keys that they need. */

interface KeyKind {
  kty: "RSA" | "EC" | "OKP";
  /** RSA keys have no curve. */
  crv?: "P-256" | "P-384" | "P-521" | "Ed25519";
}

/** RFC 7518 §3.1 and §6.2.1.1, RFC 8037 §2, RFC 9864 §2.2. */
const kinds = {
  ES256: { kty: "EC", crv: "P-256" },
  ES384: { kty: "EC", crv: "P-384" },
  ES512: { kty: "EC", crv: "P-521" },
  EdDSA: { kty: "OKP", crv: "Ed25519" },
  Ed25519: { kty: "OKP", crv: "Ed25519" },
  PS256: { kty: "RSA" },
  PS384: { kty: "RSA" },
  PS512: { kty: "RSA" },
  RS256: { kty: "RSA" },
  RS384: { kty: "RSA" },
  RS512: { kty: "RSA" },
} as const satisfies Record<string, KeyKind>;

/** An algorithm that a public key verifies. */
export type PublicAlgorithm = keyof typeof kinds;
/** HS256 has a shared secret. */
export type Algorithm = PublicAlgorithm | "HS256";

export const publicAlgorithms = Object.keys(kinds) as PublicAlgorithm[];
export const algorithms: readonly Algorithm[] = [...publicAlgorithms, "HS256"];

/** RFC 9864 §4.1.2 deprecates the name EdDSA. Both are the same signatures with the same keys. */
const namesOfEd25519: readonly Algorithm[] = ["EdDSA", "Ed25519"];

/** @param alg of a token, a key or a policy */
export function isEd25519(alg: unknown): boolean {
  return namesOfEd25519.some((name) => name === alg);
}

/** @returns the algorithms with each of their names, without repeats */
export function withBothNames(listed: readonly Algorithm[]): Algorithm[] {
  return [...new Set(listed.flatMap((one) => (isEd25519(one) ? namesOfEd25519 : [one])))];
}

/** @returns whether the kind, the curve and the `alg` of a JWK let it verify an algorithm's signatures */
export function fitsAlgorithm({ kty, crv, alg }: Record<string, unknown>, algorithm: Algorithm): boolean {
  if (algorithm === "HS256") return false;
  const kind: KeyKind = kinds[algorithm];
  // An RSA key's crv has no meaning (RFC 7517 §4: unknown members are ignored).
  if (kty !== kind.kty || (kind.crv !== undefined && crv !== kind.crv)) return false;
  return alg === undefined || alg === algorithm || (isEd25519(alg) && isEd25519(algorithm));
}

/** @returns whether some algorithm could use a JWK of this kind and curve */
export function isKnownKind({ kty, crv }: Record<string, unknown>): boolean {
  return publicAlgorithms.some((algorithm) => fitsAlgorithm({ kty, crv }, algorithm));
}
