// Runs on mysql only: the engine has no part in what it tests.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, lineOf } from "../support/ask.ts";
import type { Gateway } from "../support/harness.ts";
import { expectProblem, read, startGateway } from "../support/harness.ts";
import { breakObjects } from "../support/world.ts";

/** The coarse limit per network, which comes before the token. */

const limit = 20;
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ entry: "broken", wall: { limit, period: 60 } });
});
afterAll(() => gateway?.close());

/** The caller's address, as the platform gives it. Requests without a token cost the gateway least. */
async function askFrom(address: string) {
  return await read(await gateway.fetch("/v1/queries/regions", { headers: { "cf-connecting-ip": address } }));
}

/** The platform's window may end between two requests; then the count begins again. */
async function flood(address: string) {
  const answers = [];
  for (let i = 0; i < 2 * limit + 1; i++) answers.push(await askFrom(address));
  return answers;
}

describe("a network that asks too often", () => {
  test("is told to wait, and others go on", async () => {
    const answers = await flood("192.0.2.1");
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 401).length).toBeGreaterThanOrEqual(limit);
    const [first] = refused;
    if (!first) throw new Error("none was refused");
    expectProblem(first, 429, "rate_limited");
    expect(first.headers.get("retry-after")).toBe("10");
    expect(first.body.detail).toBe("Too many requests come from this network.");
    expect((await askFrom("192.0.2.2")).status).toBe(401);
  });

  test("is one network in 64 bits of IPv6", async () => {
    await flood("2001:db8:0:1::1");
    expect((await askFrom("2001:db8:0:1:ffff::2")).status).toBe(429);
    expect((await askFrom("2001:db8:0:2::1")).status).toBe(401);
  });

  test("asks for no metadata either", async () => {
    await flood("192.0.2.4");
    const headers = { "cf-connecting-ip": "192.0.2.4" };
    const answer = await read(await gateway.fetch("/.well-known/oauth-protected-resource", { headers }));
    expectProblem(answer, 429, "rate_limited");
  });

  test("may still ask whether the gateway lives", async () => {
    await flood("192.0.2.3");
    const headers = { "cf-connecting-ip": "192.0.2.3" };
    expect((await gateway.fetch("/livez", { headers })).status).toBe(200);
  });
});

test("when the platform cannot count, every request is refused", async () => {
  await breakObjects(gateway, "wall", "throws");
  try {
    const answer = await ask(gateway, await gateway.token());
    expectProblem(answer, 503, "limiter_unavailable");
    expect(JSON.stringify(answer.body)).not.toContain("internal-detail");
    expect((await lineOf(gateway, answer))?.reason).toContain("internal-detail");
  } finally {
    await breakObjects(gateway, "wall", undefined);
  }
  expect((await ask(gateway, await gateway.token())).status).toBe(200);
});
