import { generateProof, generateKeyPair as makeClientKey } from "dpop";
import fc from "fast-check";
import type { CryptoKey, JWK } from "jose";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { checkProof, proofAlgorithms } from "../../../src/auth/dpop.ts";
import { tokenHash } from "../../../src/auth/token-cache.ts";
import { limits } from "../../../src/limits.ts";
import { refusal } from "./refusal.ts";

const now = new Date("2026-11-21T12:00:00Z");
const nowSeconds = now.getTime() / 1000;
const token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJl";
const url = "https://gateway.example.com/v1/sql";

interface Key {
  privateKey: CryptoKey;
  jwk: JWK;
  privateJwk: JWK;
  thumbprint: string;
}

async function keyFor(alg: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const privateJwk = await exportJWK(privateKey);
  return { privateKey, jwk, privateJwk, thumbprint: await calculateJwkThumbprint(jwk) };
}

const key = await keyFor("ES256");
const stranger = await keyFor("ES256");
const rsa = await keyFor("RS256");
const ath = await tokenHash(token);

type Members = Record<string, unknown>;

/** A valid proof with some changed members; undefined leaves a member out. */
async function proof(claims: Members = {}, header: Members = {}, by = key): Promise<string> {
  const payload = { htm: "POST", htu: url, ath, jti: "1", iat: nowSeconds, ...claims };
  const protectedHeader = { alg: "ES256", typ: "dpop+jwt", jwk: by.jwk, ...header };
  return await new SignJWT(payload).setProtectedHeader(protectedHeader).sign(by.privateKey);
}

function check(header: string | undefined, subject: Partial<{ method: string; url: string }> = {}, by = key) {
  return checkProof(header, { method: "POST", url, token, thumbprint: by.thumbprint, ...subject }, now);
}

describe("accepts", () => {
  test.each(proofAlgorithms)("%s", async (alg) => {
    const by = await keyFor(alg);
    expect(await check(await proof({}, { alg }, by), {}, by)).toEqual({
      id: await tokenHash("1"),
      nonce: undefined,
    });
  });

  test.each([
    ["EdDSA", "Ed25519"],
    ["Ed25519", "EdDSA"],
  ])("%s by a key that says %s: two names of one algorithm (RFC 9864)", async (alg, ofKey) => {
    const by = await keyFor(alg);
    const made = await proof({}, { alg, jwk: { ...by.jwk, alg: ofKey } }, by);
    expect(await check(made, {}, by)).toMatchObject({ id: await tokenHash("1") });
  });

  const good: [string, Members, Partial<{ method: string; url: string }>?][] = [
    ["a nonce", { nonce: "n" }],
    ["another method", { htm: "GET" }, { method: "GET" }],
    ["an address with a query that the proof leaves out", {}, { url: `${url}?rows=array` }],
    ["an address with a query that the proof has", { htu: `${url}?x=1#y` }],
    ["the host in capitals and the default port", { htu: "HTTPS://Gateway.example.com:443/v1/sql" }],
    ["the oldest", { iat: nowSeconds - limits.proofAgeSeconds }],
    ["the one furthest in the future", { iat: nowSeconds + limits.proofAgeSeconds }],
    ["claims of the client's own", { x: 1 }],
  ];
  test.each(good)("%s", async (_, claims, subject) => {
    expect(await check(await proof(claims), subject)).toMatchObject({ id: await tokenHash("1") });
  });

  test.each(["ES256", "Ed25519", "RS256", "PS256"] as const)(
    "what a client's library makes with %s",
    async (alg) => {
      const pair = await makeClientKey(alg, { extractable: true });
      const thumbprint = await calculateJwkThumbprint(await exportJWK(pair.publicKey));
      const made = await generateProof(pair, url, "POST", "the nonce", token);
      const subject = { method: "POST", url, token, thumbprint };
      expect(await checkProof(made, subject, new Date())).toMatchObject({ nonce: "the nonce" });
    },
  );

  test("a jti of any length, with an id of one size", async () => {
    const { id } = await check(await proof({ jti: "x".repeat(5_000) }));
    expect(id).toHaveLength(43);
  });
});

test("no proof at all", async () => {
  expect(await refusal(() => check(undefined))).toMatchObject({ code: "proof_missing", status: 401 });
});

describe("refuses", () => {
  const method = "The proof is for another method (htm).";
  const address = "The proof is for another address (htu).";
  const otherToken = "The proof is for another token (ath).";
  const time = "The proof was not made now (iat); compare the client's clock.";
  const algorithm = "The proof's algorithm is not accepted.";
  const notPublic = "The proof's jwk is not a public key for signatures.";
  const neutral = Buffer.from([1, ...Buffer.alloc(31)]).toString("base64url");
  const otherKey = "The proof was made with another key than the token is bound to.";
  const table: [string, Members, Members, string][] = [
    ["another method", { htm: "GET" }, {}, method],
    ["the method in small letters", { htm: "post" }, {}, method],
    ["no method", { htm: undefined }, {}, method],
    ["another path", { htu: `${url}x` }, {}, address],
    ["a path that ends with a slash", { htu: `${url}/` }, {}, address],
    ["another host", { htu: "https://other.example.com/v1/sql" }, {}, address],
    ["another scheme", { htu: "http://gateway.example.com/v1/sql" }, {}, address],
    ["another port", { htu: "https://gateway.example.com:8443/v1/sql" }, {}, address],
    ["a path alone", { htu: "/v1/sql" }, {}, address],
    ["no address", { htu: undefined }, {}, address],
    ["an address that is a list", { htu: [url] }, {}, address],
    ["another token", { ath: ath.replace(/./, "_") }, {}, otherToken],
    ["no token", { ath: undefined }, {}, otherToken],
    ["the token itself", { ath: token }, {}, otherToken],
    ["too old", { iat: nowSeconds - limits.proofAgeSeconds - 1 }, {}, time],
    ["too far in the future", { iat: nowSeconds + limits.proofAgeSeconds + 1 }, {}, time],
    ["no time", { iat: undefined }, {}, time],
    ["no jti", { jti: undefined }, {}, "The proof has no jti."],
    ["an empty jti", { jti: "" }, {}, "The proof has no jti."],
    ["a nonce that is a number", { nonce: 1 }, {}, "The proof's nonce is not text."],
    ["a nonce that is null", { nonce: null }, {}, "The proof's nonce is not text."],
    ["another typ", {}, { typ: "JWT" }, "The proof's typ is not dpop+jwt."],
    ["no typ", {}, { typ: undefined }, "The proof's typ is not dpop+jwt."],
    ["no key", {}, { jwk: undefined }, notPublic],
    ["a key that is text", {}, { jwk: "x" }, notPublic],
    ["a private key", {}, { jwk: key.privateJwk }, notPublic],
    ["a symmetric key", {}, { jwk: { kty: "oct", k: "c2VjcmV0" } }, notPublic],
    ["a key for encryption", {}, { jwk: { ...key.jwk, use: "enc" } }, notPublic],
    ["RSA with the exponent 1", {}, { jwk: { ...rsa.jwk, e: "AQ" } }, notPublic],
    ["a key that anybody could sign for", {}, { jwk: { kty: "OKP", crv: "Ed25519", x: neutral } }, notPublic],
    ["a key for encryption by its alg", {}, { jwk: { ...rsa.jwk, alg: "RSA-OAEP" } }, notPublic],
    ["an unknown curve", {}, { jwk: { ...key.jwk, crv: "secp256k1" } }, notPublic],
    ["another key", {}, { jwk: stranger.jwk }, otherKey],
    ["another kind of key", {}, { jwk: rsa.jwk }, otherKey],
    ["crit", {}, { crit: ["b64"], b64: true }, "The proof's header has crit, which is not accepted."],
  ];
  test.each(table)("%s", async (_, claims, header, detail) => {
    const made = await proof(claims, header);
    const error = await refusal(() => check(made));
    expect(error).toMatchObject({ code: "proof_invalid", status: 401, details: { detail } });
    expect(JSON.stringify(error.details)).not.toContain(made.slice(-20));
  });

  test("a stranger's signature under the key that the token is bound to", async () => {
    const made = await proof({}, { jwk: key.jwk }, stranger);
    const detail = "The proof's signature does not hold.";
    expect(await refusal(() => check(made))).toMatchObject({ code: "proof_invalid", details: { detail } });
  });

  test.each(["none", "HS256", "ES256K", "es256", "RSA-OAEP"])("the algorithm %s", async (alg) => {
    const [, claims, signature] = (await proof()).split(".");
    const header = Buffer.from(JSON.stringify({ alg, typ: "dpop+jwt", jwk: key.jwk })).toString("base64url");
    const error = await refusal(() => check(`${header}.${claims}.${signature}`));
    expect(error).toMatchObject({ code: "proof_invalid", details: { detail: algorithm } });
  });

  test("an algorithm that is not the key's", async () => {
    const [, claims, signature] = (await proof()).split(".");
    const header = Buffer.from(JSON.stringify({ alg: "RS256", typ: "dpop+jwt", jwk: key.jwk })).toString(
      "base64url",
    );
    const error = await refusal(() => check(`${header}.${claims}.${signature}`));
    expect(error).toMatchObject({ code: "proof_invalid" });
  });

  test.each(["", "x", "a.b.c", "a.b.c.d.e", "{}", "eyJ9.eyJ9.AA"])(
    "something other than a proof: %j",
    async (text) => {
      expect(await refusal(() => check(text))).toMatchObject({ code: "proof_invalid" });
    },
  );

  test("two proofs", async () => {
    const made = await proof();
    expect(await refusal(() => check(`${made}, ${made}`))).toMatchObject({ code: "proof_invalid" });
  });

  test("random keys, headers and claims, always with the same error", async () => {
    const arbitrary = fc.record({ header: fc.dictionary(fc.string(), fc.jsonValue()), jwk: fc.jsonValue() });
    await fc.assert(
      fc.asyncProperty(
        arbitrary,
        fc.dictionary(fc.string(), fc.jsonValue()),
        async ({ header, jwk }, claims) => {
          const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
          const head = { typ: "dpop+jwt", alg: "ES256", jwk, ...header };
          const error = await refusal(() => check(`${encode(head)}.${encode(claims)}.AAAA`));
          expect(error.status).toBe(401);
        },
      ),
    );
  });
});
