import { describe, expect, test } from "vitest";
import type { Application } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/config.ts";
import { limits } from "../../../src/limits.ts";
import { change, good, mistakesOf } from "./example.ts";

const query: Application["queries"][number] = {
  name: "orders",
  summary: "",
  description: "",
  sql: "SELECT 1",
  kind: "read",
  verb: "SELECT",
  returning: false,
  parameters: [],
  order: [],
  claims: [],
  result: "many",
  tags: [],
  examples: [],
};

function application(parts: Record<string, unknown> = {}): Application {
  return {
    environment: "production",
    generation: "g1",
    viewer: "0123456789abcdef",
    policy: change(good(), parts),
    queries: [query],
  };
}

const rustls = { "cluster.link": "rustls", "cluster.trust": "bundle", "cluster.ca": "ca/cluster.pem" };

const bindings = { ENVIRONMENT: "production", READER_PASSWORD: "hunter2" };

/** Parts of a policy whose issuer uses a shared secret. */
const hs256 = {
  "issuers[0].jwks_uri": undefined,
  "issuers[0].secret": "JWT_SECRET",
  "issuers[0].algorithms": ["HS256"],
};

describe("a valid bundle with its bindings", () => {
  const config = loadConfig(application(), bindings);

  test("has every part", () => {
    expect(config).toMatchObject({ environment: "production", generation: "g1" });
    expect(config.cluster.hosts).toEqual([{ hostname: "db.example.com", port: 3306 }]);
    expect([...config.queries]).toEqual([["orders", query]]);
    expect(config.grants).toHaveLength(1);
  });

  test("has the documentation page, if its files are bound", () => {
    const issuer = "https://id.example.com/";
    const login = { issuer, clientId: "docs", scope: undefined };
    const withDocs = application({ docs: { issuer, client_id: "docs" } });
    expect(config.docs).toBeUndefined();
    expect(loadConfig(withDocs, { ...bindings, ASSETS: {} }).docs).toEqual({
      viewer: withDocs.viewer,
      login,
    });
    expect(loadConfig(application({ docs: {} }), { ...bindings, ASSETS: {} }).docs).toMatchObject({
      login: undefined,
    });
    expect(mistakesOf(() => loadConfig(withDocs, bindings))).toEqual([
      "docs: the binding ASSETS is missing, which has the files of the page: use the configuration that tidegate build writes",
    ]);
  });

  test("has the bundled CAs, or none", () => {
    const authorities = [{ pem: "PEM", subject: "CN=CA", notBefore: "2026-01-01", notAfter: "2027-01-01" }];
    expect(config.authorities).toEqual([]);
    expect(loadConfig({ ...application(rustls), authorities }, bindings).authorities).toBe(authorities);
    expect(mistakesOf(() => loadConfig(application(rustls), bindings))).toEqual([
      "cluster.ca: ca/cluster.pem was not bundled: build and deploy again",
    ]);
  });

  test("has the accounts with their passwords", () => {
    expect([...config.accounts.keys()]).toEqual(["reader"]);
    expect(config.accounts.get("reader")).toEqual({
      name: "reader",
      user: "gw_reader",
      readsByPrivilege: false,
      writes: false,
      longestDeadlineMs: 15_000,
      credential: { password: "hunter2" },
      cleartext: false,
      time_zone: "+00:00",
      lifetime_s: limits.connectionLifetimeSeconds,
      idle_s: limits.connectionIdleSeconds,
      queue_length: limits.queueLength,
      queue_wait_ms: limits.queueWaitMs,
      restore: "when_needed",
      deadline_ms: limits.statementDeadlineMs,
      max_bytes: limits.answerBytes,
      shards: 1,
      connections_per_shard: 5,
    });
  });

  test("marks the accounts whose TiDB login must prove that it only reads", () => {
    const editor = { user: "gw_editor", password: "READER_PASSWORD" };
    const grants = [...good().grants, { ...good().grants[0], account: "editor", allow: ["sql:write"] }];
    const parts = { "accounts.editor": editor, grants, "cluster.engine": "tidb" };
    const { accounts } = loadConfig(application(parts), bindings);
    expect([...accounts.values()].map((one) => [one.name, one.readsByPrivilege])).toEqual([
      ["reader", true],
      ["editor", false],
    ]);
    // With a query that writes, query:* is a permission to write. The account's other grant only reads.
    const writing: Application = {
      ...application({ ...parts, "grants[1].account": "reader", "grants[1].allow": ["query:*"] }),
      queries: [{ ...query, kind: "write" }],
    };
    const readers = change(writing.policy as ReturnType<typeof good>, { "grants[0].allow": ["sql:read"] });
    expect(mistakesOf(() => loadConfig({ ...writing, policy: readers }, bindings))).toEqual([
      expect.stringMatching(/^grants\[0\]\.account: only reads, and other grants write with "reader"; TiDB/),
    ]);
  });

  test("has each issuer with the source of its keys", () => {
    expect(config.issuers).toEqual([
      {
        issuer: "https://id.example.com/",
        audiences: ["tidegate"],
        audienceClaim: "aud",
        algorithms: ["ES256"],
        keys: { kind: "remote", uri: "https://id.example.com/jwks.json" },
        typ: undefined,
        maxLifetimeSeconds: undefined,
        requiredClaims: [],
        authorizedParties: [],
        dpop: "off",
        jsonClaims: [],
        maxTokenBytes: 8192,
      },
    ]);
    const jwks = { keys: [{ kty: "EC", crv: "P-256", x: "AA", y: "AA" }] };
    const parts = { "issuers[0].jwks_uri": undefined, "issuers[0].jwks": jwks };
    expect(loadConfig(application(parts), bindings).issuers[0]?.keys).toEqual({ kind: "static", jwks });
  });

  test.each([
    ["https://id.example.com", "https://id.example.com/.well-known/openid-configuration"],
    ["https://id.example.com/", "https://id.example.com/.well-known/openid-configuration"],
    ["https://id.example.com/a", "https://id.example.com/a/.well-known/openid-configuration"],
    ["https://id.example.com/a/", "https://id.example.com/a/.well-known/openid-configuration"],
  ])("finds the metadata of %s", (issuer, uri) => {
    const parts = {
      "issuers[0].issuer": issuer,
      "issuers[0].jwks_uri": undefined,
      "issuers[0].discovery": true,
      grants: [],
    };
    expect(loadConfig(application(parts), bindings).issuers[0]?.keys).toEqual({ kind: "discovery", uri });
  });

  test("has each issuer's rules for tokens", () => {
    const parts = {
      "issuers[0].typ": "at+jwt",
      "issuers[0].max_lifetime_s": 600,
      "issuers[0].required_claims": ["jti"],
      "issuers[0].authorized_parties": ["web"],
      "issuers[0].dpop": "required",
      "issuers[0].audience": ["tidegate", "https://gw.example.com"],
      "issuers[0].audience_claim": "client_id",
      "issuers[0].json_claims": ["https://hasura.io/jwt/claims"],
      "issuers[0].max_token_bytes": 65536,
    };
    expect(loadConfig(application(parts), bindings).issuers[0]).toMatchObject({
      typ: "at+jwt",
      maxLifetimeSeconds: 600,
      requiredClaims: ["jti"],
      authorizedParties: ["web"],
      dpop: "required",
      audiences: ["tidegate", "https://gw.example.com"],
      audienceClaim: "client_id",
      jsonClaims: ["https://hasura.io/jwt/claims"],
      maxTokenBytes: 65536,
    });
  });

  test("is frozen", () => {
    expect(Object.isFrozen(config)).toBe(true);
  });

  test("finds no account or query by the name of an inherited member", () => {
    for (const name of ["constructor", "__proto__", "toString"]) {
      expect(config.accounts.get(name)).toBeUndefined();
      expect(config.queries.get(name)).toBeUndefined();
    }
  });
});

describe("a secret", () => {
  const missing =
    'the secret READER_PASSWORD is missing: put it with "wrangler secret put READER_PASSWORD --env production"';

  test.each([
    ["is not bound", { ENVIRONMENT: "production" }],
    ["is empty", { ...bindings, READER_PASSWORD: "" }],
    ["is not a text", { ...bindings, READER_PASSWORD: { get: "it" } }],
    ["is a number", { ...bindings, READER_PASSWORD: 1 }],
  ])("that %s is missing", (_, given) => {
    expect(mistakesOf(() => loadConfig(application(), given))).toEqual([missing]);
  });

  test("with the name of an inherited member is missing", () => {
    const parts = { "accounts.reader.password": "CONSTRUCTOR" };
    expect(mistakesOf(() => loadConfig(application(parts), bindings))).toHaveLength(1);
  });

  test.each([
    ["31 bytes", "x".repeat(31), false],
    ["32 bytes", "x".repeat(32), true],
    ["16 letters of two bytes", "é".repeat(16), true],
    ["31 letters of which one has two bytes", `${"x".repeat(30)}é`, true],
  ])("for HS256 of %s", (_, secret, accepted) => {
    const load = () => loadConfig(application(hs256), { ...bindings, JWT_SECRET: secret });
    const mistake = "the secret JWT_SECRET is shorter than 32 bytes, too short for HS256";
    expect(mistakesOf(load)).toEqual(accepted ? [] : [mistake]);
    if (accepted)
      expect(load().issuers[0]?.keys).toEqual({ kind: "secret", secret: new TextEncoder().encode(secret) });
  });

  // With 0xfb and 0xff both alphabets differ in these letters.
  const key = Buffer.from("fbff".repeat(16), "hex");
  const url = "-_".repeat(21);
  const form = { base64: "canonical base64 (RFC 4648 §4", base64url: "canonical base64url (RFC 7515 §2" };
  const short = "is shorter than 32 bytes, too short for HS256";
  const encoded: ["base64" | "base64url", string, string, string | undefined][] = [
    ["base64", "of 32 bytes", key.toString("base64"), undefined],
    ["base64url", "of 32 bytes", key.toString("base64url"), undefined],
    ["base64", "of 31 bytes", key.subarray(1).toString("base64"), short],
    ["base64url", "of 31 bytes in 42 letters", key.subarray(1).toString("base64url"), short],
    ["base64", "in the other alphabet", `${url}-8=`, form.base64],
    ["base64url", "in the other alphabet", `${url}+8`.replaceAll("-_", "+/"), form.base64url],
    ["base64", "without padding", key.toString("base64").replace("=", ""), form.base64],
    ["base64url", "with padding", `${key.toString("base64url")}=`, form.base64url],
    ["base64", "with bits that say nothing", key.toString("base64").replace("8=", "9="), form.base64],
    ["base64url", "with bits that say nothing", key.toString("base64url").replace(/8$/, "9"), form.base64url],
    ["base64", "with a line break", `${key.toString("base64")}\n`, form.base64],
    ["base64url", "with a space", ` ${key.toString("base64url")}`, form.base64url],
    ["base64", "in lines", key.toString("base64").replace(/(.{20})/, "$1\n"), form.base64],
    ["base64", "that is a sentence", "a secret that is more than 32 bytes long", form.base64],
    ["base64url", "in hex with a prefix", `0x${key.toString("hex")}!`, form.base64url],
  ];
  test.each(encoded)("in %s %s", (encoding, _, secret, mistake) => {
    const parts = { ...hs256, "issuers[0].secret_encoding": encoding };
    const load = () => loadConfig(application(parts), { ...bindings, JWT_SECRET: secret });
    const found = mistakesOf(load);
    if (mistake === undefined) {
      expect(found).toEqual([]);
      const keys = load().issuers[0]?.keys;
      expect(keys?.kind === "secret" && Buffer.from(keys.secret).equals(key)).toBe(true);
      return;
    }
    expect(found).toEqual([expect.stringContaining(mistake)]);
    expect(found[0]).toMatch(/^the secret JWT_SECRET /);
    if (mistake !== short) expect(found[0]).toContain(`secret_encoding = "${encoding}"`);
    // No part of a secret reaches a log.
    for (const part of secret.match(/.{5}/g) ?? []) expect(found[0]).not.toContain(part);
  });

  test("one name of Ed25519 in algorithms accepts both (RFC 9864)", () => {
    const listed = (algorithms: string[]) =>
      loadConfig(application({ "issuers[0].algorithms": algorithms }), bindings).issuers[0]?.algorithms;
    expect(listed(["RS256", "EdDSA"])).toEqual(["RS256", "EdDSA", "Ed25519"]);
    expect(listed(["Ed25519"])).toEqual(["EdDSA", "Ed25519"]);
    expect(listed(["EdDSA", "Ed25519"])).toEqual(["EdDSA", "Ed25519"]);
    expect(listed(["ES512"])).toEqual(["ES512"]);
  });

  describe("that makes an account's tokens", () => {
    const parts = {
      "cluster.engine": "tidb",
      "accounts.reader": { user: "gw_reader", token: { key: "TOKEN_KEY", issuer: "tidegate" } },
    };
    const load = (key: string) => loadConfig(application(parts), { ...bindings, TOKEN_KEY: key });

    test("is a private key", () => {
      const key = JSON.stringify({ kty: "RSA", kid: "1", n: "n", e: "e", d: "d" });
      expect(load(key).accounts.get("reader")?.credential).toEqual({
        token: { key, algorithm: "RS256", issuer: "tidegate" },
      });
    });

    test.each([
      ["is a password", "hunter2"],
      ["is a public key", JSON.stringify({ kty: "RSA", kid: "1", n: "n", e: "e" })],
      ["has no kid", JSON.stringify({ kty: "RSA", n: "n", e: "e", d: "d" })],
      ["is null", "null"],
      ["is a text in JSON", '"hunter2"'],
    ])("and %s is refused, without a part of it", (_, key) => {
      expect(mistakesOf(() => load(key))).toEqual([
        "the secret TOKEN_KEY must be a private key as JWK (RFC 7517) with a kid",
      ]);
    });

    test.each([
      ["of another type", { kty: "EC", crv: "P-256" }],
      ["of a symmetric type", { kty: "oct", k: "k" }],
      ["for another algorithm", { kty: "RSA", alg: "PS256" }],
    ])("and one %s is refused", (_, parts) => {
      const key = JSON.stringify({ kid: "1", d: "d", ...parts });
      expect(mistakesOf(() => load(key))).toEqual([
        "the secret TOKEN_KEY is no key for RS256: its kty, crv or alg says another algorithm; name that one in the account's token",
      ]);
    });
  });

  test("for HS256 that is missing is reported once, as missing", () => {
    expect(mistakesOf(() => loadConfig(application(hs256), bindings))).toEqual([
      'the secret JWT_SECRET is missing: put it with "wrangler secret put JWT_SECRET --env production"',
    ]);
  });

  test("is never repeated in a mistake", () => {
    const given = { ...bindings, ENVIRONMENT: "staging", JWT_SECRET: "too short to sign" };
    const found = mistakesOf(() => loadConfig(application(hs256), given)).join();
    expect(found).not.toMatch(/hunter2|too short to sign/);
  });
});

describe("another environment than the bundle's", () => {
  test.each([
    ["staging", 'ENVIRONMENT is "staging"'],
    [undefined, 'ENVIRONMENT is "undefined"'],
    ["Production", 'ENVIRONMENT is "Production"'],
  ])("%j", (ENVIRONMENT, words) => {
    const found = mistakesOf(() => loadConfig(application(), { ...bindings, ENVIRONMENT }));
    expect(found).toEqual([
      `${words} but the bundle was built for "production": start and deploy with --env NAME`,
    ]);
  });
});

describe("several mistakes", () => {
  test("of the bindings are reported at once", () => {
    const found = mistakesOf(() => loadConfig(application(hs256), { JWT_SECRET: "short" }));
    expect(found).toHaveLength(3);
  });

  test("of the policy are reported before the bindings are checked", () => {
    const parts = { "cluster.engine": "oracle", "grants[0].account": "writer" };
    const found = mistakesOf(() => loadConfig(application(parts), {}));
    expect(found).toHaveLength(2);
  });
});
