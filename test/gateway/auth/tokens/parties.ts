import type { JsonWebKey, KeyObject } from "node:crypto";
import { constants, createHmac, generateKeyPairSync, sign } from "node:crypto";
import { audience, sharedSecret } from "../../support/harness.ts";

/**
 * The issuers of the hostile tokens, and a signer that signs anything. Here the text of a token and its
 * signature are independent, as they are for an attacker.
 */
export const rsaAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const;
export const algorithms = [...rsaAlgorithms, "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "HS256"] as const;
export type Algorithm = (typeof algorithms)[number];

export interface KeyPair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

export const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
export const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
export const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
export const p521 = generateKeyPairSync("ec", { namedCurve: "P-521" });
export const ed25519 = generateKeyPairSync("ed25519");

/** Keys that belong to no issuer. */
export const attacker = {
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  p256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  p521: generateKeyPairSync("ec", { namedCurve: "P-521" }),
  ed25519: generateKeyPairSync("ed25519"),
};

/** @returns the key pair of an algorithm's issuer */
export function keysOf(algorithm: Exclude<Algorithm, "HS256">): KeyPair {
  if (algorithm === "ES256") return p256;
  if (algorithm === "ES384") return p384;
  if (algorithm === "ES512") return p521;
  return algorithm === "EdDSA" || algorithm === "Ed25519" ? ed25519 : rsa;
}

/** @returns the name of the issuer with this algorithm; more issuers are below */
export const issuerOf = (algorithm: Algorithm) => `http://issuer.test/${algorithm}`;
/** Its keys come from a key server. Most of the tokens attack this issuer. */
export const main = issuerOf("ES256");
/** This issuer signs with PKCS #1 and PSS. */
export const bothPaddings = "http://issuer.test/both-paddings";
/** This issuer signs on two curves. */
export const bothCurves = "http://issuer.test/both-curves";
/** This issuer has every requirement that the configuration knows. */
export const strict = "http://issuer.test/strict";

/** Its tokens are for one of several audiences. */
export const several = "http://issuer.test/several";
/** Another claim stands for the audience. */
export const byClient = "http://issuer.test/by-client";
/** Its claim `data` is JSON in a text. */
export const inText = "http://issuer.test/in-text";
/** Its tokens may be as short, and as long, as an issuer can let them. */
export const brief = "http://issuer.test/brief";
export const lengthy = "http://issuer.test/lengthy";
/** Its only grant wants scopes and claims. */
export const scoped = "http://issuer.test/scoped";

export const kidOf = (algorithm: Algorithm) => `key-of-${algorithm}`;

export function publicJwk(key: KeyObject, kid: string): JsonWebKey & { kty: string; kid: string } {
  const { kty = "", ...rest } = key.export({ format: "jwk" });
  return { kty, ...rest, kid };
}

/** @param jwksUri where the main issuer publishes its keys */
export function issuerSections(jwksUri: string): Record<string, unknown>[] {
  const section = (issuer: string, keys: Record<string, unknown>, ...names: string[]) => ({
    issuer,
    audience,
    algorithms: names,
    ...keys,
  });
  const fixed = (algorithm: Exclude<Algorithm, "HS256">) =>
    publicJwk(keysOf(algorithm).publicKey, kidOf(algorithm));
  const own = algorithms.map((algorithm) => {
    if (algorithm === "HS256") return section(issuerOf(algorithm), { secret: "SHARED_SECRET" }, algorithm);
    const keys = algorithm === "ES256" ? { jwks_uri: jwksUri } : { jwks: { keys: [fixed(algorithm)] } };
    return section(issuerOf(algorithm), keys, algorithm);
  });
  return [
    ...own,
    section(bothPaddings, { jwks: { keys: [fixed("RS256")] } }, "RS256", "PS256"),
    section(bothCurves, { jwks: { keys: [fixed("ES256"), fixed("ES384")] } }, "ES256", "ES384"),
    {
      ...section(strict, { jwks: { keys: [fixed("ES256")] } }, "ES256"),
      typ: "at+jwt",
      max_lifetime_s: 600,
      required_claims: ["jti"],
      authorized_parties: ["web"],
    },
    ...[
      { issuer: several, audience: [audience, "https://gateway.example.com"] },
      { issuer: byClient, audience: "app-1", audience_claim: "client_id" },
      { issuer: inText, json_claims: ["data"] },
      { issuer: brief, max_token_bytes: 1024 },
      { issuer: lengthy, max_token_bytes: 65_536 },
      { issuer: scoped },
    ].map((changes) => ({
      ...section(changes.issuer, { jwks: { keys: [fixed("ES256")] } }, "ES256"),
      ...changes,
    })),
  ];
}

/** What the grant of this issuer wants; the grants of the others want nothing. */
export const wantedOf = (issuer: unknown) =>
  issuer === scoped
    ? { scopes: ["sql:read", "openid"], claims: { "a:b/c-d.e": 7, orgs: { id: "north", admin: true } } }
    : {};

export const nowSeconds = Math.floor(Date.now() / 1000);

/** Valid claims of the main issuer. */
export const goodClaims = {
  iss: main,
  aud: audience,
  sub: "somebody",
  role: "analyst",
  iat: nowSeconds,
  exp: nowSeconds + 3600,
};
export const goodHeader = { alg: "ES256", kid: kidOf("ES256") };

/** The content of a token's part: an object, JSON text, or bytes. */
export type Part = object | string | Uint8Array;

export function encode(part: Part): string {
  if (typeof part === "string" || part instanceof Uint8Array) return Buffer.from(part).toString("base64url");
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

export type Signer = (input: Buffer) => Buffer;

/** Signs with an algorithm as RFC 7518 §3 defines it, independent of the token's header. */
export function signer(algorithm: Algorithm, key: KeyObject | string | Buffer): Signer {
  const hash = `sha${algorithm.slice(2)}`;
  return (input) => {
    if (algorithm === "HS256")
      return createHmac("sha256", key as string)
        .update(input)
        .digest();
    const own = key as KeyObject;
    if (algorithm === "EdDSA" || algorithm === "Ed25519") return sign(null, input, own);
    if (algorithm.startsWith("ES")) return sign(hash, input, { key: own, dsaEncoding: "ieee-p1363" });
    if (algorithm.startsWith("RS")) return sign(hash, input, own);
    const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants;
    return sign(hash, input, { key: own, padding, saltLength });
  };
}

/** The way in which each issuer signs its own tokens. */
export function ownSigner(algorithm: Algorithm): Signer {
  return signer(algorithm, algorithm === "HS256" ? sharedSecret : keysOf(algorithm).privateKey);
}
export const mainSigner = ownSigner("ES256");
export const attackerSigner = signer("ES256", attacker.p256.privateKey);

/** @returns header.claims.signature; by default a valid token of the main issuer */
export function tokenOf(
  header: Part = goodHeader,
  claims: Part = goodClaims,
  sign: Signer = mainSigner,
): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${sign(Buffer.from(input)).toString("base64url")}`;
}

/** The valid header or claims with changed members; undefined removes one. */
export const withHeader = (members: object, sign?: Signer) =>
  tokenOf({ ...goodHeader, ...members }, goodClaims, sign);
export const withClaims = (members: object, sign?: Signer) =>
  tokenOf(goodHeader, { ...goodClaims, ...members }, sign);
