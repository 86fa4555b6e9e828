// Runs on mysql only: the engine has no part in what it tests.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Gateway } from "../support/harness.ts";
import { expectProblem, issuers, read, startGateway } from "../support/harness.ts";

let gateway: Gateway;
beforeAll(async () => {
  const grant = { issuer: issuers.remote, account: "analyst", allow: ["sql:read", "query:*"] };
  gateway = await startGateway({
    grants: [
      { ...grant, claims: { role: "analyst" }, rate: { requests: 3, window_s: 3600 } },
      { ...grant, claims: { role: "free" } },
      { ...grant, claims: { role: "none" }, allow: ["query:regions"], rate: { requests: 3, window_s: 3600 } },
      {
        ...grant,
        claims: { role: "holder" },
        allow: ["transaction", "query:regions"],
        rate: { requests: 3, window_s: 3600 },
      },
      {
        ...grant,
        claims: { role: "operator" },
        allow: ["operate"],
        rate: { requests: 1, window_s: 3600 },
      },
    ],
  });
});
afterAll(() => gateway?.close());

async function ask(claims: Record<string, unknown>) {
  const headers = { authorization: `Bearer ${await gateway.token(claims)}` };
  return await read(await gateway.fetch("/v1/queries/regions", { headers }));
}

test("a caller who asks too often is told how long to wait, and the others are not disturbed", async () => {
  for (const remaining of [2, 1, 0]) {
    const answer = await ask({ sub: "noisy" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("ratelimit-policy")).toBe('"grant";q=3;w=3600');
    expect(answer.headers.get("ratelimit")).toMatch(new RegExp(`^"grant";r=${remaining};t=\\d+$`));
  }
  const refused = await ask({ sub: "noisy" });
  expectProblem(refused, 429, "rate_limited");
  expect(refused.body.retryable).toBe(true);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(1_000);
  expect(refused.headers.get("ratelimit")).toContain("r=0");

  expect((await ask({ sub: "quiet" })).status).toBe(200);
  const unlimited = await ask({ sub: "noisy", role: "free" });
  expect(unlimited.status).toBe(200);
  expect(unlimited.headers.has("ratelimit")).toBe(false);
});

test("an operator's drains are counted like everything else", async () => {
  const drain = async () => await gateway.sql({}, { path: "/v1/drain", role: "operator" });
  expect((await drain()).status).toBe(200);
  expectProblem(await drain(), 429, "rate_limited");
});

test("what is refused once its caller is let in counts: a body, a form, a statement, a permission", async () => {
  const headers = { authorization: `Bearer ${await gateway.token({ sub: "refused" })}` };
  const json = { ...headers, "content-type": "application/json" };
  const post = async (body: string, more: Record<string, string> = json) =>
    await read(await gateway.fetch("/v1/sql", { method: "POST", body, headers: more }));
  const refused = [
    await post(JSON.stringify({ sql: "FROBNICATE" })),
    await post("{", json),
    await post(JSON.stringify({ sql: "DELETE FROM notes" })),
  ];
  expect(refused.map(({ body }) => body.code)).toEqual([
    "statement_refused",
    "body_invalid",
    "access_denied",
  ]);
  const left = refused.map((answer) => answer.headers.get("ratelimit")?.split(";")[1]);
  expect(left).toEqual(["r=2", "r=1", "r=0"]);
  expectProblem(await post(JSON.stringify({ sql: "SELECT 1" })), 429, "rate_limited");
  expectProblem(await post("FROBNICATE", headers), 429, "rate_limited");
});

describe("a caller without the permission learns it before the request is looked at, and is not counted", () => {
  test.each([
    ["POST", "/v1/sql", "none"],
    ["POST", "/v1/batch", "none"],
    ["POST", "/v1/transactions", "none"],
    ["POST", "/v1/transactions/unknown/sql", "none"],
    ["POST", "/v1/transactions/unknown/sql", "holder"],
    ["POST", "/v1/transactions/unknown/commit", "none"],
    ["DELETE", "/v1/transactions/unknown", "none"],
    ["POST", "/v1/queries/unknown", "none"],
    ["GET", "/v1/queries/unknown?rows=neither", "none"],
    ["GET", "/v1/schema?neither=1", "none"],
    ["POST", "/v1/drain", "none"],
  ])("%s %s, %s", async (method, path, role) => {
    const headers = {
      authorization: `Bearer ${await gateway.token({ role })}`,
      "content-type": "application/json",
    };
    for (const body of ["{", '{"sql":"FROBNICATE","surplus":1}', '{"statements":[{"sql":"FROBNICATE"}]}']) {
      const sent = method === "GET" ? {} : { body };
      const denied = await read(await gateway.fetch(path, { method, headers, ...sent }));
      expectProblem(denied, 403, "access_denied");
      expect(denied.headers.has("ratelimit")).toBe(false);
    }
    expect((await ask({ role, sub: `${method} ${path}` })).headers.get("ratelimit")).toContain("r=2");
  });
});
