import { afterAll, beforeAll, expect, test } from "vitest";
import type { Gateway } from "./harness.ts";
import { server, sharedSecret, startGateway } from "./harness.ts";
import { secretsOf } from "./leaks.ts";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.close());

const lines = () => gateway.logs().map(({ message }) => message);
const requests = () =>
  lines()
    .filter((line) => line.startsWith('{"event":"request"'))
    .map((line) => JSON.parse(line));

test("one line for each request: who, as whom, what, with what outcome", async () => {
  const good = await gateway.sql({
    sql: "SELECT name FROM countries WHERE code = ? -- a comment",
    params: ["NZ"],
  });
  const token = await gateway.token({ sub: "ann" });
  await gateway.fetch("/v1/queries/regions", { headers: { authorization: `Bearer ${token}` } });
  await gateway.sql({ sql: "DELETE FROM notes" });
  expect(requests()).toMatchObject([
    {
      request_id: good.headers.get("x-request-id"),
      method: "POST",
      route: "/v1/sql",
      status: 200,
      issuer: "http://issuer.test/remote",
      subject: "someone",
      account: "analyst",
      action: "sql:read",
      statement: expect.stringMatching(/^[0-9a-f]{16}$/),
      token: "verified",
      timings: expect.stringMatching(/^queue;dur=/),
    },
    { route: "/v1/queries/:name", status: 200, subject: "ann", account: "analyst", action: "query:regions" },
    { route: "/v1/sql", status: 403, code: "access_denied", action: "sql:write" },
  ]);
});

test("no token, secret, parameter or statement is ever logged", async () => {
  const parameter = "parameter-5f1c";
  const literal = "literal-77ab";
  const tokens = [await gateway.token(), await gateway.token({ role: "visitor" }), "not.a.token"];
  for (const token of tokens) {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const bodies = [
      { sql: `SELECT '${literal}', ?`, params: [parameter] },
      { sql: `SELECT '${literal}' FROM nowhere WHERE a = ?`, params: [parameter] },
      { sql: "SELECT CAST(? AS DATE) + ?", params: [parameter, { secret: parameter }] },
      { sql: `FROBNICATE '${literal}'` },
      `{"sql":"${literal}`,
    ];
    for (const body of bodies) {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      await gateway.fetch("/v1/sql", { method: "POST", headers, body: text });
    }
    await gateway.fetch(`/v1/queries/cities-by-country?country=${parameter}&limit=${parameter}`, { headers });
    await gateway.fetch(`/v1/${parameter}?token=${token}`, { headers });
  }
  const log = lines().join("\n");
  expect(requests().length).toBeGreaterThan(20);
  for (const secret of [...tokens, ...Object.values(server.passwords), sharedSecret, parameter, literal]) {
    expect(log).not.toContain(secret);
  }
});

test.each([
  ["a shared secret", () => sharedSecret],
  ["a password, as JSON writes it", () => server.passwords.ANALYST_PASSWORD ?? ""],
  ["a token's signature", (token: string) => secretsOf(`Bearer ${token}`).at(-1) ?? ""],
])("every gateway's log is searched when it is closed: %s in it is found", async (_, secret) => {
  const careless = await startGateway();
  const token = await careless.token();
  await careless.fetch("/v1/queries/regions", { headers: { authorization: `Bearer ${token}` } });
  // The subject is logged, as it should be: an issuer that writes a secret into it makes the gateway log one.
  const sub = secret(token);
  const leaking = `Bearer ${await careless.token({ sub })}`;
  await careless.fetch("/v1/queries/regions", { headers: { authorization: leaking } });
  await expect.poll(() => careless.logs().some(({ message }) => message.includes(sub))).toBe(true);
  await expect(careless.close()).rejects.toThrow(/^secrets were logged:\n.*"event":"request"/);
});
