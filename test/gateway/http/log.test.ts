import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lineOf, logged } from "../support/ask.ts";
import type { Gateway } from "../support/harness.ts";
import { server, sharedSecret, startGateway } from "../support/harness.ts";
import { secretsOf } from "../support/leaks.ts";

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
    { route: "/v1/sql", status: 403, code: "access_denied", fault: "caller", action: "sql:write" },
  ]);
});

describe("a traceparent", () => {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const parentId = "00f067aa0ba902b7";
  const traceOf = (line: Record<string, unknown> | undefined) =>
    Object.fromEntries(Object.entries(line ?? {}).filter(([name]) => /trace|span/.test(name)));

  test.each([
    ["of a request that goes well", "/v1/sql", "SELECT 1", 200],
    ["of one that is refused", "/v1/sql", "FROBNICATE", 400],
    ["of one that the database refuses", "/v1/sql", "SELECT nothing FROM nowhere", 400],
    ["of one that nobody serves", "/v1/nothing", "SELECT 1", 404],
  ])("%s is in its log line, and in its answer with the gateway's own span", async (_, path, sql, status) => {
    const headers = { traceparent: `00-${traceId}-${parentId}-01` };
    const answers = [
      await gateway.sql({ sql }, { path, headers }),
      await gateway.sql({ sql }, { path, headers }),
    ];
    const spans = answers.map((answer) => {
      expect(answer.status).toBe(status);
      const answered = answer.headers.get("traceresponse") ?? "";
      expect(answer.headers.get("traceparent")).toBe(answered);
      const [version, trace, span, flags] = answered.split("-");
      expect([version, trace, flags]).toEqual(["00", traceId, "01"]);
      return span;
    });
    for (const [at, answer] of answers.entries()) {
      expect(traceOf(await lineOf(gateway, answer))).toEqual({
        ...{ trace_id: traceId, span_id: spans[at], parent_span_id: parentId, trace_flags: "01" },
      });
    }
    expect(new Set([...spans, parentId]).size).toBe(3);
  });

  test("is in the pool's log too", async () => {
    const headers = { traceparent: `00-${traceId}-${parentId}-00` };
    const failed = await gateway.sql({ sql: "SELECT nothing FROM nowhere" }, { headers });
    const id = failed.headers.get("x-request-id");
    const line = () => logged(gateway, "work_failed").find(({ request_id }) => request_id === id);
    await expect.poll(line).toMatchObject({ trace_id: traceId });
  });

  test.each([
    ["none", undefined],
    ["one that is malformed", `00-${traceId}-${parentId}`],
    ["one of zeros", `00-${"0".repeat(32)}-${parentId}-01`],
    ["one that would write into the log", `00-${traceId}-${parentId}-01","subject":"admin`],
    ["two", `00-${traceId}-${parentId}-01, 00-${traceId}-${parentId}-01`],
  ])("%s: the request is served, and neither log nor answer has any", async (_, traceparent) => {
    const answer = await gateway.sql({ sql: "SELECT 1" }, { headers: traceparent ? { traceparent } : {} });
    expect(answer.status).toBe(200);
    for (const name of ["traceparent", "traceresponse"]) expect(answer.headers.has(name)).toBe(false);
    expect(traceOf(await lineOf(gateway, answer))).toEqual({});
  });
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
  // The log must have the subject. If an issuer writes a secret into the subject, the gateway logs it.
  const sub = secret(token);
  const leaking = `Bearer ${await careless.token({ sub })}`;
  await careless.fetch("/v1/queries/regions", { headers: { authorization: leaking } });
  await expect.poll(() => careless.logs().some(({ message }) => message.includes(sub))).toBe(true);
  await expect(careless.close()).rejects.toThrow(/^secrets were logged:\n.*"event":"request"/);
});
