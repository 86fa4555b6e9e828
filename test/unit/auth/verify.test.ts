import fc from "fast-check";
import type { CryptoKey, JWTHeaderParameters, JWTPayload } from "jose";
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from "jose";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { KeysUnavailableError } from "../../../src/auth/keys.ts";
import type { Verified, Verifier } from "../../../src/auth/verify.ts";
import { createVerifier } from "../../../src/auth/verify.ts";
import type { Issuer } from "../../../src/config/issuer.ts";
import { limits } from "../../../src/limits.ts";
import { refusal } from "./refusal.ts";

const now = new Date("2026-11-21T12:00:00Z");
const nowSeconds = now.getTime() / 1000;

const issuerA = "https://a.example.com/";
const issuerB = "https://b.example.com/";
const issuerS = "https://secret.example.com/";
const secret = "a secret that is more than 32 bytes long";
const secretBytes = new TextEncoder().encode(secret);

let a: { privateKey: CryptoKey; publicKey: CryptoKey };
let b: { privateKey: CryptoKey; publicKey: CryptoKey };
let stranger: { privateKey: CryptoKey; publicKey: CryptoKey };
let publicA: Record<string, unknown>;
let verifier: Verifier;

beforeAll(async () => {
  [a, b, stranger] = await Promise.all([
    generateKeyPair("ES256", { extractable: true }),
    generateKeyPair("RS256", { extractable: true }),
    generateKeyPair("ES256", { extractable: true }),
  ]);
  publicA = { ...(await exportJWK(a.publicKey)), kid: "a1", alg: "ES256", use: "sig" };
  const publicB = { ...(await exportJWK(b.publicKey)), kid: "b1" };
  verifier = verifierOf([
    issuerOf(issuerA, ["ES256"], publicA),
    issuerOf(issuerB, ["RS256", "PS256"], publicB),
    { ...issuerOf(issuerS, ["HS256"]), keys: { kind: "secret", secret: secretBytes } },
  ]);
});

// No test may use the network, whatever its token contains.
const fetched = vi.fn(() => Promise.reject(new Error("no network in unit tests")));
beforeEach(() => vi.stubGlobal("fetch", fetched));
afterEach(() => {
  expect(fetched).not.toHaveBeenCalled();
  vi.unstubAllGlobals();
  fetched.mockClear();
});

function issuerOf(
  issuer: string,
  algorithms: Issuer["algorithms"],
  ...keys: Record<string, unknown>[]
): Issuer {
  return {
    issuer,
    audiences: ["tidegate"],
    audienceClaim: "aud",
    algorithms,
    keys: { kind: "static", jwks: { keys } },
    typ: undefined,
    maxLifetimeSeconds: undefined,
    requiredClaims: [],
    authorizedParties: [],
    dpop: "off",
    jsonClaims: [],
    maxTokenBytes: limits.tokenBytes,
  };
}

/** The verifier has static keys and secrets, so it never asks a Keys object. */
function verifierOf(issuers: Issuer[]): Verifier {
  return createVerifier(issuers, () => Promise.reject(new Error("asked for keys")));
}

const goodClaims = { iss: issuerA, aud: "tidegate", exp: nowSeconds + 300, sub: "somebody" };

/** Leaves out claims that are undefined. */
async function tokenOfA(
  claims: JWTPayload | { [claim: string]: unknown } = {},
  header: Partial<JWTHeaderParameters> = {},
  key: CryptoKey | Uint8Array = a.privateKey,
): Promise<string> {
  const payload = JSON.parse(JSON.stringify({ ...goodClaims, ...claims }));
  return await new SignJWT(payload).setProtectedHeader({ alg: "ES256", ...header }).sign(key);
}

function base64url(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return Buffer.from(text).toString("base64url");
}

async function refused(token: string) {
  const error = await refusal(() => verifier.verify(token, now));
  expect(error.status).toBe(401);
  // No error or log text repeats a part of the token.
  for (const part of token.split(".").filter((text) => text.length > 8)) {
    expect(`${error.message} ${error.operator}`).not.toContain(part);
  }
  return { code: error.code, detail: error.details.detail };
}

describe("a good token", () => {
  test("gives its issuer, subject and claims", async () => {
    const verified: Verified = await verifier.verify(await tokenOfA({ role: ["x"], n: 1 }), now);
    expect(verified).toEqual({
      caller: { issuer: issuerA, subject: "somebody", claims: { ...goodClaims, role: ["x"], n: 1 } },
      remembered: false,
    });
  });

  test("needs no subject", async () => {
    const { caller } = await verifier.verify(await tokenOfA({ sub: undefined }), now);
    expect(caller.subject).toBeUndefined();
  });

  test("may have a list of audiences", async () => {
    const token = await tokenOfA({ aud: ["other", "tidegate"] });
    expect((await verifier.verify(token, now)).caller.claims.aud).toEqual(["other", "tidegate"]);
  });

  test("may name its key", async () => {
    expect((await verifier.verify(await tokenOfA({}, { kid: "a1", typ: "at+jwt" }), now)).caller.issuer).toBe(
      issuerA,
    );
  });

  test.each(["RS256", "PS256"])("may use each of the issuer's algorithms: %s", async (alg) => {
    // Importing a key binds it to one algorithm.
    const key = (await importJWK(await exportJWK(b.privateKey), alg)) as CryptoKey;
    const token = await tokenOfA({ iss: issuerB }, { alg }, key);
    expect((await verifier.verify(token, now)).caller.issuer).toBe(issuerB);
  });

  test("may be signed with a shared secret", async () => {
    const token = await tokenOfA({ iss: issuerS }, { alg: "HS256" }, secretBytes);
    expect((await verifier.verify(token, now)).caller.issuer).toBe(issuerS);
  });

  test("of EdDSA", async () => {
    const { privateKey, publicKey } = await generateKeyPair("EdDSA");
    const own = verifierOf([issuerOf(issuerA, ["EdDSA"], { ...(await exportJWK(publicKey)) })]);
    const token = await tokenOfA({}, { alg: "EdDSA" }, privateKey);
    expect((await own.verify(token, now)).caller.subject).toBe("somebody");
  });
});

describe("time", () => {
  const skew = limits.clockSkewSeconds;

  test("the skew is 30 s", () => {
    expect(skew).toBe(30);
  });

  test.each([
    ["exp a second inside the skew", { exp: nowSeconds - skew + 1 }],
    ["exp in a fraction of a second", { exp: nowSeconds - skew + 0.5 }],
    ["nbf at the end of the skew", { nbf: nowSeconds + skew }],
    ["iat at the end of the skew", { iat: nowSeconds + skew }],
  ])("%s is accepted", async (_, claims) => {
    expect((await verifier.verify(await tokenOfA(claims), now)).caller.issuer).toBe(issuerA);
  });

  test.each([
    ["exp at the end of the skew", nowSeconds - skew],
    ["exp long ago", 1],
    ["exp zero", 0],
    ["exp below zero", -1],
  ])("%s has expired", async (_, exp) => {
    expect(await refused(await tokenOfA({ exp }))).toEqual({ code: "token_expired", detail: undefined });
  });

  test("nbf a second after the skew is too early", async () => {
    expect(await refused(await tokenOfA({ nbf: nowSeconds + skew + 1 }))).toEqual({
      code: "token_invalid",
      detail: "The token is not valid yet (nbf).",
    });
  });

  test("iat a second after the skew is in the future", async () => {
    expect(await refused(await tokenOfA({ iat: nowSeconds + skew + 1 }))).toEqual({
      code: "token_invalid",
      detail: "The token was issued in the future (iat).",
    });
  });

  test("is the given time, not the clock", async () => {
    const token = await tokenOfA();
    const later = new Date(now.getTime() + 3600_000);
    expect((await refusal(() => verifier.verify(token, later))).code).toBe("token_expired");
  });
});

describe("claims", () => {
  test.each([
    ["another audience", { aud: "other" }, "The token is for another audience (aud)."],
    ["no aud", { aud: undefined }, "The token lacks the claim aud."],
    ["no exp", { exp: undefined }, "The token lacks the claim exp."],
    [
      "exp in milliseconds",
      { exp: now.getTime() + 300_000 },
      "The claim exp is beyond the year 2200: it must be seconds, not milliseconds.",
    ],
  ])("%s", async (_, claims, detail) => {
    expect(await refused(await tokenOfA(claims))).toEqual({ code: "token_invalid", detail });
  });

  test.each([
    ["no iss", undefined],
    ["iss empty", ""],
    ["an unknown iss", "https://evil.example.com/"],
    ["an iss that differs in its last slash", "https://a.example.com"],
    ["an iss that begins alike", "https://a.example.com/more"],
    ["an iss in other letters", "HTTPS://a.example.com/"],
    ["an iss that every object has", "constructor"],
    ["iss __proto__", "__proto__"],
  ])("%s", async (_, iss) => {
    expect(await refused(await tokenOfA({ iss }))).toMatchObject({ code: "issuer_unknown" });
  });
});

describe("signatures", () => {
  const badSignature = {
    code: "token_invalid",
    detail: "The signature does not fit the issuer's keys.",
  };
  const badAlgorithm = {
    code: "token_invalid",
    detail: "The token's algorithm is not accepted from its issuer.",
  };

  test("a stranger's", async () => {
    expect(await refused(await tokenOfA({}, {}, stranger.privateKey))).toEqual(badSignature);
  });

  test("a stranger's with the issuer's key id", async () => {
    expect(await refused(await tokenOfA({}, { kid: "a1" }, stranger.privateKey))).toEqual(badSignature);
  });

  test("an unknown key id", async () => {
    expect(await refused(await tokenOfA({}, { kid: "a2" }))).toEqual(badSignature);
  });

  test("one changed bit", async () => {
    const [header, payload, signature = ""] = (await tokenOfA()).split(".");
    const bytes = Buffer.from(signature, "base64url");
    bytes.writeUInt8(bytes.readUInt8(0) ^ 1);
    expect(await refused(`${header}.${payload}.${bytes.toString("base64url")}`)).toEqual(badSignature);
  });

  test("changed claims", async () => {
    const [header, , signature] = (await tokenOfA()).split(".");
    const payload = base64url({ ...goodClaims, sub: "root" });
    expect(await refused(`${header}.${payload}.${signature}`)).toEqual(badSignature);
  });

  test("zeros, which ECDSA must not accept (CVE-2022-21449)", async () => {
    const [header, payload] = (await tokenOfA()).split(".");
    expect(await refused(`${header}.${payload}.${base64url("\0".repeat(64))}`)).toEqual(badSignature);
  });

  test.each([1, 63, 65, 512])("of %i bytes", async (length) => {
    const [header, payload] = (await tokenOfA()).split(".");
    expect(await refused(`${header}.${payload}.${base64url("x".repeat(length))}`)).toEqual(badSignature);
  });

  test("issuer A's token with B's key", async () => {
    expect(await refused(await tokenOfA({}, { alg: "RS256" }, b.privateKey))).toEqual(badAlgorithm);
  });

  test("issuer A's token with B's key, where both may use the algorithm", async () => {
    const publicStranger = await exportJWK(stranger.publicKey);
    const both = verifierOf([
      issuerOf(issuerA, ["ES256"], publicA),
      issuerOf(issuerB, ["ES256"], { ...publicStranger, kid: "b1" }),
    ]);
    for (const header of [{}, { kid: "a1" }, { kid: "b1" }]) {
      const token = await tokenOfA({}, header, stranger.privateKey);
      expect((await refusal(() => both.verify(token, now))).code).toBe("token_invalid");
    }
    const own = await tokenOfA({ iss: issuerB }, { kid: "b1" }, stranger.privateKey);
    expect((await both.verify(own, now)).caller.issuer).toBe(issuerB);
  });

  test.each(["none", "None", "NONE", "nOnE", ""])("alg %j", async (alg) => {
    const unsigned = `${base64url({ alg })}.${base64url(goodClaims)}`;
    expect((await refused(`${unsigned}.`)).code).toBe("token_malformed");
    expect((await refused(`${unsigned}.AA`)).code).toBe("token_invalid");
  });

  test("HS256 with the issuer's public key as the secret (RFC 8725 §2.1)", async () => {
    const pem = await exportSPKI(a.publicKey);
    const secrets = [pem, pem.trim(), JSON.stringify(publicA), String(publicA.x), String(publicA.y)];
    for (const text of secrets) {
      const token = await tokenOfA({}, { alg: "HS256", kid: "a1" }, new TextEncoder().encode(text));
      expect(await refused(token)).toEqual(badAlgorithm);
    }
  });

  test("another hash than the issuer's", async () => {
    for (const alg of ["HS384", "HS512"]) {
      const token = await tokenOfA({ iss: issuerS }, { alg }, new TextEncoder().encode(secret.repeat(2)));
      expect(await refused(token)).toEqual(badAlgorithm);
    }
  });

  test("another secret", async () => {
    const token = await tokenOfA({ iss: issuerS }, { alg: "HS256" }, new TextEncoder().encode(`${secret}.`));
    expect(await refused(token)).toEqual(badSignature);
  });

  test("an asymmetric one from an issuer with a secret", async () => {
    expect(await refused(await tokenOfA({ iss: issuerS }))).toEqual(badAlgorithm);
  });

  test("an algorithm of the right family that is not on the list", async () => {
    const { privateKey } = await generateKeyPair("ES384");
    expect(await refused(await tokenOfA({}, { alg: "ES384" }, privateKey))).toEqual(badAlgorithm);
  });
});

describe("a header never chooses the key", () => {
  test("jwk, jku, x5u and x5c are ignored in a stranger's token", async () => {
    const jwk = await exportJWK(stranger.publicKey);
    const headers = [
      { jwk },
      { jwk: { ...jwk, kid: "a1" }, kid: "a1" },
      { jku: "https://evil.example.com/jwks.json" },
      { x5u: "https://evil.example.com/cert.pem" },
      { x5c: ["MIIB"] },
    ];
    for (const header of headers) {
      expect((await refused(await tokenOfA({}, header, stranger.privateKey))).code).toBe("token_invalid");
    }
  });

  test("and harmless in a good one", async () => {
    const token = await tokenOfA({}, { jku: "https://evil.example.com/jwks.json" });
    expect((await verifier.verify(token, now)).caller.issuer).toBe(issuerA);
  });
});

describe("garbage", () => {
  test.each([
    ["nothing", ""],
    ["one part", "abc"],
    ["two parts", "a.b"],
    ["four parts", "a.b.c.d"],
    ["five parts", "a.b.c.d.e"],
    ["what form.ts refuses", `e30.${base64url("null")}.AA`],
    ["more than a token may have", `e30.${"A".repeat(limits.tokenBytes)}.AA`],
  ])("%s", async (_, token) => {
    expect((await refused(token)).code).toBe("token_malformed");
  });

  test("every text is refused as the caller's mistake", async () => {
    const part = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json().map(base64url),
      fc.string({ unit: fc.constantFrom("a", "-", "_", "=", "9") }),
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 6 }).map((parts) => parts.join(".")),
    );
    await fc.assert(
      fc.asyncProperty(text, async (token) => {
        await refused(token);
      }),
    );
  });

  test("every header over valid claims is refused as the caller's mistake", async () => {
    const odd = fc.oneof(fc.jsonValue(), fc.constantFrom("ES256", "RS256", "HS256", "a1", "none"));
    const header = fc.dictionary(
      fc.constantFrom("alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c", "zip", "__proto__"),
      odd,
    );
    const signature = fc
      .uint8Array({ maxLength: 80 })
      .map((bytes) => Buffer.from(bytes).toString("base64url"));
    const issuer = fc.constantFrom(issuerA, issuerB, issuerS);
    await fc.assert(
      fc.asyncProperty(header, signature, issuer, async (fields, bytes, iss) => {
        const token = `${base64url({ alg: "ES256", ...fields })}.${base64url({ ...goodClaims, iss })}.${bytes}`;
        expect(["token_invalid", "token_malformed"]).toContain((await refused(token)).code);
      }),
    );
  });

  test("all claims in a signed token are accepted, or refused as the caller's mistake", async () => {
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>("tidegate", nowSeconds, nowSeconds + 60, issuerA, issuerB),
    );
    const claims = fc.dictionary(
      fc.constantFrom("iss", "aud", "exp", "nbf", "iat", "sub", "jti", "__proto__"),
      odd,
    );
    await fc.assert(
      fc.asyncProperty(claims, async (changed) => {
        const token = await tokenOfA(changed);
        try {
          expect((await verifier.verify(token, now)).caller.issuer).toBe(issuerA);
        } catch {
          await refused(token);
        }
      }),
    );
  });
});

describe("key sets", () => {
  test("of several keys that fit a token without kid, the one that verifies it counts", async () => {
    const other = { ...(await exportJWK(stranger.publicKey)), kid: "a2" };
    for (const keys of [
      [publicA, other],
      [other, publicA],
    ]) {
      const several = verifierOf([issuerOf(issuerA, ["ES256"], ...keys)]);
      for (const key of [a.privateKey, stranger.privateKey]) {
        const token = await tokenOfA({}, {}, key);
        expect((await several.verify(token, now)).caller.issuer).toBe(issuerA);
      }
      // A kid is a choice: no other key is tried.
      const misnamed = await tokenOfA({}, { kid: "a2" });
      expect((await refusal(() => several.verify(misnamed, now))).code).toBe("token_invalid");
    }
  });

  test("a token that a second key verifies is refused for its claims", async () => {
    const other = { ...(await exportJWK(stranger.publicKey)), kid: "a2" };
    const several = verifierOf([issuerOf(issuerA, ["ES256"], publicA, other)]);
    const old = await tokenOfA({ exp: nowSeconds - 300 });
    expect((await refusal(() => several.verify(old, now))).code).toBe("token_expired");
    const elsewhere = await tokenOfA({ aud: "another" }, {}, stranger.privateKey);
    const { code, details } = await refusal(() => several.verify(elsewhere, now));
    expect([code, details.detail]).toEqual(["token_invalid", "The token is for another audience (aud)."]);
  });

  test("a kid that several keys have is tried with each", async () => {
    const twin = { ...(await exportJWK(stranger.publicKey)), kid: "a1" };
    const twins = verifierOf([issuerOf(issuerA, ["ES256"], publicA, twin)]);
    for (const key of [a.privateKey, stranger.privateKey]) {
      const token = await tokenOfA({}, { kid: "a1" }, key);
      expect((await twins.verify(token, now)).caller.issuer).toBe(issuerA);
    }
    const { privateKey } = await generateKeyPair("ES256");
    const forged = await tokenOfA({}, { kid: "a1" }, privateKey);
    expect((await refusal(() => twins.verify(forged, now))).code).toBe("token_invalid");
  });

  test("as many keys are tried as the limit says, and no more", async () => {
    const other = { ...(await exportJWK(stranger.publicKey)), kid: undefined };
    const others = (count: number) => Array.from({ length: count }, () => ({ ...other }));
    const last = verifierOf([issuerOf(issuerA, ["ES256"], ...others(limits.keysTried - 1), publicA)]);
    expect((await last.verify(await tokenOfA(), now)).caller.issuer).toBe(issuerA);
    const beyond = verifierOf([issuerOf(issuerA, ["ES256"], ...others(limits.keysTried), publicA)]);
    const token = await tokenOfA();
    expect((await refusal(() => beyond.verify(token, now))).code).toBe("token_invalid");
    const named = await tokenOfA({}, { kid: "a1" });
    expect((await beyond.verify(named, now)).caller.issuer).toBe(issuerA);
  });

  test.each([
    ["EdDSA", "EdDSA"],
    ["EdDSA", "Ed25519"],
    ["EdDSA", undefined],
    ["Ed25519", "EdDSA"],
    ["Ed25519", "Ed25519"],
    ["Ed25519", undefined],
  ])("a token with %s by a key with %s: two names of one algorithm (RFC 9864)", async (alg, ofKey) => {
    const { publicKey, privateKey } = await generateKeyPair("Ed25519");
    const jwk = { ...(await exportJWK(publicKey)), kid: "ed", ...(ofKey && { alg: ofKey }) };
    const own = verifierOf([issuerOf(issuerA, ["EdDSA", "Ed25519"], jwk)]);
    for (const header of [{ alg }, { alg, kid: "ed" }]) {
      const token = await tokenOfA({}, header, privateKey);
      expect((await own.verify(token, now)).caller.issuer).toBe(issuerA);
    }
    for (const wrong of ["eddsa", "ED25519", "Ed448"]) {
      const [, claims, signature] = (await tokenOfA({}, { alg }, privateKey)).split(".");
      const token = `${base64url({ alg: wrong })}.${claims}.${signature}`;
      expect((await refusal(() => own.verify(token, now))).code).toBe("token_invalid");
    }
  });

  test("ES512 is a signature on P-521", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES512");
    const own = verifierOf([issuerOf(issuerA, ["ES512"], await exportJWK(publicKey))]);
    const token = await tokenOfA({}, { alg: "ES512" }, privateKey);
    expect((await own.verify(token, now)).caller.issuer).toBe(issuerA);
    const other = await tokenOfA();
    expect((await refusal(() => own.verify(other, now))).code).toBe("token_invalid");
  });

  test("a key that is only for encryption verifies nothing", async () => {
    const own = verifierOf([issuerOf(issuerA, ["ES256"], { ...publicA, use: "enc" })]);
    const token = await tokenOfA();
    expect((await refusal(() => own.verify(token, now))).code).toBe("token_invalid");
  });

  describe("a key that cannot be used disturbs no other, and its tokens are refused", () => {
    const off = () => ({ ...publicA, y: publicA.x });
    const table: [string, () => Record<string, unknown>][] = [
      ["off its curve", off],
      ["without a point", () => ({ kty: "EC", crv: "P-256", x: "AA", y: "AA" })],
      ["without numbers", () => ({ kty: "EC", crv: "P-256" })],
      ["of an unknown kind", () => ({ kty: "PQC", alg: "ES256" })],
      ["of no kind", () => ({})],
    ];
    test.each(table)("%s", async (_, make) => {
      for (const kid of [undefined, "a1"]) {
        const broken = { ...make(), ...(kid && { kid }) };
        const alone = verifierOf([issuerOf(issuerA, ["ES256"], broken)]);
        const token = await tokenOfA({}, kid === undefined ? {} : { kid });
        const { code, status } = await refusal(() => alone.verify(token, now));
        expect([code, status]).toEqual(["token_invalid", 401]);
        for (const keys of [
          [broken, publicA],
          [publicA, broken],
        ]) {
          const together = verifierOf([issuerOf(issuerA, ["ES256"], ...keys)]);
          expect((await together.verify(token, now)).caller.issuer).toBe(issuerA);
        }
      }
    });

    test("members that decide nothing cannot spoil a key", async () => {
      const members = { ext: "no", key_ops: ["verify", "verify", "sign"], x5c: 5, x5t: null, alg: "ES256" };
      const own = verifierOf([issuerOf(issuerA, ["ES256"], { ...publicA, ...members })]);
      expect((await own.verify(await tokenOfA({}, { kid: "a1" }), now)).caller.issuer).toBe(issuerA);
    });

    test("with the exponent 1 every text would be its own signature", async () => {
      const n = Buffer.alloc(256, 0xff).toString("base64url");
      const own = verifierOf([issuerOf(issuerA, ["RS256"], { kty: "RSA", n, e: "AQ" })]);
      const token = await tokenOfA({}, { alg: "RS256" }, b.privateKey);
      expect((await refusal(() => own.verify(token, now))).code).toBe("token_invalid");
    });

    test("with the neutral point a signature would do that needs no private key", async () => {
      const x = Buffer.from([1, ...Buffer.alloc(31)]).toString("base64url");
      const own = verifierOf([issuerOf(issuerA, ["EdDSA"], { kty: "OKP", crv: "Ed25519", x })]);
      const signature = Buffer.from([1, ...Buffer.alloc(63)]).toString("base64url");
      const token = `${base64url({ alg: "EdDSA" })}.${base64url(goodClaims)}.${signature}`;
      expect((await refusal(() => own.verify(token, now))).code).toBe("token_invalid");
    });

    test("in a set of an older Keys object too", async () => {
      const remote: Issuer = { ...issuerOf(issuerA, ["ES256"]), keys: { kind: "remote", uri: "https://a/" } };
      const own = createVerifier([remote], async () => ({
        jwks: { keys: [off(), { ...publicA, d: "AA" }] },
        fetchedAt: 1,
      }));
      const token = await tokenOfA();
      expect((await refusal(() => own.verify(token, now))).code).toBe("token_invalid");
    });
  });

  test("of a remote issuer are fetched when a token or readiness needs them", async () => {
    const remote: Issuer = { ...issuerOf(issuerA, ["ES256"]), keys: { kind: "remote", uri: "https://a/" } };
    const asked: boolean[] = [];
    const own = createVerifier([remote], async (_, unknownKid) => {
      asked.push(unknownKid);
      return { jwks: { keys: [publicA] }, fetchedAt: 1 };
    });
    expect((await own.verify(await tokenOfA(), now)).caller.issuer).toBe(issuerA);
    expect((await own.verify(await tokenOfA({ sub: "another" }), now)).caller.subject).toBe("another");
    await own.ready();
    expect(asked).toEqual([false]);
    // The key is unknown, so the Keys object is asked once, and not again for the next forged tokens.
    for (const kid of ["x", "y", "z"]) {
      const token = await tokenOfA({}, { kid });
      expect((await refusal(() => own.verify(token, now))).code).toBe("token_invalid");
    }
    expect(asked).toEqual([false, true]);
  });

  test("that have changed are used at once for an unknown kid", async () => {
    const remote: Issuer = { ...issuerOf(issuerA, ["ES256"]), keys: { kind: "remote", uri: "https://a/" } };
    const next = { ...(await exportJWK(stranger.publicKey)), kid: "a2" };
    const own = createVerifier([remote], async (_, unknownKid) => ({
      jwks: { keys: unknownKid ? [publicA, next] : [publicA] },
      fetchedAt: unknownKid ? 2 : 1,
    }));
    await own.verify(await tokenOfA(), now);
    const rotated = await tokenOfA({}, { kid: "a2" }, stranger.privateKey);
    expect((await own.verify(rotated, now)).caller.issuer).toBe(issuerA);
  });

  test("that are unavailable do not refuse a token for ever", async () => {
    const remote: Issuer = { ...issuerOf(issuerA, ["ES256"]), keys: { kind: "remote", uri: "https://a/" } };
    const own = createVerifier([remote], () => Promise.reject(new KeysUnavailableError("status 500")));
    const token = await tokenOfA();
    for (const work of [() => own.verify(token, now), () => own.ready()]) {
      const error = await refusal(work);
      expect(error).toMatchObject({ code: "keys_unavailable", status: 503, retryable: true });
      expect(error.operator).toContain("status 500");
    }
  });

  test("static ones and secrets are always ready", async () => {
    await verifier.ready();
  });
});

describe("a token that was verified a moment ago", () => {
  test("is remembered, with the same caller", async () => {
    const token = await tokenOfA({ jti: "remembered" });
    const first = await verifier.verify(token, now);
    const second = await verifier.verify(token, new Date(now.getTime() + limits.verifiedTokenAgeMs - 1));
    expect([first.remembered, second.remembered]).toEqual([false, true]);
    expect(second.caller).toEqual(first.caller);
  });

  test("is verified again after a minute", async () => {
    const token = await tokenOfA({ jti: "a minute" });
    await verifier.verify(token, now);
    const later = new Date(now.getTime() + limits.verifiedTokenAgeMs);
    expect((await verifier.verify(token, later)).remembered).toBe(false);
  });

  test("expires while it is remembered", async () => {
    const token = await tokenOfA({ exp: nowSeconds + 10 });
    await verifier.verify(token, now);
    const expired = new Date((nowSeconds + 10 + limits.clockSkewSeconds) * 1000);
    expect((await refusal(() => verifier.verify(token, expired))).code).toBe("token_expired");
  });

  test("is not confused with one that has another signature", async () => {
    const token = await tokenOfA({ jti: "signature" });
    await verifier.verify(token, now);
    const [header, payload] = token.split(".");
    const error = await refusal(() =>
      verifier.verify(`${header}.${payload}.${base64url("x".repeat(64))}`, now),
    );
    expect(error.code).toBe("token_invalid");
  });

  test("and was refused is not remembered", async () => {
    const token = await tokenOfA({ nbf: nowSeconds + 60 });
    await refused(token);
    expect((await verifier.verify(token, new Date(now.getTime() + 60_000))).remembered).toBe(false);
  });
});

describe("an issuer's rules", () => {
  test("may name another claim for the audience", async () => {
    const own = verifierOf([{ ...issuerOf(issuerA, ["ES256"], publicA), audienceClaim: "client_id" }]);
    const token = await tokenOfA({ aud: undefined, client_id: "tidegate" });
    expect((await own.verify(token, now)).caller.issuer).toBe(issuerA);
    const other = await tokenOfA({ aud: undefined, client_id: "other" });
    expect((await refusal(() => own.verify(other, now))).code).toBe("token_invalid");
  });

  test("may open a claim whose text is JSON, once the signature is good", async () => {
    const own = verifierOf([{ ...issuerOf(issuerA, ["ES256"], publicA), jsonClaims: ["h"] }]);
    const token = await tokenOfA({ h: '{"role":"user"}' });
    expect((await own.verify(token, now)).caller.claims.h).toEqual({ role: "user" });
    const broken = await tokenOfA({ h: "{" });
    expect((await refusal(() => own.verify(broken, now))).details.detail).toBe("The claim h is not JSON.");
    const forged = await tokenOfA({ h: "{" }, {}, stranger.privateKey);
    expect((await refusal(() => own.verify(forged, now))).details.detail).toMatch(/signature/);
  });

  test("may require a claim that is JSON: null in it is none", async () => {
    const rules = { jsonClaims: ["h"], requiredClaims: ["h"] };
    const own = verifierOf([{ ...issuerOf(issuerA, ["ES256"], publicA), ...rules }]);
    const token = await tokenOfA({ h: "null" });
    expect((await refusal(() => own.verify(token, now))).details.detail).toBe("The token lacks the claim h.");
  });

  test("bound its tokens' length, whatever another issuer's may have", async () => {
    const own = verifierOf([
      { ...issuerOf(issuerA, ["ES256"], publicA), maxTokenBytes: 1024 },
      { ...issuerOf(issuerB, ["ES256"], publicA), maxTokenBytes: 65_536 },
    ]);
    expect(own.maxTokenBytes).toBe(65_536);
    const pad = "x".repeat(2000);
    const token = await tokenOfA({ pad });
    const error = await refusal(() => own.verify(token, now));
    expect(error).toMatchObject({ code: "token_malformed", status: 401 });
    expect(error.message).toContain("1024 (max_token_bytes)");
    const long = await tokenOfA({ iss: issuerB, pad: pad.repeat(20) });
    expect((await own.verify(long, now)).caller.issuer).toBe(issuerB);
  });

  const demanding = (): Verifier =>
    verifierOf([
      {
        ...issuerOf(issuerA, ["ES256"], publicA),
        typ: "at+jwt",
        maxLifetimeSeconds: 600,
        requiredClaims: ["jti"],
        authorizedParties: ["web"],
      },
    ]);
  const good = { iat: nowSeconds, jti: "1", client_id: "web" };

  test("accept a token that fits", async () => {
    const token = await tokenOfA(good, { typ: "at+jwt" });
    expect((await demanding().verify(token, now)).caller.issuer).toBe(issuerA);
  });

  test.each([
    ["another typ", good, "JWT"],
    ["too long a life", { ...good, exp: nowSeconds + 601 }, "at+jwt"],
    ["a claim that is missing", { ...good, jti: undefined }, "at+jwt"],
    ["another client", { ...good, client_id: "other" }, "at+jwt"],
  ])("refuse a token: %s", async (_, claims, typ) => {
    const token = await tokenOfA(claims, { typ });
    expect((await refusal(() => demanding().verify(token, now))).code).toBe("token_invalid");
  });
});
