/**
 * The numbers of a public JWK (RFC 7518 §6.2.1 and §6.3.1, RFC 8037 §2), as far as they can be judged without
 * computing with them. Whether a point is on its curve is for WebCrypto, which imports it.
 */

/** RFC 7518 §3.3: RS and PS need a key of 2048 bits or more. The runtime takes no more than 16384. */
const rsaBits = { least: 2048, most: 16_384 };

/** The runtime imports no other exponents. With e = 1 every text is its own signature. */
const exponents = [3, 17, 65_537];

/** Some libraries write the padding or the other alphabet (RFC 4648 §4). The number is the same. */
const base64 = /^[A-Za-z0-9_+/-]+={0,2}$/;

/** @returns a number's bytes as base64url without padding; undefined if the member is no number */
export function lettersOf(member: unknown): string | undefined {
  return bytesOf(member)?.toString("base64url");
}

function bytesOf(member: unknown): Buffer | undefined {
  return typeof member === "string" && base64.test(member) ? Buffer.from(member, "base64url") : undefined;
}

/** @returns why a key's numbers are not used; undefined if nothing is seen to be wrong */
export function weakness({ kty, ...jwk }: Record<string, unknown>): string | undefined {
  if (kty === "RSA") return rsaWeakness(bytesOf(jwk.n), bytesOf(jwk.e));
  const x = bytesOf(jwk.x);
  if (kty === "OKP") {
    if (x?.length !== 32) return "is no point of Ed25519 (x)";
    return isSmallOrder(x) ? "is an Ed25519 key that anybody could sign for (x)" : undefined;
  }
  return x !== undefined && bytesOf(jwk.y) !== undefined ? undefined : "is no point of its curve (x, y)";
}

function rsaWeakness(n: Buffer | undefined, e: Buffer | undefined): string | undefined {
  if (n === undefined) return "is an RSA key without a modulus (n)";
  const bits = bitsOf(n);
  if (bits < rsaBits.least) return `is an RSA key under ${rsaBits.least} bits`;
  if (bits > rsaBits.most) return `is an RSA key over ${rsaBits.most} bits`;
  // A product of two large primes is odd.
  if (((n.at(-1) ?? 0) & 1) === 0) return "is an RSA key with an even modulus (n)";
  if (e === undefined || !exponents.some((exponent) => isNumber(e, exponent))) {
    return "is an RSA key with another exponent than 3, 17 and 65537 (e)";
  }
  return undefined;
}

function bitsOf(bytes: Buffer): number {
  const first = bytes.findIndex((byte: number) => byte !== 0);
  if (first < 0) return 0;
  return (bytes.length - first - 1) * 8 + (32 - Math.clz32(bytes[first] ?? 0));
}

function isNumber(bytes: Buffer, wanted: number): boolean {
  return bitsOf(bytes) <= 32 && bytes.reduce((number, byte) => number * 256 + byte, 0) === wanted;
}

/**
 * The points of Ed25519 whose order divides 8, with a sign bit of 0; the last two are other spellings of 0 and 1. Such
 * a key verifies signatures that need no private key (RFC 8032 §5.1.7 does not refuse it, and neither does the runtime).
 */
const smallOrder = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

function isSmallOrder(point: Buffer): boolean {
  const unsigned = Buffer.from(point);
  unsigned[31] = (unsigned[31] ?? 0) & 0x7f;
  return smallOrder.includes(unsigned.toString("hex"));
}
