// Runs on mysql only: the engine has no part in what it tests.
import { createHash } from "node:crypto";
import type { KeyPair } from "dpop";
import { generateKeyPair, generateProof } from "dpop";
import type { JWK } from "jose";
import { calculateJwkThumbprint, exportJWK, generateKeyPair as generateSigner, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSigningKey, mint } from "../../../servers/issuer/issuer.ts";
import { lineOf } from "../support/ask.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { audience, expectProblem, read, startGateway } from "../support/harness.ts";
import { breakObjects, clockOf } from "../support/world.ts";

/**
 * Tokens that are bound to a key of the caller (RFC 9449), with proofs from an independent client library.
 */

const key = await createSigningKey();
const modes = ["off", "optional", "required"] as const;
type Mode = (typeof modes)[number];
const issuerOf = (mode: Mode) => `http://issuer.test/${mode}`;
const path = "/v1/queries/cities-by-country?country=JP&limit=1";

let gateway: Gateway;
let pair: KeyPair;

beforeAll(async () => {
  pair = await generateKeyPair("ES256", { extractable: true });
  gateway = await startGateway({
    entry: "broken",
    issuers: modes.map((dpop) => ({
      issuer: issuerOf(dpop),
      audience,
      algorithms: ["ES256"],
      jwks: { keys: [key.publicJwk] },
      dpop,
    })),
    grants: modes.map((mode) => ({ issuer: issuerOf(mode), account: "analyst", allow: ["query:*"] })),
    cors: { origins: ["https://app.example.com"] },
  });
});
afterAll(() => gateway?.close());

async function thumbprintOf({ publicKey }: KeyPair): Promise<string> {
  return await calculateJwkThumbprint(await exportJWK(publicKey));
}

/** @param owner the holder of the key that the token is bound to; default: not bound */
async function tokenOf(mode: Mode, owner?: KeyPair): Promise<string> {
  const cnf = owner && { cnf: { jkt: await thumbprintOf(owner) } };
  return await mint(key, { iss: issuerOf(mode), aud: audience, sub: "someone", ...cnf });
}

async function ask(token: string, proof?: string, scheme = "DPoP", at = path): Promise<Answer> {
  const headers = { authorization: `${scheme} ${token}`, ...(proof === undefined ? {} : { dpop: proof }) };
  return await read(await gateway.fetch(at, { headers }));
}

/** A proof for a GET of this path. */
async function prove(token: string | undefined, nonce?: string, by = pair, method = "GET", at = path) {
  const { origin, pathname } = new URL(at, gateway.url);
  return await generateProof(by, origin + pathname, method, nonce, token);
}

/** The first request of a client: it gets the nonce. */
async function nonceFor(token: string, by = pair): Promise<string> {
  const answer = await ask(token, await prove(token, undefined, by));
  expectProblem(answer, 401, "proof_nonce_required");
  return answer.headers.get("dpop-nonce") ?? "";
}

describe("a bound token", () => {
  test.each(["optional", "required"] as const)("with proofs (dpop = %s)", async (mode) => {
    const token = await tokenOf(mode, pair);
    const nonce = await nonceFor(token);
    const answer = await ask(token, await prove(token, nonce));
    expect(answer).toMatchObject({ status: 200, body: { rows: [{ name: "Tokyo" }] } });
    // The next proof needs no refusal first.
    expect(answer.headers.get("dpop-nonce")).toBe(nonce);
    expect((await ask(token, await prove(token, nonce))).status).toBe(200);
  });

  test("is told what it needs when no nonce is known", async () => {
    const token = await tokenOf("optional", pair);
    const answer = await ask(token, await prove(token));
    expectProblem(answer, 401, "proof_nonce_required");
    expect(answer.headers.get("www-authenticate")).toMatch(/^DPoP error="use_dpop_nonce", .*algs="ES256 /);
    expect(answer.headers.get("dpop-nonce")).toMatch(/^[\w-]{22}$/);
  });

  test("as Bearer is refused, with a proof beside it too", async () => {
    const token = await tokenOf("optional", pair);
    for (const proof of [undefined, await prove(token, await nonceFor(token))]) {
      const answer = await ask(token, proof, "Bearer");
      expectProblem(answer, 401, "proof_missing");
      expect(answer.headers.get("www-authenticate")).toMatch(/^DPoP error="invalid_token"/);
    }
  });

  test("without a proof is refused", async () => {
    expectProblem(await ask(await tokenOf("required", pair)), 401, "proof_missing");
  });

  test("is refused by an issuer without dpop", async () => {
    const token = await tokenOf("off", pair);
    expectProblem(await ask(token, undefined, "Bearer"), 401, "token_invalid");
    expectProblem(await ask(token, await prove(token)), 401, "token_invalid");
  });
});

describe("the key of a proof, on this runtime", () => {
  /** A proof with members of its header as the test wants them, for a token that is bound to its jwk. */
  async function asked(alg: string, change: (jwk: JWK) => JWK = (jwk) => jwk): Promise<Answer> {
    const { privateKey, publicKey } = await generateSigner(alg, { extractable: true });
    const jwk = change(await exportJWK(publicKey));
    const cnf = { jkt: await calculateJwkThumbprint(jwk) };
    const token = await mint(key, { iss: issuerOf("required"), aud: audience, sub: "someone", cnf });
    const ath = createHash("sha256").update(token).digest("base64url");
    const { origin, pathname } = new URL(path, gateway.url);
    const claims = { htm: "GET", htu: origin + pathname, ath };
    const send = async (nonce?: string) => {
      const signed = new SignJWT({ ...claims, jti: crypto.randomUUID(), ...(nonce && { nonce }) })
        .setProtectedHeader({ alg, typ: "dpop+jwt", jwk })
        .setIssuedAt();
      return await ask(token, await signed.sign(privateKey));
    };
    const first = await send();
    return first.body.code === "proof_nonce_required"
      ? await send(first.headers.get("dpop-nonce") ?? "")
      : first;
  }

  test.each(["ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "RS512"])("%s", async (alg) => {
    expect((await asked(alg)).status).toBe(200);
  });

  test.each(["EdDSA", "Ed25519"])("with the other name of %s", async (alg) => {
    const answer = await asked(alg, (jwk) => ({ ...jwk, alg: alg === "EdDSA" ? "Ed25519" : "EdDSA" }));
    expect(answer.status).toBe(200);
  });

  test.each<[string, string, (jwk: JWK) => JWK]>([
    ["names another curve", "ES256", (jwk) => ({ ...jwk, crv: "P-384" })],
    ["names an unknown curve", "ES512", (jwk) => ({ ...jwk, crv: "P-512" })],
    ["names another algorithm", "ES256", (jwk) => ({ ...jwk, alg: "ES384" })],
    ["is off its curve", "ES256", ({ x, ...jwk }) => ({ ...jwk, x, y: x }) as JWK],
    ["has the exponent 1", "RS256", (jwk) => ({ ...jwk, e: "AQ" })],
    ["is private", "ES256", (jwk) => ({ ...jwk, d: jwk.x }) as JWK],
  ])("is refused if it %s", async (_, alg, change) => {
    expectProblem(await asked(alg, change), 401, "proof_invalid");
  });
});

describe("a token that is not bound", () => {
  test("goes on as Bearer where proofs are optional, and where they are off", async () => {
    for (const mode of ["optional", "off"] as const) {
      expect((await ask(await tokenOf(mode), undefined, "Bearer")).status).toBe(200);
    }
  });

  test("is refused where proofs are required", async () => {
    expectProblem(await ask(await tokenOf("required"), undefined, "Bearer"), 401, "token_invalid");
  });

  test("is refused as DPoP: its thief could make a proof as well", async () => {
    const token = await tokenOf("optional");
    expectProblem(await ask(token, await prove(token)), 401, "token_invalid");
  });
});

describe("a proof is refused", () => {
  test("the second time, and the third", async () => {
    const token = await tokenOf("optional", pair);
    const proof = await prove(token, await nonceFor(token));
    expect((await ask(token, proof)).status).toBe(200);
    for (const answer of [await ask(token, proof), await ask(token, proof)]) {
      expectProblem(answer, 401, "proof_invalid");
      expect(answer.body.detail).toBe("The proof has been used before (jti).");
      expect(answer.headers.get("dpop-nonce")).toMatch(/^[\w-]{22}$/);
    }
  });

  test("but once, of twenty at the same time", async () => {
    const token = await tokenOf("optional", pair);
    const proof = await prove(token, await nonceFor(token));
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(token, proof)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
  });

  test("of another key, which is not told a nonce", async () => {
    const thief = await generateKeyPair("ES256", { extractable: true });
    const token = await tokenOf("optional", pair);
    const answer = await ask(token, await prove(token, await nonceFor(token), thief));
    expectProblem(answer, 401, "proof_invalid");
    expect(answer.headers.has("dpop-nonce")).toBe(false);
  });

  test("with the nonce of another key", async () => {
    const other = await generateKeyPair("ES256", { extractable: true });
    const theirs = await nonceFor(await tokenOf("optional", other), other);
    const token = await tokenOf("optional", pair);
    expectProblem(await ask(token, await prove(token, theirs)), 401, "proof_nonce_required");
  });

  test.each([
    ["for another method", "POST", path],
    ["for another path", "GET", "/v1/sql"],
  ])("%s", async (_, method, at) => {
    const token = await tokenOf("optional", pair);
    const proof = await prove(token, await nonceFor(token), pair, method, at);
    expectProblem(await ask(token, proof), 401, "proof_invalid");
  });

  test("for another token, or for none", async () => {
    const token = await tokenOf("optional", pair);
    const nonce = await nonceFor(token);
    for (const about of [await tokenOf("required", pair), undefined]) {
      expectProblem(await ask(token, await prove(about, nonce)), 401, "proof_invalid");
    }
  });

  test("beside a second one", async () => {
    const token = await tokenOf("optional", pair);
    const nonce = await nonceFor(token);
    const headers = new Headers({ authorization: `DPoP ${token}` });
    headers.append("dpop", await prove(token, nonce));
    headers.append("dpop", await prove(token, nonce));
    expectProblem(await read(await gateway.fetch(path, { headers })), 401, "proof_invalid");
  });
});

describe("pages", () => {
  test("may send a proof and read the nonce", async () => {
    const origin = "https://app.example.com";
    const asking = {
      "access-control-request-method": "GET",
      "access-control-request-headers": "authorization,dpop",
    };
    const preflight = await gateway.fetch(path, { method: "OPTIONS", headers: { origin, ...asking } });
    expect(preflight.headers.get("access-control-allow-headers")?.split(",")).toContain("dpop");
    const token = await tokenOf("optional", pair);
    const headers = { origin, authorization: `DPoP ${token}`, dpop: await prove(token) };
    const answer = await gateway.fetch(path, { headers });
    expect(answer.headers.get("access-control-expose-headers")?.split(",")).toContain("dpop-nonce");
    expect(answer.headers.get("dpop-nonce")).not.toBeNull();
  });

  test("without a token are told of both schemes", async () => {
    const answer = await read(await gateway.fetch(path));
    expectProblem(answer, 401, "token_missing");
    expect(answer.headers.get("www-authenticate")).toMatch(
      /^Bearer realm="tidegate", resource_metadata="[^"]+", DPoP algs="[^"]+", resource_metadata="[^"]+"$/,
    );
  });
});

describe("the object that knows a key's proofs", () => {
  test("forgets nonces and proofs together: a proof of before its end does not count again", async () => {
    const token = await tokenOf("optional", pair);
    const proof = await prove(token, await nonceFor(token));
    expect((await ask(token, proof)).status).toBe(200);
    await gateway.evict("PROOFS", `development/${await thumbprintOf(pair)}`);
    const replayed = await ask(token, proof);
    expectProblem(replayed, 401, "proof_nonce_required");
    const nonce = replayed.headers.get("dpop-nonce") ?? "";
    expect((await ask(token, await prove(token, nonce))).status).toBe(200);
  });

  test.each([
    ["throws", /internal-detail/],
    ["status 500", /status 500/],
    ["no JSON", /JSON/],
    ["no object", /no decision/],
    ["another object", /no decision/],
  ])("that fails (%s) lets nobody through", async (way, reason) => {
    const token = await tokenOf("optional", pair);
    const nonce = await nonceFor(token);
    await breakObjects(gateway, "proofs", way);
    try {
      const answer = await ask(token, await prove(token, nonce));
      expectProblem(answer, 503, "proofs_unavailable");
      expect((await lineOf(gateway, answer))?.reason).toMatch(reason);
      expect((await ask(await tokenOf("optional"), undefined, "Bearer")).status).toBe(200);
    } finally {
      await breakObjects(gateway, "proofs", undefined);
    }
    expect((await ask(token, await prove(token, nonce))).status).toBe(200);
  });

  test("is not asked when the proof's iat is more than five minutes off", async () => {
    const token = await tokenOf("optional", pair);
    const nonce = await nonceFor(token);
    const clock = clockOf(gateway);
    await clock.pass(5.1 * 60_000);
    try {
      const answer = await ask(token, await prove(token, nonce));
      expectProblem(answer, 401, "proof_invalid");
      expect(answer.body.detail).toContain("iat");
    } finally {
      await clock.pass(-5.1 * 60_000);
    }
  });
});

test("no proof stands in the log", async () => {
  const token = await tokenOf("optional", pair);
  const proof = await prove(token, await nonceFor(token));
  await ask(token, proof);
  await ask(token, proof);
  const logged = JSON.stringify(gateway.logs());
  expect(logged).toContain("proof_invalid");
  expect(logged).not.toContain(proof.split(".").at(-1));
});
