// Runs on mysql only: the engine has no part in what it tests.
import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage, RequestListener } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KeyServer, SigningKey } from "../../../servers/issuer/issuer.ts";
import { createSigningKey, mint, startKeyServer } from "../../../servers/issuer/issuer.ts";
import { limits } from "../../../src/limits.ts";
import { ask, logged } from "../support/ask.ts";
import type { Gateway } from "../support/harness.ts";
import { audience, expectProblem, startGateway } from "../support/harness.ts";

/** Key sets as issuers publish them, good and broken ones. */

const secretBytes = Buffer.from("fbff".repeat(16), "hex");
const mark = "\uFEFF";

let keys: Record<"main" | "second" | "third" | "stranger" | "rsa" | "p521" | "edwards", SigningKey>;
let keyServer: KeyServer;
let gateway: Gateway;
/** The Accept of each fetch, by path. */
const accepted = new Map<string, (string | undefined)[]>();

const nameOf = (path: string) => `http://issuer.test${path}`;
const tokenOf = (path: string, key: SigningKey, options: { kid?: string | undefined; alg?: string } = {}) =>
  mint(unnamed(key), { iss: nameOf(path), aud: audience, sub: "someone" }, options as { kid?: string });

/** A signer whose tokens name their key only if they are told to. */
function unnamed({ privateKey, publicJwk }: SigningKey): SigningKey {
  const { kid: _, ...jwk } = publicJwk;
  return { privateKey, publicJwk: jwk };
}

/** Answers a key set or metadata; what is asked for must be listed, as Kubernetes and other servers demand. */
function answering(type: string, value: () => unknown, prefix = ""): RequestListener {
  return (request, response) => {
    note(request);
    const types = request.headers.accept?.split(/, */) ?? [];
    if (!types.includes(type)) response.writeHead(406).end();
    else response.writeHead(200, { "content-type": type }).end(prefix + JSON.stringify(value()));
  };
}

function note({ url = "", headers }: IncomingMessage): void {
  accepted.set(url, [...(accepted.get(url) ?? []), headers.accept]);
}

const jwk = "application/jwk-set+json";
const json = "application/json";

/** Keys that no token may be verified with, each under a kid of its own. */
function brokenKeys(): unknown[] {
  const { main, rsa, edwards, p521 } = keys;
  const neutral = Buffer.from([1, ...Buffer.alloc(31)]).toString("base64url");
  return [
    { ...main.publicJwk, kid: "off", y: main.publicJwk.x },
    { ...p521.publicJwk, kid: "off-p521", alg: undefined, y: p521.publicJwk.x },
    { ...main.publicJwk, kid: "short", x: "AA" },
    { ...main.publicJwk, kid: "no-y", y: undefined },
    { ...rsa.publicJwk, kid: "one", e: "AQ" },
    { ...rsa.publicJwk, kid: "even", e: "Ag" },
    { ...rsa.publicJwk, kid: "no-n", n: "!" },
    { ...edwards.publicJwk, kid: "neutral", x: neutral },
    { kty: "PQC", alg: "ES256", kid: "future" },
    { ...main.publicJwk, kid: "enc", use: "enc" },
    { ...main.publicJwk, kid: "foreign", alg: "ES384" },
    null,
    "key",
  ];
}

const algorithms = ["ES256", "ES512", "RS256", "Ed25519"];

beforeAll(async () => {
  const make = createSigningKey;
  keys = {
    main: await make(),
    second: await make(),
    third: await make(),
    stranger: await make(),
    rsa: await make("RS256"),
    p521: await make("ES512"),
    edwards: await make("Ed25519"),
  };
  const { main, second, third, p521, edwards } = keys;
  const plain = ({ publicJwk: { kid: _, alg: __, use: ___, ...numbers } }: SigningKey) => numbers;
  const routes: Record<string, RequestListener> = {
    "/choosy": answering(jwk, () => ({ keys: [main.publicJwk] })),
    "/marked": answering(json, () => ({ keys: [main.publicJwk] }), mark),
    "/marked-twice": answering(json, () => ({ keys: [main.publicJwk] }), mark + mark),
    "/untyped": answering("*/*", () => ({ keys: [main.publicJwk] })),
    "/broken-beside": answering(json, () => ({
      keys: [
        ...brokenKeys(),
        main.publicJwk,
        { ...main.publicJwk, kid: "twin", y: main.publicJwk.x },
        named("twin"),
      ],
    })),
    "/broken-alone": answering(json, () => ({ keys: brokenKeys() })),
    "/without-names": answering(json, () => ({ keys: [plain(main), plain(second), plain(third)] })),
    "/twins": answering(json, () => ({ keys: [named("twin"), named("twin", second)] })),
    "/crowd": answering(json, () => ({
      keys: [...Array.from({ length: limits.keysTried }, () => plain(second)), main.publicJwk],
    })),
    "/modern": answering(json, () => ({ keys: [p521.publicJwk, { ...edwards.publicJwk, alg: "EdDSA" }] })),
    "/newest": answering(json, () => ({ keys: [plain(p521), { ...edwards.publicJwk, alg: "Ed25519" }] })),
    "/cluster/.well-known/openid-configuration": answering(
      json,
      () => ({ issuer: `${keyServer.url}/cluster`, jwks_uri: `${keyServer.url}/choosy` }),
      mark,
    ),
  };
  const named = (kid: string, key = main) => ({ ...key.publicJwk, kid });
  keyServer = await startKeyServer([], 0, { routes });
  const remote = Object.keys(routes)
    .filter((path) => !path.includes("."))
    .map((path) => ({ issuer: nameOf(path), audience, jwks_uri: `${keyServer.url}${path}`, algorithms }));
  const issuers = [
    ...remote,
    { issuer: `${keyServer.url}/cluster`, audience, discovery: true, algorithms: ["ES256"] },
    {
      issuer: nameOf("/static"),
      audience,
      jwks: { keys: [{ kty: "PQC" }, plain(second), plain(main), plain(edwards)] },
      algorithms: ["ES256", "EdDSA"],
    },
    ...(["utf8", "base64", "base64url"] as const).map((encoding) => ({
      issuer: nameOf(`/${encoding}`),
      audience,
      secret: `SECRET_${encoding.toUpperCase()}`,
      ...(encoding === "utf8" ? {} : { secret_encoding: encoding }),
      algorithms: ["HS256"],
    })),
  ];
  const grants = issuers.map(({ issuer }) => ({ issuer, account: "analyst", allow: ["query:*"] }));
  const secrets = {
    SECRET_UTF8: secretBytes.toString("base64"),
    SECRET_BASE64: secretBytes.toString("base64"),
    SECRET_BASE64URL: secretBytes.toString("base64url"),
  };
  gateway = await startGateway({ issuers, grants, secrets });
});
afterAll(async () => {
  await gateway?.close();
  await keyServer?.stop();
});

async function expectGood(token: string): Promise<void> {
  const { status, body } = await ask(gateway, token);
  expect(status, JSON.stringify(body)).toBe(200);
}

async function expectRefused(token: string): Promise<void> {
  expectProblem(await ask(gateway, token), 401, "token_invalid");
}

describe("a fetch", () => {
  const everything = "application/jwk-set+json, application/json, */*";

  test.each(["/choosy", "/untyped", "/marked"])("gets the keys of an issuer that is %s", async (path) => {
    await expectGood(await tokenOf(path, keys.main));
    expect(accepted.get(path)).toEqual([everything]);
  });

  test("gets metadata and keys as Kubernetes gives them, also after a byte order mark", async () => {
    const claims = { iss: `${keyServer.url}/cluster`, aud: audience, sub: "someone" };
    await expectGood(await mint(keys.main, claims));
    expect(accepted.get("/cluster/.well-known/openid-configuration")).toEqual([everything]);
  });

  test("takes one byte order mark, which is none the second time", async () => {
    const answer = await ask(gateway, await tokenOf("/marked-twice", keys.main));
    expectProblem(answer, 503, "keys_unavailable");
  });
});

describe("algorithms on this runtime", () => {
  test.each(["/modern", "/newest"])("ES512, and Ed25519 with both of its names: %s", async (path) => {
    await expectGood(await tokenOf(path, keys.p521));
    for (const alg of ["EdDSA", "Ed25519"]) {
      await expectGood(await tokenOf(path, keys.edwards, { alg }));
      const kid = String(keys.edwards.publicJwk.kid);
      await expectGood(await tokenOf(path, keys.edwards, { alg, kid }));
    }
  });

  test.each(["EdDSA", "Ed25519"])(
    "one name in the policy accepts %s, from a key without alg",
    async (alg) => {
      await expectGood(await tokenOf("/static", keys.edwards, { alg }));
    },
  );

  test("an algorithm's name is compared to the letter", async () => {
    const [, claims, signature] = (await tokenOf("/modern", keys.edwards)).split(".");
    for (const alg of ["ed25519", "EDDSA", "Ed25519 ", "Ed448", "ES512", "HS256", "none"]) {
      const header = Buffer.from(JSON.stringify({ alg })).toString("base64url");
      await expectRefused(`${header}.${claims}.${signature}`);
    }
  });
});

describe("several keys that fit a token", () => {
  test("without a kid are tried: each key's tokens are good, a stranger's are not", async () => {
    for (const path of ["/without-names", "/static"]) {
      for (const key of [keys.main, keys.second]) await expectGood(await tokenOf(path, key));
      await expectRefused(await tokenOf(path, keys.stranger));
    }
    await expectGood(await tokenOf("/without-names", keys.third));
    await expectRefused(await tokenOf("/without-names", keys.main, { kid: "unknown" }));
  });

  test("with one kid are tried", async () => {
    for (const key of [keys.main, keys.second]) {
      await expectGood(await tokenOf("/twins", key, { kid: "twin" }));
    }
    await expectRefused(await tokenOf("/twins", keys.third, { kid: "twin" }));
  });

  test("are tried up to the limit; a kid finds the others", async () => {
    await expectGood(await tokenOf("/crowd", keys.second));
    await expectRefused(await tokenOf("/crowd", keys.main));
    await expectGood(await tokenOf("/crowd", keys.main, { kid: String(keys.main.publicJwk.kid) }));
  });
});

describe("broken and weak keys", () => {
  test("broken and weak keys of a set disturb no other, and their tokens are 401", async () => {
    const path = "/broken-beside";
    const good = String(keys.main.publicJwk.kid);
    await expectGood(await tokenOf(path, keys.main, { kid: good }));
    await expectGood(await tokenOf(path, keys.main));
    await expectGood(await tokenOf(path, keys.main, { kid: "twin" }));
    for (const kid of brokenKeys().map((key) => (key as { kid?: string } | null)?.kid)) {
      for (const key of [keys.main, keys.rsa, keys.p521, keys.edwards]) {
        await expectRefused(await tokenOf(path, key, { kid: kid ?? "none" }));
      }
    }
    for (const key of [keys.rsa, keys.p521, keys.edwards]) await expectRefused(await tokenOf(path, key));
    await expectGood(await tokenOf(path, keys.main, { kid: good }));
    const line = logged(gateway, "keys_refused").find(({ issuer }) => issuer === nameOf(path));
    const exponent = "is an RSA key with another exponent than 3, 17 and 65537 (e)";
    const broken = "cannot be imported: its numbers are no key";
    expect(line?.reasons).toEqual([
      `keys[0]: ${broken}`,
      `keys[1]: ${broken}`,
      `keys[2]: ${broken}`,
      "keys[3]: is no point of its curve (x, y)",
      `keys[4]: ${exponent}`,
      `keys[5]: ${exponent}`,
      "keys[6]: is an RSA key without a modulus (n)",
      "keys[7]: is an Ed25519 key that anybody could sign for (x)",
      "keys[11]: is not a JWK",
      "keys[12]: is not a JWK",
      `keys[14]: ${broken}`,
      "keys[8]: is neither RSA nor EC nor OKP",
      "keys[9]: is not for signatures (use)",
      "keys[10]: is not for an algorithm of tokens (alg)",
    ]);
  });

  test("a signature that needs no private key fits none of them", async () => {
    const claims = { iss: nameOf("/broken-beside"), aud: audience, sub: "x", exp: 4_000_000_000 };
    const parts = (header: object) =>
      [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    // The neutral point verifies this for every text; with e = 1 the padded hash is its own signature.
    const neutral = Buffer.from([1, ...Buffer.alloc(63)]).toString("base64url");
    for (const alg of ["EdDSA", "Ed25519"]) {
      await expectRefused(`${parts({ alg, kid: "neutral" })}.${neutral}`);
      await expectRefused(`${parts({ alg })}.${neutral}`);
    }
    for (const header of [{ alg: "RS256", kid: "one" }, { alg: "RS256" }]) {
      const input = parts(header);
      const info = "3031300d060960864801650304020105000420";
      const hash = createHash("sha256").update(input).digest("hex");
      const padding = "ff".repeat(256 - 3 - info.length / 2 - 32);
      const padded = Buffer.from(`0001${padding}00${info}${hash}`, "hex");
      expect(padded).toHaveLength(256);
      await expectRefused(`${input}.${padded.toString("base64url")}`);
    }
  });

  test("alone are a failed fetch, and the log says why", async () => {
    const path = "/broken-alone";
    expectProblem(await ask(gateway, await tokenOf(path, keys.main)), 503, "keys_unavailable");
    const line = logged(gateway, "keys_unavailable").find(({ issuer }) => issuer === nameOf(path));
    expect(line?.reason).toBe("the set has no key that can be used");
  });
});

describe("a shared secret", () => {
  const signed = (path: string, secret: Buffer) => {
    const claims = { iss: nameOf(path), aud: audience, sub: "x", exp: Math.floor(Date.now() / 1000) + 300 };
    const input = [{ alg: "HS256" }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
  };
  const text = Buffer.from(secretBytes.toString("base64"));
  const urlText = Buffer.from(secretBytes.toString("base64url"));

  test.each([
    ["/utf8", text, secretBytes],
    ["/base64", secretBytes, text],
    ["/base64url", secretBytes, urlText],
  ])("%s: its bytes sign, and not the other reading of its text", async (path, right, wrong) => {
    await expectGood(signed(path, right));
    await expectRefused(signed(path, wrong));
    await expectRefused(signed(path, right.subarray(1)));
  });
});
