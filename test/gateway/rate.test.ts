// Runs on mysql only: the engine has no part in what it tests.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Gateway } from "./harness.ts";
import { expectProblem, issuers, read, startGateway } from "./harness.ts";

let gateway: Gateway;
beforeAll(async () => {
  const grant = { issuer: issuers.remote, account: "analyst", allow: ["sql:read", "query:*"] };
  gateway = await startGateway({
    grants: [
      { ...grant, claims: { role: "analyst" }, rate: { requests: 3, window_s: 3600 } },
      { ...grant, claims: { role: "free" } },
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

test("a caller who asks too often is told how long to wait, and nobody else is disturbed", async () => {
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

test("what was refused for another reason is not counted", async () => {
  const denied = await gateway.sql({ sql: "DELETE FROM notes" });
  expectProblem(denied, 403, "access_denied");
  expect(denied.headers.has("ratelimit")).toBe(false);
});
