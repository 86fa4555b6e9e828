// Runs on mysql only: the engine has no part in what it tests.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSigningKey, mint } from "../../../servers/issuer/issuer.ts";
import { ask, lineOf } from "../support/ask.ts";
import type { Gateway } from "../support/harness.ts";
import { audience, expectProblem, issuers, startGateway } from "../support/harness.ts";

// These tests depend on their order: at first the gateway is cold, at the end its key server is gone.
describe("the keys of an issuer", () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway?.close());

  test("are fetched at most twice for a hundred requests on a cold gateway", async () => {
    const tokens = await Promise.all(Array.from({ length: 100 }, (_, i) => gateway.token({ sub: `s${i}` })));
    const answers = await Promise.all(tokens.map((token) => ask(gateway, token)));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(gateway.keyServer.fetches).toBeGreaterThan(0);
    expect(gateway.keyServer.fetches).toBeLessThanOrEqual(2);
  });

  test("are not fetched again for unknown kids", async () => {
    const before = gateway.keyServer.fetches;
    const stranger = await createSigningKey();
    const forged = (kid?: string) =>
      mint(stranger, { iss: issuers.remote, aud: audience, sub: "x" }, kid === undefined ? {} : { kid });
    for (const token of [await forged(), await forged("a"), await forged("../b")]) {
      expectProblem(await ask(gateway, token), 401, "token_invalid");
    }
    const many = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => ask(gateway, await forged(`k${i}`))),
    );
    expect(many.map(({ status }) => status)).toEqual(many.map(() => 401));
    expect(gateway.keyServer.fetches).toBe(before);
    expect((await ask(gateway, await gateway.token())).status).toBe(200);
  });

  test("serve on when the key server is gone, and a forged kid is still the caller's fault", async () => {
    await gateway.keyServer.stop();
    expect((await ask(gateway, await gateway.token({ sub: "later" }))).status).toBe(200);
    const stranger = await createSigningKey();
    const forged = await mint(stranger, { iss: issuers.remote, aud: audience, sub: "x" });
    expectProblem(await ask(gateway, forged), 401, "token_invalid");
  });

  test("verify a token once: the second time it is remembered", async () => {
    const token = await gateway.token({ jti: "twice" });
    const first = await ask(gateway, token);
    const second = await ask(gateway, token);
    expect(second.body).toEqual(first.body);
    expect(await lineOf(gateway, first)).toMatchObject({
      status: 200,
      token: "verified",
      subject: "someone",
    });
    expect(await lineOf(gateway, second)).toMatchObject({
      status: 200,
      token: "remembered",
      subject: "someone",
    });
  });

  test("a remembered token with another signature is not", async () => {
    const token = await gateway.token({ jti: "spoiled" });
    expect((await ask(gateway, token)).status).toBe(200);
    const [header, claims] = token.split(".");
    const spoiled = `${header}.${claims}.${Buffer.alloc(64, 1).toString("base64url")}`;
    const answer = await ask(gateway, spoiled);
    expectProblem(answer, 401, "token_invalid");
    expect(await lineOf(gateway, answer)).not.toHaveProperty("token");
  });
});
