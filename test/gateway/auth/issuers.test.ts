// Runs on mysql only: the engine has no part in what it tests.
import type { RequestListener } from "node:http";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { KeyServer, SigningKey } from "../../../servers/issuer/issuer.ts";
import { createSigningKey, mint, startKeyServer } from "../../../servers/issuer/issuer.ts";
import { ask, logged } from "../support/ask.ts";
import type { Gateway } from "../support/harness.ts";
import { audience, expectProblem, startGateway } from "../support/harness.ts";

/**
 * The harness fetches for the gateway with Node's fetch, which follows redirects by itself. With this
 * change redirects reach the gateway, so the test sees how the gateway handles them.
 */
function showRedirects(): void {
  const real = globalThis.fetch;
  vi.stubGlobal("fetch", (url: string | URL, init: RequestInit = {}) =>
    String(url).endsWith("/redirect")
      ? real(url, { headers: init.headers ?? {}, redirect: "manual" })
      : real(url, init),
  );
}

describe("issuers of every behaviour side by side", () => {
  let key: SigningKey;
  let keyServer: KeyServer;
  let foreign: KeyServer;
  let gateway: Gateway;
  let redirected = 0;

  const json =
    (value: () => unknown): RequestListener =>
    (_, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value()));
    };
  /** A valid set. An unused member fills it up to this length. */
  const padded = (bytes: number) => () => {
    const set = { keys: [key.publicJwk], pad: "" };
    return { ...set, pad: "x".repeat(bytes - JSON.stringify(set).length) };
  };

  /** How a key server answers at each path. The issuer with the path's name has its keys there. */
  const routes: Record<string, RequestListener> = {
    "/redirect": (_, response) => response.writeHead(302, { location: "/redirected" }).end(),
    "/redirected": (request, response) => {
      redirected += 1;
      json(() => ({ keys: [key.publicJwk] }))(request, response);
    },
    "/large": json(padded(64 * 1024 + 1)),
    "/largest": json(padded(64 * 1024)),
    "/broken": (_, response) => response.writeHead(500).end("stack trace"),
    "/gone": (_, response) => response.writeHead(404).end(),
    "/garbage": (_, response) => response.writeHead(200).end("<html>"),
    "/no-set": json(() => [key.publicJwk]),
    "/cut": (_, response) => {
      response.writeHead(200, { "content-length": "1000" }).write('{"keys":[');
      setTimeout(() => response.destroy(), 50);
    },
    "/hanging": (_, response) => response.writeHead(200).write('{"keys":['),
    "/mixed": json(() => ({
      keys: [
        { kty: "oct", k: "AA" },
        { ...key.publicJwk, d: "AA", kid: "private" },
        { kty: "RSA", n: Buffer.alloc(128, 0xff).toString("base64url"), e: "AQAB", kid: "short" },
        { ...key.publicJwk, use: "enc", kid: "enc" },
        key.publicJwk,
      ],
    })),
    "/tenant/.well-known/openid-configuration": json(() => ({
      issuer: `${keyServer.url}/tenant`,
      jwks_uri: keyServer.jwksUri,
    })),
    "/astray/.well-known/openid-configuration": json(() => ({
      issuer: `${keyServer.url}/astray`,
      jwks_uri: "http://keys.example.com/jwks.json",
    })),
    "/empty/.well-known/openid-configuration": json(() => ({ issuer: `${keyServer.url}/empty` })),
  };

  const nameOf = (path: string) => `http://issuer.test${path}`;
  const strict = "http://issuer.test/strict";
  const discovered = (issuer: string) => ({ issuer, audience, discovery: true, algorithms: ["ES256"] });

  beforeAll(async () => {
    showRedirects();
    key = await createSigningKey();
    keyServer = await startKeyServer([key.publicJwk], 0, { routes });
    foreign = await startKeyServer([key.publicJwk], 0, { issuer: keyServer.url });
    const all = [
      ...Object.keys(routes)
        .filter((path) => !path.includes("."))
        .map((path) => ({
          issuer: nameOf(path),
          audience,
          jwks_uri: `${keyServer.url}${path}`,
          algorithms: ["ES256"],
        })),
      ...["", "/tenant", "/tenant/", "/astray", "/empty"].map((path) =>
        discovered(`${keyServer.url}${path}`),
      ),
      discovered(foreign.url),
      {
        issuer: strict,
        audience,
        jwks: { keys: [key.publicJwk] },
        algorithms: ["ES256"],
        typ: "at+jwt",
        max_lifetime_s: 600,
        required_claims: ["jti", "auth_time"],
        authorized_parties: ["web"],
      },
    ];
    const grants = all.map(({ issuer }) => ({ issuer, account: "analyst", allow: ["query:*"] }));
    gateway = await startGateway({ issuers: all, grants });
  });
  afterAll(async () => {
    await gateway?.close();
    await Promise.all([keyServer?.stop(), foreign?.stop()]);
    vi.unstubAllGlobals();
  });

  const tokenOf = (iss: string) => mint(key, { iss, aud: audience, sub: "someone" });

  test("keys that cannot be fetched are 503, and the log has the reason", async () => {
    const reasons: [string, RegExp][] = [
      [nameOf("/redirect"), /^status 302$/],
      [nameOf("/large"), /^more than 65536 bytes$/],
      [nameOf("/broken"), /^status 500$/],
      [nameOf("/gone"), /^status 404$/],
      [nameOf("/garbage"), /JSON/],
      [nameOf("/no-set"), /^not a JWK set$/],
      [nameOf("/cut"), /./],
      [nameOf("/hanging"), /timeout/i],
      [`${keyServer.url}/astray`, /^the metadata's jwks_uri is not an https URL$/],
      [`${keyServer.url}/empty`, /^the metadata's jwks_uri is not an https URL$/],
      [foreign.url, /^the metadata are another issuer's$/],
    ];
    const started = Date.now();
    const answers = reasons.map(async ([issuer]) => ask(gateway, await tokenOf(issuer)));
    // While those requests wait for 5 s, the others are served.
    expect((await ask(gateway, await tokenOf(nameOf("/largest")))).status).toBe(200);
    expect(Date.now() - started).toBeLessThan(4_000);
    for (const [i, answer] of (await Promise.all(answers)).entries()) {
      const [issuer, reason] = reasons[i] as [string, RegExp];
      expectProblem(answer, 503, "keys_unavailable");
      expect(answer.body.retryable).toBe(true);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(JSON.stringify(answer.body)).not.toMatch(/status 500|stack trace|127\.0\.0\.1/);
      const line = logged(gateway, "keys_unavailable").find((one) => one.issuer === issuer);
      expect(line?.reason, issuer).toMatch(reason);
    }
    expect(Date.now() - started).toBeLessThan(8_000);
    expect(redirected).toBe(0);
    expect(foreign.fetches).toBe(0);
  });

  test.each(["", "/tenant"])("keys are found by the metadata of %j", async (path) => {
    expect((await ask(gateway, await tokenOf(`${keyServer.url}${path}`))).status).toBe(200);
  });

  test("metadata must name the issuer to the letter: a slash at the end is another", async () => {
    const answer = await ask(gateway, await tokenOf(`${keyServer.url}/tenant/`));
    expectProblem(answer, 503, "keys_unavailable");
  });

  test("keys in a set that must not be used are left out, and the log says why", async () => {
    const iss = nameOf("/mixed");
    expect((await ask(gateway, await tokenOf(iss))).status).toBe(200);
    for (const kid of ["private", "short", "enc"]) {
      const token = await mint(key, { iss, aud: audience, sub: "someone" }, { kid });
      expectProblem(await ask(gateway, token), 401, "token_invalid");
    }
    const line = logged(gateway, "keys_refused").find(({ issuer }) => issuer === iss);
    expect(line?.reasons).toEqual([
      "keys[0]: is a private or symmetric key",
      "keys[1]: is a private or symmetric key",
      "keys[2]: is an RSA key under 2048 bits",
      "keys[3]: is not for signatures (use)",
    ]);
  });

  const good = { sub: "someone", jti: "1", auth_time: 1, client_id: "web" };
  const access = { typ: "at+jwt", expires: "5m" };
  const table: [string, Record<string, unknown>, { typ?: string; expires?: string }, number, RegExp?][] = [
    ["what it demands", good, access, 200],
    ["the typ in full", good, { ...access, typ: "application/at+jwt" }, 200],
    ["another typ", good, { ...access, typ: "JWT" }, 401, /typ/],
    ["too long a life", good, { ...access, expires: "11m" }, 401, /longer/],
    ["no claim that is required", { ...good, auth_time: undefined }, access, 401, /auth_time/],
    ["no client", { ...good, client_id: undefined }, access, 401, /client/],
    ["another client", { ...good, client_id: "other" }, access, 401, /client/],
    ["two clients", { ...good, azp: "other" }, access, 401, /client/],
  ];
  test.each(table)("a strict issuer, %s", async (_, claims, options, status, detail) => {
    const token = await mint(key, { iss: strict, aud: audience, ...claims }, options);
    const answer = await ask(gateway, token);
    if (status === 200) expect(answer.status).toBe(200);
    else {
      expectProblem(answer, status, "token_invalid");
      expect(answer.body.detail).toMatch(detail as RegExp);
    }
  });
});
