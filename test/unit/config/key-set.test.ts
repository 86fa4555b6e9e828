import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { describe, expect, test } from "vitest";
import { bareKey, usableKeys } from "../../../src/config/key-set.ts";

/** An RSA key of this many bits. Only its length matters. */
function rsa(bits: number, zeros = 0): Record<string, unknown> {
  const n = Buffer.alloc(Math.ceil(bits / 8), 0xff);
  n[0] = (1 << ((bits - 1) % 8)) | 1;
  return { kty: "RSA", e: "AQAB", n: Buffer.concat([Buffer.alloc(zeros), n]).toString("base64url") };
}

function jwk(
  kind: "rsa" | "ec" | "p521" | "ed25519",
  half: "publicKey" | "privateKey",
): Record<string, unknown> {
  const pair =
    kind === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : kind === "ed25519"
        ? generateKeyPairSync("ed25519")
        : generateKeyPairSync("ec", { namedCurve: kind === "ec" ? "P-256" : "P-521" });
  return pair[half].export({ format: "jwk" }) as Record<string, unknown>;
}

const ec = { kty: "EC", crv: "P-256", x: "AA", y: "AA" };

describe("a key that is used", () => {
  const table: [string, Record<string, unknown>][] = [
    ["EC", jwk("ec", "publicKey")],
    ["EC on the largest curve", jwk("p521", "publicKey")],
    ["OKP", jwk("ed25519", "publicKey")],
    ["OKP with the old name of its algorithm", { ...jwk("ed25519", "publicKey"), alg: "EdDSA" }],
    ["OKP with the new name of its algorithm", { ...jwk("ed25519", "publicKey"), alg: "Ed25519" }],
    ["RSA of 2048 bits", jwk("rsa", "publicKey")],
    ["RSA of exactly 2048 bits", rsa(2048)],
    ["RSA of 2048 bits with leading zero bytes", rsa(2048, 3)],
    ["RSA of 4096 bits", rsa(4096)],
    ["RSA with the exponent 3", { ...rsa(2048), e: "Aw" }],
    ["RSA with the exponent 17", { ...rsa(2048), e: "EQ" }],
    ["RSA with a zero byte before the exponent", { ...rsa(2048), e: "AAEAAQ" }],
    ["RSA for an algorithm", { ...rsa(2048), alg: "PS512" }],
    ["with padding, and the other alphabet of base64", { ...ec, x: "+/8=", y: "-_8=" }],
    ["for signatures", { ...ec, use: "sig" }],
    ["for verifying", { ...ec, key_ops: ["verify"] }],
    ["for verifying and more", { ...ec, key_ops: ["sign", "verify"] }],
    ["with members that nobody knows", { ...ec, x5c: ["AA"], x5u: "https://evil.example.com/", more: {} }],
  ];
  test.each(table)("%s", (_, key) => {
    expect(usableKeys({ keys: [key] })).toEqual({ jwks: { keys: [key] }, refused: [], foreign: [] });
  });
});

describe("a key that is left out", () => {
  const secret = "is a private or symmetric key";
  const kind = "is neither RSA nor EC nor OKP";
  const curve = "is on another curve than P-256, P-384, P-521 and Ed25519";
  const exponent = "is an RSA key with another exponent than 3, 17 and 65537 (e)";
  const even = "is an RSA key with an even modulus (n)";
  const modulus = "is an RSA key without a modulus (n)";
  const point = "is no point of its curve (x, y)";
  const edwards = "is no point of Ed25519 (x)";
  const anybody = "is an Ed25519 key that anybody could sign for (x)";
  const algorithm = "is not for an algorithm of tokens (alg)";
  const okp = (x: unknown) => ({ kty: "OKP", crv: "Ed25519", x });
  const use = "is not for signatures (use)";
  const operations = "is not for verifying (key_ops)";
  const short = "is an RSA key under 2048 bits";
  const table: [string, unknown, string][] = [
    ["private EC", jwk("ec", "privateKey"), secret],
    ["private OKP", jwk("ed25519", "privateKey"), secret],
    ["private RSA", jwk("rsa", "privateKey"), secret],
    ["an empty private part", { ...ec, d: "" }, secret],
    ["a private part that is null", { ...ec, d: null }, secret],
    ...["p", "q", "dp", "dq", "qi", "oth"].map((member): [string, unknown, string] => [
      `an RSA key with ${member} and without d`,
      { ...rsa, [member]: jwk("rsa", "privateKey")[member] ?? [] },
      secret,
    ]),
    ["a symmetric part in a public key", { ...ec, k: "AA" }, secret],
    ["symmetric", { kty: "oct", k: "AA" }, secret],
    ["private, of a newer kind", { kty: "AKP", alg: "ML-DSA-44", pub: "AA", priv: "AA" }, secret],
    ["no kind", {}, kind],
    ["a kind that is no text", { ...ec, kty: ["EC"] }, kind],
    ["no curve", { ...ec, crv: undefined }, curve],
    ["a curve that is no text", { ...ec, crv: 256 }, curve],
    ["an algorithm that is no text", { ...ec, alg: ["ES256"] }, algorithm],
    ["for nothing", { ...ec, use: "" }, use],
    ["a use that is null", { ...ec, use: null }, use],
    ["a use in other letters", { ...ec, use: "Sig" }, use],
    ["an operation as text", { ...ec, key_ops: "verify" }, operations],
    ["RSA of 1024 bits", rsa(1024), short],
    ["RSA of 2047 bits", rsa(2047), short],
    ["RSA of 1024 bits filled up with zero bytes", rsa(1024, 256), short],
    ["RSA of 16385 bits", rsa(16_385), "is an RSA key over 16384 bits"],
    ["RSA of zero", { kty: "RSA", n: Buffer.alloc(256).toString("base64url") }, short],
    ["RSA without a modulus", { kty: "RSA" }, modulus],
    ["RSA with a modulus that is no text", { kty: "RSA", n: 2 ** 52 }, modulus],
    ["RSA with a modulus that is no base64", { ...rsa(2048), n: `${rsa(2048).n}!` }, modulus],
    ["RSA with an even modulus", { ...rsa(2048), n: Buffer.alloc(256, 0xfe).toString("base64url") }, even],
    ["RSA without an exponent", { ...rsa(2048), e: undefined }, exponent],
    ["RSA with an empty exponent", { ...rsa(2048), e: "" }, exponent],
    ["RSA with an exponent that is a number", { ...rsa(2048), e: 65_537 }, exponent],
    ["RSA with the exponent 0", { ...rsa(2048), e: "AA" }, exponent],
    ["RSA with the exponent 1", { ...rsa(2048), e: "AQ" }, exponent],
    ["RSA with the exponent 1 in four bytes", { ...rsa(2048), e: "AAAAAQ" }, exponent],
    ["RSA with the exponent 2", { ...rsa(2048), e: "Ag" }, exponent],
    ["RSA with the exponent 65536", { ...rsa(2048), e: "AQAA" }, exponent],
    ["RSA with 65537 and four bytes more", { ...rsa(2048), e: "AQAAAAABAAE" }, exponent],
    ["RSA with its modulus as the exponent", { ...rsa(2048), e: rsa(2048).n }, exponent],
    ["EC without y", { ...ec, y: undefined }, point],
    ["EC with an x that is a number", { ...ec, x: 1 }, point],
    ["EC with an x that is no base64", { ...ec, x: "A A" }, point],
    ["EC with an empty x", { ...ec, x: "" }, point],
    ["OKP of 31 bytes", okp(Buffer.alloc(31, 7).toString("base64url")), edwards],
    ["OKP of 33 bytes", okp(Buffer.alloc(33, 7).toString("base64url")), edwards],
    ["OKP without x", okp(undefined), edwards],
    ["OKP that is the neutral point", okp("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), anybody],
    ["OKP of zeros", okp("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), anybody],
    ["a text", "key", "is not a JWK"],
    ["null", null, "is not a JWK"],
    ["a list", [ec], "is not a JWK"],
  ];
  test.each(table)("%s", (_, key, reason) => {
    expect(usableKeys({ keys: [key] })).toEqual({
      jwks: { keys: [] },
      refused: [`keys[0]: ${reason}`],
      foreign: [],
    });
  });

  const foreign: [string, Record<string, unknown>, string][] = [
    ["for encryption", { ...ec, use: "enc" }, use],
    ["for wrapping keys", { ...ec, key_ops: ["wrapKey"] }, operations],
    ["for signing only", { ...ec, key_ops: ["sign"] }, operations],
    ["for no operation", { ...ec, key_ops: [] }, operations],
    ["another kind", { kty: "AKP", alg: "ML-DSA-44", pub: "AA" }, kind],
    ["a kind of the future", { kty: "PQC", alg: "PQ512" }, kind],
    ["a kind in other letters", { ...ec, kty: "ec" }, kind],
    ["another curve", { ...ec, crv: "secp256k1" }, curve],
    ["a curve in other letters", { ...ec, crv: "p-256" }, curve],
    ["another Edwards curve", { kty: "OKP", crv: "Ed448", x: "AA" }, curve],
    ["a curve for key agreement", { kty: "OKP", crv: "X25519", x: "AA" }, curve],
    ["Ed25519 as a curve of EC", { ...ec, crv: "Ed25519" }, curve],
    ["RSA for encryption", { ...rsa(2048), alg: "RSA-OAEP" }, algorithm],
    ["RSA with an algorithm of secrets", { ...rsa(2048), alg: "HS256" }, algorithm],
    ["an algorithm in other letters", { ...ec, alg: "es256" }, algorithm],
    ["the algorithm of another curve", { ...ec, alg: "ES384" }, algorithm],
  ];
  test.each(foreign)("%s, which is no mistake", (_, key, reason) => {
    expect(usableKeys({ keys: [ec, key] })).toEqual({
      jwks: { keys: [ec] },
      refused: [],
      foreign: [`keys[1]: ${reason}`],
    });
  });

  test("does not affect the other keys, and its place is reported", () => {
    const found = usableKeys({ keys: [ec, rsa(1024), ec, { ...ec, use: "enc" }] });
    expect(found.jwks.keys).toEqual([ec, ec]);
    expect(found.refused).toEqual([`keys[1]: ${short}`]);
    expect(found.foreign).toEqual([`keys[3]: ${use}`]);
  });

  test("is not repeated in the reason", () => {
    expect(usableKeys({ keys: [jwk("ec", "privateKey")] }).refused.join()).toBe(`keys[0]: ${secret}`);
  });
});

test("a set may be empty", () => {
  expect(usableKeys({ keys: [], more: 1 })).toEqual({ jwks: { keys: [] }, refused: [], foreign: [] });
});

test.each([null, undefined, 1, "keys", [], [ec], {}, { keys: null }, { keys: {} }, { keys: "AA" }])(
  "%j is not a key set",
  (value) => {
    expect(() => usableKeys(value)).toThrow(TypeError);
  },
);

/** The encodings of the points whose order divides 8 (RFC 7748 §7 names them for the same curve in another form). */
describe("an Ed25519 key of small order", () => {
  const hex = (byte: string, last: string, first: string) => first + byte.repeat(30) + last;
  const points = [
    hex("00", "00", "00"),
    hex("00", "00", "01"),
    hex("00", "80", "00"),
    hex("00", "80", "01"),
    hex("ff", "7f", "ec"),
    hex("ff", "7f", "ed"),
    hex("ff", "7f", "ee"),
    hex("ff", "ff", "ec"),
    hex("ff", "ff", "ed"),
    hex("ff", "ff", "ee"),
    ...["05", "85"].map((last) => `26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc${last}`),
    ...["7a", "fa"].map((last) => `c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03${last}`),
  ];
  /** R is the neutral point and S is zero: nobody needed a private key for it. */
  const forged = Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]);
  const texts = Array.from({ length: 200 }, (_, i) => Buffer.from(`text ${i}`));

  test.each(points)("%s", (point) => {
    const jwk = { kty: "OKP", crv: "Ed25519", x: Buffer.from(point, "hex").toString("base64url") };
    expect(usableKeys({ keys: [jwk] }).jwks.keys).toEqual([]);
  });

  // OpenSSL reads the other spellings of a point as no point at all.
  test.each(points.filter((point) => !/^(?:ed|ee)f|80$|^ecf+$/.test(point)))(
    "%s would verify a signature that needs no private key",
    (point) => {
      const jwk = { kty: "OKP", crv: "Ed25519", x: Buffer.from(point, "hex").toString("base64url") };
      const key = createPublicKey({ key: jwk, format: "jwk" });
      expect(texts.filter((text) => verify(null, text, key, forged)).length).toBeGreaterThan(0);
    },
  );
});

describe("the bare key", () => {
  test("has the numbers, the name and the algorithm, and nothing else", () => {
    const more = { use: "sig", key_ops: ["verify", "sign", "sign"], ext: "x", x5c: [1], x5t: "a", more: {} };
    expect(bareKey({ ...rsa(2048), kid: "1", alg: "RS256", x: "AA", ...more })).toEqual({
      ...rsa(2048),
      kid: "1",
      alg: "RS256",
    });
    expect(bareKey({ ...ec, kid: "1", alg: "ES256", n: "AA", ...more })).toEqual({
      ...ec,
      kid: "1",
      alg: "ES256",
    });
    expect(bareKey({ ...ec, kid: 1 })).toEqual(ec);
  });

  test("has one spelling of each number", () => {
    expect(bareKey({ ...ec, x: "+/8=", y: "-_8" })).toEqual({ ...ec, x: "-_8", y: "-_8" });
  });

  test.each(["EdDSA", "Ed25519"])("of Ed25519 does not say %s, since either name is good", (alg) => {
    const key = jwk("ed25519", "publicKey");
    expect(bareKey({ ...key, alg })).toEqual(key);
  });
});
