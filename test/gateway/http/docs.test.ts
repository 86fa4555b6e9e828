// Runs on mysql only: the engine has no part in what it tests.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Gateway } from "../support/harness.ts";
import { audience, expectProblem, issuers, read, startGateway } from "../support/harness.ts";

/** `GET /docs` and its files; test/browser/docs.test.ts has the page in a browser. */

const issuer = "http://127.0.0.1:1";
const wall = 40;
let gateway: Gateway;
let without: Gateway;
beforeAll(async () => {
  const known = { issuer, audience, jwks_uri: `${issuer}/keys`, algorithms: ["ES256"] };
  [gateway, without] = [
    await startGateway({
      issuers: [known],
      grants: [{ issuer, account: "analyst", allow: ["query:*"] }],
      docs: { issuer, client_id: "docs" },
      wall: { limit: wall, period: 60 },
    }),
    await startGateway(),
  ];
});
afterAll(async () => {
  await gateway?.close();
  await without?.close();
});

/** Each test asks from its own network, so that none uses up the limit of another. */
async function ask(path: string, network: string, init: RequestInit = {}): Promise<Response> {
  return await gateway.fetch(path, { ...init, headers: { "cf-connecting-ip": network } });
}

async function filesOf(network: string): Promise<string[]> {
  const html = await (await ask("/docs", network)).text();
  return [...html.matchAll(/(?:src|href)="(\/[^"]*)"/g)].map(([, address = ""]) => address);
}

const policy =
  /^default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' http:\/\/127\.0\.0\.1:1; /;

describe("with [docs]", () => {
  test("the page needs no token, and no cache keeps it", async () => {
    const response = await ask("/docs", "192.0.2.1");
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": expect.stringMatching(policy),
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
    expect(await response.text()).toContain(`data-issuer="${issuer}" data-client-id="docs"`);
  });

  test("each of its files has its type, and may be kept for ever", async () => {
    const files = await filesOf("192.0.2.2");
    expect(files).toHaveLength(4);
    for (const file of [
      ...files,
      ...["login.js", "oauth4webapi.js"].map((name) => files[0]?.replace(/[^/]+$/, name) ?? ""),
    ]) {
      const response = await ask(file, "192.0.2.2");
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": `text/${file.endsWith(".css") ? "css" : "javascript"}; charset=utf-8`,
        "content-security-policy": expect.stringMatching(policy),
        "cache-control": "public, max-age=31536000, immutable",
        "x-content-type-options": "nosniff",
      });
      expect((await response.text()).length).toBeGreaterThan(500);
    }
  });

  test("HEAD has the headers and no body", async () => {
    const [file = ""] = await filesOf("192.0.2.3");
    for (const path of ["/docs", file]) {
      const response = await ask(path, "192.0.2.3", { method: "HEAD" });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-security-policy")).toMatch(policy);
      expect(await response.text()).toBe("");
    }
  });

  test("another method is refused", async () => {
    const [file = ""] = await filesOf("192.0.2.4");
    for (const path of ["/docs", file]) {
      const answer = await read(await ask(path, "192.0.2.4", { method: "POST" }));
      expectProblem(answer, 405, "method_not_allowed");
      expect(answer.headers.get("allow")).toBe("GET, HEAD");
    }
  });

  test.each([
    "/docs/",
    "/docs/0000000000000000/page.js",
    "/docs/VERSION/",
    "/docs/VERSION/absent.js",
    "/docs/VERSION/page",
    "/docs/VERSION/..%2f..%2fapplication.json",
    "/docs/VERSION/x/page.js",
    "/docs/VERSION/%2e%2e/page.js",
  ])("%s is not there", async (path) => {
    const [file = ""] = await filesOf("192.0.2.5");
    const [, , version = ""] = file.split("/");
    expect(version).toMatch(/^[0-9a-f]{16}$/);
    const answer = await read(await ask(path.replace("VERSION", version), "192.0.2.6"));
    expectProblem(answer, 404, "route_unknown");
  });

  test("a network that asks too often is refused, as for /v1", async () => {
    const statuses = [];
    for (let i = 0; i < 2 * wall + 1; i++)
      statuses.push((await read(await ask("/docs", "192.0.2.7"))).status);
    expect(statuses).toContain(429);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(wall);
  });
});

describe("without [docs]", () => {
  test("neither the page nor a file is there, whatever the method", async () => {
    const [file = ""] = await filesOf("192.0.2.8");
    expect(file).toMatch(/^\/docs\/[0-9a-f]{16}\/swagger-ui\.css$/);
    for (const path of ["/docs", file]) {
      for (const method of ["GET", "POST"]) {
        const authorization = `Bearer ${await without.token({ iss: issuers.remote })}`;
        const answer = await read(await without.fetch(path, { method, headers: { authorization } }));
        expectProblem(answer, 404, "route_unknown");
      }
    }
  });
});
