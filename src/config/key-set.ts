/** RFC 7518 §3.3: RS and PS need a key of 2048 bits or more. */
const rsaBytes = 2048 / 8;

/** A JWK set (RFC 7517 §5) whose keys have been checked. */
export interface KeySet {
  keys: Record<string, unknown>[];
}

export interface UsableKeys {
  jwks: KeySet;
  /** The reasons for removed keys, one line each, for the operator. */
  refused: string[];
}

/**
 * Keeps the keys of a set that may verify signatures. It removes all others with a reason: private and
 * symmetric keys (their owner has published a secret), keys for encryption, short RSA keys.
 * @throws TypeError when the value is not a JWK set (RFC 7517 §5)
 */
export function usableKeys(value: unknown): UsableKeys {
  const keys = (value as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw new TypeError("not a JWK set");
  const refused: string[] = [];
  const usable = keys.filter((key: unknown, i) => {
    const reason = refusalOf(key);
    if (reason !== undefined) refused.push(`keys[${i}]: ${reason}`);
    return reason === undefined;
  });
  return { jwks: { keys: usable as KeySet["keys"] }, refused };
}

function refusalOf(key: unknown): string | undefined {
  if (typeof key !== "object" || key === null || Array.isArray(key)) return "is not a JWK";
  const { kty, n, use, key_ops } = key as Record<string, unknown>;
  if (kty !== "RSA" && kty !== "EC" && kty !== "OKP") return "is neither RSA nor EC nor OKP";
  if ("d" in key || "k" in key) return "is a private or symmetric key";
  if (use !== undefined && use !== "sig") return "is not for signatures (use)";
  if (key_ops !== undefined && !(Array.isArray(key_ops) && key_ops.includes("verify"))) {
    return "is not for verifying (key_ops)";
  }
  if (kty === "RSA" && modulusBits(n) < rsaBytes * 8) return "is an RSA key under 2048 bits";
  return undefined;
}

function modulusBits(n: unknown): number {
  if (typeof n !== "string") return 0;
  const bytes = Buffer.from(n, "base64url");
  const first = bytes.findIndex((byte: number) => byte !== 0);
  if (first < 0) return 0;
  return (bytes.length - first - 1) * 8 + (32 - Math.clz32(bytes[first] ?? 0));
}
