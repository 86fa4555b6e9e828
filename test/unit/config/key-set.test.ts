import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { usableKeys } from "../../../src/config/key-set.ts";

/** An RSA key of this many bits. Only its length matters. */
function rsa(bits: number, zeros = 0): Record<string, unknown> {
  const n = Buffer.alloc(Math.ceil(bits / 8), 0xff);
  n[0] = (1 << ((bits - 1) % 8)) | 1;
  return { kty: "RSA", e: "AQAB", n: Buffer.concat([Buffer.alloc(zeros), n]).toString("base64url") };
}

function jwk(kind: "rsa" | "ec" | "ed25519", half: "publicKey" | "privateKey"): Record<string, unknown> {
  const pair =
    kind === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : kind === "ec"
        ? generateKeyPairSync("ec", { namedCurve: "P-256" })
        : generateKeyPairSync("ed25519");
  return pair[half].export({ format: "jwk" }) as Record<string, unknown>;
}

const ec = { kty: "EC", crv: "P-256", x: "AA", y: "AA" };

describe("a key that is used", () => {
  const table: [string, Record<string, unknown>][] = [
    ["EC", jwk("ec", "publicKey")],
    ["OKP", jwk("ed25519", "publicKey")],
    ["RSA of 2048 bits", jwk("rsa", "publicKey")],
    ["RSA of exactly 2048 bits", rsa(2048)],
    ["RSA of 2048 bits with leading zero bytes", rsa(2048, 3)],
    ["RSA of 4096 bits", rsa(4096)],
    ["for signatures", { ...ec, use: "sig" }],
    ["for verifying", { ...ec, key_ops: ["verify"] }],
    ["for verifying and more", { ...ec, key_ops: ["sign", "verify"] }],
    ["with members that nobody knows", { ...ec, x5c: ["AA"], x5u: "https://evil.example.com/", more: {} }],
  ];
  test.each(table)("%s", (_, key) => {
    expect(usableKeys({ keys: [key] })).toEqual({ jwks: { keys: [key] }, refused: [] });
  });
});

describe("a key that is left out", () => {
  const secret = "is a private or symmetric key";
  const kind = "is neither RSA nor EC nor OKP";
  const use = "is not for signatures (use)";
  const operations = "is not for verifying (key_ops)";
  const short = "is an RSA key under 2048 bits";
  const table: [string, unknown, string][] = [
    ["private EC", jwk("ec", "privateKey"), secret],
    ["private OKP", jwk("ed25519", "privateKey"), secret],
    ["private RSA", jwk("rsa", "privateKey"), secret],
    ["an empty private part", { ...ec, d: "" }, secret],
    ["a private part that is null", { ...ec, d: null }, secret],
    ["a symmetric part in a public key", { ...ec, k: "AA" }, secret],
    ["symmetric", { kty: "oct", k: "AA" }, kind],
    ["another kind", { kty: "AKP", pub: "AA" }, kind],
    ["a kind in other letters", { ...ec, kty: "ec" }, kind],
    ["no kind", {}, kind],
    ["for encryption", { ...ec, use: "enc" }, use],
    ["for nothing", { ...ec, use: "" }, use],
    ["a use that is null", { ...ec, use: null }, use],
    ["for wrapping keys", { ...ec, key_ops: ["wrapKey"] }, operations],
    ["for signing only", { ...ec, key_ops: ["sign"] }, operations],
    ["for no operation", { ...ec, key_ops: [] }, operations],
    ["an operation as text", { ...ec, key_ops: "verify" }, operations],
    ["RSA of 1024 bits", rsa(1024), short],
    ["RSA of 2047 bits", rsa(2047), short],
    ["RSA of 1024 bits filled up with zero bytes", rsa(1024, 256), short],
    ["RSA of zero", { kty: "RSA", n: Buffer.alloc(256).toString("base64url") }, short],
    ["RSA without a modulus", { kty: "RSA" }, short],
    ["RSA with a modulus that is no text", { kty: "RSA", n: 2 ** 52 }, short],
    ["a text", "key", "is not a JWK"],
    ["null", null, "is not a JWK"],
    ["a list", [ec], "is not a JWK"],
  ];
  test.each(table)("%s", (_, key, reason) => {
    expect(usableKeys({ keys: [key] })).toEqual({ jwks: { keys: [] }, refused: [`keys[0]: ${reason}`] });
  });

  test("does not affect the other keys, and its place is reported", () => {
    const found = usableKeys({ keys: [ec, rsa(1024), ec, { ...ec, use: "enc" }] });
    expect(found.jwks.keys).toEqual([ec, ec]);
    expect(found.refused).toEqual([`keys[1]: ${short}`, `keys[3]: ${use}`]);
  });

  test("is not repeated in the reason", () => {
    expect(usableKeys({ keys: [jwk("ec", "privateKey")] }).refused.join()).toBe(`keys[0]: ${secret}`);
  });
});

test("a set may be empty", () => {
  expect(usableKeys({ keys: [], more: 1 })).toEqual({ jwks: { keys: [] }, refused: [] });
});

test.each([null, undefined, 1, "keys", [], [ec], {}, { keys: null }, { keys: {} }, { keys: "AA" }])(
  "%j is not a key set",
  (value) => {
    expect(() => usableKeys(value)).toThrow(TypeError);
  },
);
