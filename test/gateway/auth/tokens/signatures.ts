import { constants, privateEncrypt, sign } from "node:crypto";
import type { Attempt, Family } from "./attempt.ts";
import { bearing } from "./attempt.ts";
import type { Signer } from "./parties.ts";
import {
  bothPaddings,
  ed25519,
  encode,
  goodClaims,
  goodHeader,
  issuerOf,
  mainSigner,
  ownSigner,
  p256,
  rsa,
  tokenOf,
} from "./parties.ts";

/** Tokens with an invalid or a foreign signature (RFC 7518 §3.3 to §3.5, RFC 8037 §3.1). */
export function signatureFamilies(): Family[] {
  return [
    { family: "signatures of ECDSA", attempts: ecdsa() },
    { family: "signatures of RSA", attempts: rsaSignatures() },
    { family: "signatures of EdDSA", attempts: eddsa() },
    { family: "one bit of a signature flipped", attempts: flippedSignatures() },
    { family: "one bit of what was signed flipped", attempts: flippedInputs() },
  ];
}

/** The order of P-256. */
const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const bytes32 = (value: bigint) => Buffer.from(value.toString(16).padStart(64, "0"), "hex");
const numberOf = (bytes: Buffer) => BigInt(`0x${bytes.toString("hex")}`);

/**
 * Each ECDSA signature (r, s) has a second form (r, n - s). Anybody can compute it, and RFC 7518 does not
 * refuse it.
 * @returns the main issuer's valid token with that second form: the same claims, another signature text
 */
export function malleated(): string {
  return tokenOf(goodHeader, goodClaims, (input) => {
    const signature = mainSigner(input);
    return Buffer.concat([signature.subarray(0, 32), bytes32(n - numberOf(signature.subarray(32)))]);
  });
}

function ecdsa() {
  const changed = (change: (r: Buffer, s: Buffer) => Buffer[]) =>
    tokenOf(goodHeader, goodClaims, (input) => {
      const signature = mainSigner(input);
      return Buffer.concat(change(signature.subarray(0, 32), signature.subarray(32)));
    });
  const pair = (r: bigint, s: bigint) => changed(() => [bytes32(r), bytes32(s)]);
  const der: Signer = (input) => sign("sha256", input, p256.privateKey);
  const values = { zero: 0n, one: 1n, "n - 1": n - 1n, n, "n + 1": n + 1n, "2^256 - 1": 2n ** 256n - 1n };
  // CVE-2022-21449, and similar values.
  const pairs = Object.entries(values).flatMap(([r, first]) =>
    Object.entries(values).map(([s, second]) => [`r is ${r}, s is ${s}`, pair(first, second)]),
  );
  const cut = [1, 16, 31, 32, 33, 48, 63].map((length) => [
    `${length} bytes of it`,
    changed((r, s) => [Buffer.concat([r, s]).subarray(0, length)]),
  ]);
  return bearing("token_invalid", {
    ...Object.fromEntries([...pairs, ...cut]),
    "r is zero, s is right": changed((_, s) => [bytes32(0n), s]),
    "r is right, s is zero": changed((r) => [r, bytes32(0n)]),
    "r and s swapped": changed((r, s) => [s, r]),
    "r and s negated": changed((r, s) => [bytes32(n - numberOf(r)), bytes32(n - numberOf(s))]),
    "a byte after it": changed((r, s) => [r, s, Buffer.alloc(1)]),
    "a byte before it": changed((r, s) => [Buffer.alloc(1), r, s]),
    "a byte before each number": changed((r, s) => [Buffer.alloc(1), r, Buffer.alloc(1), s]),
    twice: changed((r, s) => [r, s, r, s]),
    "48 bytes for each number": changed((r, s) => [Buffer.alloc(16), r, Buffer.alloc(16), s]),
    "in DER": tokenOf(goodHeader, goodClaims, der),
    "in DER, cut": tokenOf(goodHeader, goodClaims, (input) => der(input).subarray(0, 64)),
    "of other claims": tokenOf(goodHeader, goodClaims, () => mainSigner(Buffer.from("other"))),
    "of the claims alone": tokenOf(goodHeader, goodClaims, () => mainSigner(Buffer.from(encode(goodClaims)))),
    "of the claims before they are encoded": tokenOf(goodHeader, goodClaims, () =>
      mainSigner(Buffer.from(JSON.stringify(goodClaims))),
    ),
    "of nothing": tokenOf(goodHeader, goodClaims, () => mainSigner(Buffer.alloc(0))),
    "another header's": tokenOf({ ...goodHeader, typ: "JWT" }, goodClaims, () =>
      mainSigner(Buffer.from(`${encode(goodHeader)}.${encode(goodClaims)}`)),
    ),
  });
}

function rsaSignatures() {
  const claims = { ...goodClaims, iss: bothPaddings };
  const pss =
    (saltLength: number): Signer =>
    (input) =>
      sign("sha256", input, { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
  const rs = (sign: Signer) => tokenOf({ alg: "RS256" }, claims, sign);
  const own = ownSigner("RS256");
  return bearing("token_invalid", {
    zeros: rs(() => Buffer.alloc(256)),
    one: rs(() => Buffer.concat([Buffer.alloc(255), Buffer.from([1])])),
    "all bits": rs(() => Buffer.alloc(256, 0xff)),
    cut: rs((input) => own(input).subarray(0, 255)),
    "a byte before it": rs((input) => Buffer.concat([Buffer.alloc(1), own(input)])),
    "a byte after it": rs((input) => Buffer.concat([own(input), Buffer.alloc(1)])),
    backwards: rs((input) => own(input).reverse()),
    "the text itself, padded but not hashed": rs((input) =>
      privateEncrypt({ key: rsa.privateKey, padding: constants.RSA_PKCS1_PADDING }, input.subarray(0, 32)),
    ),
    "PSS without salt": tokenOf({ alg: "PS256" }, claims, pss(0)),
    "PSS with 20 bytes of salt": tokenOf({ alg: "PS256" }, claims, pss(20)),
    "PSS with 64 bytes of salt": tokenOf({ alg: "PS256" }, claims, pss(64)),
    "of other claims": rs(() => own(Buffer.from("other"))),
  });
}

function eddsa() {
  const claims = { ...goodClaims, iss: issuerOf("EdDSA") };
  const own = ownSigner("EdDSA");
  /** The order of the base point. In a signature it is little endian (RFC 8032 §5.1.7: S must be less). */
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const added: Signer = (input) => {
    const signature = own(input);
    const s = numberOf(Buffer.from(signature.subarray(32)).reverse()) + order;
    return Buffer.concat([signature.subarray(0, 32), bytes32(s).reverse()]);
  };
  const ed = (sign: Signer) => tokenOf({ alg: "EdDSA" }, claims, sign);
  const neutral = Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]);
  return bearing("token_invalid", {
    zeros: ed(() => Buffer.alloc(64)),
    "the neutral point and zero": ed(() => neutral),
    "all bits": ed(() => Buffer.alloc(64, 0xff)),
    "S with the order added": ed(added),
    cut: ed((input) => own(input).subarray(0, 63)),
    "a byte after it": ed((input) => Buffer.concat([own(input), Buffer.alloc(1)])),
    "halves swapped": ed((input) => Buffer.concat([own(input).subarray(32), own(input).subarray(0, 32)])),
    "of the hash of it": ed((input) => sign(null, Buffer.from(input.toString("base64")), ed25519.privateKey)),
  });
}

const flip = (bytes: Buffer, bit: number) => {
  const changed = Buffer.from(bytes);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
};

/** Every bit of an ECDSA signature, and every 16th bit of an RSA signature. */
function flippedSignatures(): Attempt[] {
  const ec = Array.from({ length: 512 }, (_, bit) => [
    `ES256, bit ${bit}`,
    tokenOf(goodHeader, goodClaims, (input) => flip(mainSigner(input), bit)),
  ]);
  const claims = { ...goodClaims, iss: issuerOf("RS256") };
  const signature = ownSigner("RS256")(Buffer.from(`${encode({ alg: "RS256" })}.${encode(claims)}`));
  const pkcs = Array.from({ length: 128 }, (_, i) => [
    `RS256, bit ${i * 16 + (i % 16)}`,
    tokenOf({ alg: "RS256" }, claims, () => flip(signature, i * 16 + (i % 16))),
  ]);
  return bearing("token_invalid", Object.fromEntries([...ec, ...pkcs]));
}

/**
 * Bits of the header and of the claims, the same in every run. Each change gives another content, or
 * invalid JSON.
 */
function flippedInputs(): Attempt[] {
  const header = Buffer.from(JSON.stringify(goodHeader));
  const claims = Buffer.from(JSON.stringify(goodClaims));
  const signature = mainSigner(Buffer.from(`${encode(header)}.${encode(claims)}`));
  const every = (bytes: Buffer, step: number, make: (changed: Buffer) => string, what: string) =>
    Array.from({ length: Math.floor((bytes.length * 8) / step) }, (_, i) => [
      `${what}, bit ${i * step}`,
      make(flip(bytes, i * step)),
    ]);
  return bearing(
    undefined,
    Object.fromEntries([
      ...every(header, 3, (changed) => tokenOf(changed, claims, () => signature), "header"),
      ...every(claims, 11, (changed) => tokenOf(header, changed, () => signature), "claims"),
    ]),
  );
}
