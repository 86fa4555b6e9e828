import { exportJWK, generateKeyPair } from "jose";
import { describe, expect, test } from "vitest";
import { tokenAlgorithms } from "../../../src/config/schema.ts";
import { algorithmsOf, readTokenKey } from "../../../src/config/token-key.ts";

describe("a key that a library makes", () => {
  test.each(tokenAlgorithms)("for %s signs with it", async (algorithm) => {
    const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
    const jwk = { ...(await exportJWK(privateKey)), kid: "1" };
    const key = readTokenKey(JSON.stringify(jwk));
    expect(key && algorithmsOf(key)).toContain(algorithm);
    const only = readTokenKey(JSON.stringify({ ...jwk, alg: algorithm }));
    expect(only && algorithmsOf(only)).toEqual([algorithm]);
  });
});

test.each<[string, Record<string, unknown>, readonly string[]]>([
  ["RSA", { kty: "RSA" }, tokenAlgorithms.filter((name) => !name.startsWith("ES"))],
  ["P-256", { kty: "EC", crv: "P-256" }, ["ES256"]],
  ["P-384", { kty: "EC", crv: "P-384" }, ["ES384"]],
  ["a curve that is not there", { kty: "EC", crv: "P-521" }, []],
  ["an algorithm of another type", { kty: "RSA", alg: "ES256" }, []],
  ["Ed25519", { kty: "OKP", crv: "Ed25519" }, []],
  ["a symmetric key", { kty: "oct" }, []],
  ["nothing", {}, []],
])("%s", (_, parts, expected) => {
  const key = readTokenKey(JSON.stringify({ d: "d", kid: "1", ...parts }));
  expect(key && algorithmsOf(key)).toEqual(expected);
});

test.each(["", "no JSON", "null", "[]", "1", '{"d":"d"}', '{"kid":"1"}', '{"d":1,"kid":"1"}'])(
  "%j is not a private key",
  (text) => expect(readTokenKey(text)).toBeUndefined(),
);
