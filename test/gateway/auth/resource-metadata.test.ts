// Runs on mariadb only: the engine has no part in what it tests.
import { request } from "node:http";
import { json } from "node:stream/consumers";
import { calculateJwkThumbprint } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mint } from "../../../servers/issuer/issuer.ts";
import { lineOf } from "../support/ask.ts";
import type { Gateway } from "../support/harness.ts";
import { audience, expectProblem, issuers, read, startGateway } from "../support/harness.ts";

/** `GET /.well-known/oauth-protected-resource` (RFC 9728), and the challenges that name it. */

const path = "/.well-known/oauth-protected-resource";
const page = "https://any.example";
const listed = "https://app.example.com";
const login = "http://127.0.0.1:1";

let plain: Gateway;
/** Its database cannot be reached. */
let full: Gateway;
beforeAll(async () => {
  plain = await startGateway();
  const known = [
    { issuer: login, jwks_uri: `${login}/keys` },
    { issuer: "https://issuer.example/tenant/", jwks_uri: "https://issuer.example/keys" },
    { issuer: issuers.fixed, jwks: { keys: [plain.key.publicJwk] } },
  ].map((issuer) => ({ ...issuer, audience, algorithms: ["ES256"], dpop: "required" }));
  full = await startGateway({
    cluster: { hosts: ["localhost:1"] },
    issuers: known,
    grants: [{ issuer: login, scopes: ["reports"], account: "analyst", allow: ["query:*"] }],
    docs: {},
    cors: { origins: [listed] },
  });
});
afterAll(async () => {
  await plain?.close();
  await full?.close();
});

describe("the metadata", () => {
  test("need no token, and may be kept for a short time by every cache", async () => {
    const answer = await read(await plain.fetch(path));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("cache-control")).toBe("public, max-age=300");
    // The issuers of this gateway are no addresses that a client may ask.
    expect(answer.body).toEqual({ resource: plain.url.origin, bearer_methods_supported: ["header"] });
    expect(await lineOf(plain, answer)).toMatchObject({ route: path, status: 200 });
  });

  test("name what the policy has, without the database", async () => {
    const answer = await read(await full.fetch(path));
    expect(answer.body).toEqual({
      resource: full.url.origin,
      authorization_servers: [login, "https://issuer.example/tenant/"],
      scopes_supported: ["reports"],
      bearer_methods_supported: ["header"],
      dpop_signing_alg_values_supported: expect.arrayContaining(["ES256", "EdDSA"]),
      dpop_bound_access_tokens_required: true,
      resource_documentation: `${full.url.origin}/docs`,
    });
  });

  test("are those of the origin that the caller asked", async () => {
    const headers = { host: "Gateway.Example.com:8080" };
    const body = await new Promise((resolve, reject) => {
      const sent = request(`${full.url.origin}${path}?a=b`, { headers }, (response) =>
        resolve(json(response)),
      );
      sent.on("error", reject).end();
    });
    const resource = "http://gateway.example.com:8080";
    expect(body).toMatchObject({ resource, resource_documentation: `${resource}/docs` });
  });

  test("have a HEAD, which is GET without the body", async () => {
    const [got, head] = [await plain.fetch(path), await plain.fetch(path, { method: "HEAD" })];
    expect(head.status).toBe(200);
    for (const name of ["content-type", "cache-control", "access-control-allow-origin"])
      expect(head.headers.get(name)).toBe(got.headers.get(name));
    expect(await head.text()).toBe("");
    await got.text();
  });

  test.each(["POST", "PUT", "DELETE"])("%s is 405", async (method) => {
    const answer = await read(await plain.fetch(path, { method }));
    expectProblem(answer, 405, "method_not_allowed");
    expect(answer.headers.get("allow")).toBe("GET, HEAD");
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
  });

  test.each([`${path}/`, `${path}/v1/sql`, "/xwell-known/oauth-protected-resource", "/.well-known"])(
    "%s is not there, and not open",
    async (other) => {
      const answer = await read(await plain.fetch(other, { headers: { origin: page } }));
      expectProblem(answer, 404, "route_unknown");
      expect(answer.headers.has("access-control-allow-origin")).toBe(false);
    },
  );
});

describe("a page of any origin", () => {
  const gateways: [string, () => Gateway][] = [
    ["without [cors]", () => plain],
    ["with [cors] for another origin", () => full],
  ];
  describe.each(gateways)("%s", (_, gateway) => {
    test.each([page, listed, "null"])("reads them: %s", async (origin) => {
      const { headers } = await read(await gateway().fetch(path, { headers: { origin } }));
      expect(headers.get("access-control-allow-origin")).toBe("*");
      expect(headers.get("access-control-allow-credentials")).toBeNull();
      expect(headers.get("vary") ?? "").not.toMatch(/origin/i);
    });

    test("has its preflight answered", async () => {
      const answer = await gateway().fetch(path, {
        method: "OPTIONS",
        headers: {
          origin: page,
          "access-control-request-method": "GET",
          "access-control-request-headers": "mcp-protocol-version",
        },
      });
      expect(answer.status).toBe(204);
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      expect(answer.headers.get("access-control-allow-methods")).toContain("GET");
      expect(answer.headers.get("access-control-allow-headers")).toBe("*,authorization");
    });

    test("reads nothing else", async () => {
      const answer = await read(await gateway().fetch("/livez", { headers: { origin: page } }));
      expect(answer.headers.has("access-control-allow-origin")).toBe(false);
      const init = { method: "OPTIONS", headers: { origin: page, "access-control-request-method": "POST" } };
      const preflight = await gateway().fetch("/v1/sql", init);
      await preflight.text();
      expect(preflight.headers.has("access-control-allow-origin")).toBe(false);
    });
  });
});

describe("a challenge names them", () => {
  /** The addresses in a challenge, each of which must answer. */
  async function followed(gateway: Gateway, challenge: string | null): Promise<unknown[]> {
    const named = [...(challenge ?? "").matchAll(/resource_metadata="([^"]+)"/g)].map(([, url]) => url);
    return await Promise.all(
      named.map(async (url) => {
        const { status, body } = await read(await gateway.fetch(url as string));
        return [status, body.resource];
      }),
    );
  }

  test("with no token, for Bearer and for DPoP", async () => {
    const { headers } = await read(await full.fetch("/v1/queries/regions"));
    const challenge = headers.get("www-authenticate");
    expect(challenge).toMatch(
      /^Bearer realm="tidegate", resource_metadata="[^"]+", DPoP algs="[^"]+", resource_metadata="[^"]+"$/,
    );
    const told = [200, full.url.origin];
    expect(await followed(full, challenge)).toEqual([told, told]);
  });

  test("with a bound token and no proof, or a proof that is none", async () => {
    const jkt = await calculateJwkThumbprint(plain.key.publicJwk);
    const claims = { iss: issuers.fixed, aud: audience, sub: "someone", cnf: { jkt } };
    const authorization = `DPoP ${await mint(plain.key, claims)}`;
    const cases: [Record<string, string>, string][] = [
      [{}, "proof_missing"],
      [{ dpop: "a.b.c" }, "proof_invalid"],
    ];
    for (const [proof, code] of cases) {
      const answer = await read(
        await full.fetch("/v1/queries/regions", { headers: { authorization, ...proof } }),
      );
      expectProblem(answer, 401, code);
      const challenge = answer.headers.get("www-authenticate");
      expect(challenge).toMatch(/^DPoP error="[^"]+", .*, resource_metadata="[^"]+"$/);
      expect(await followed(full, challenge)).toEqual([[200, full.url.origin]]);
    }
  });

  const refusals: [string, Record<string, unknown> | string, number, string][] = [
    ["a token that cannot be read", "Bearer a.b.c", 401, "token_malformed"],
    ["another scheme", "Basic dXNlcjpwYXNz", 401, "token_missing"],
    ["another audience", { aud: "other" }, 401, "token_invalid"],
    ["claims that no grant wants", { role: "visitor" }, 403, "access_denied"],
  ];
  test.each(refusals)("with %s", async (_, sent, status, code) => {
    const authorization = typeof sent === "string" ? sent : `Bearer ${await plain.token(sent)}`;
    const answer = await read(await plain.fetch("/v1/queries/regions", { headers: { authorization } }));
    expectProblem(answer, status, code);
    expect(await followed(plain, answer.headers.get("www-authenticate"))).toEqual([[200, plain.url.origin]]);
  });
});
