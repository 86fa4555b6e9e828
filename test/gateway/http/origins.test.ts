// Runs on mysql only: the engine has no part in what it tests.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Gateway } from "../support/harness.ts";
import { startGateway } from "../support/harness.ts";

const origin = "https://app.example.com";
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ cors: { origins: [origin, "http://localhost:5173"] } });
});
afterAll(() => gateway?.close());

async function preflight(from: string, method = "POST") {
  return await gateway.fetch("/v1/sql", {
    method: "OPTIONS",
    headers: {
      origin: from,
      "access-control-request-method": method,
      "access-control-request-headers": "authorization,content-type",
    },
  });
}

describe("a page of a configured origin", () => {
  test("gets its preflight answered without a token, and may remember the answer", async () => {
    const response = await preflight(origin);
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    expect(response.headers.get("access-control-allow-methods")).toBe("GET,POST,DELETE");
    const allowed = response.headers.get("access-control-allow-headers");
    for (const name of ["authorization", "idempotency-key", "if-none-match", "traceparent"])
      expect(allowed).toContain(name);
    expect(response.headers.get("access-control-max-age")).toBe("7200");
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    expect(response.headers.get("vary")?.toLowerCase()).toContain("origin");
  });

  test("may read answers and errors, the headers too", async () => {
    for (const sql of ["SELECT 1", "FROBNICATE"]) {
      const { headers } = await gateway.sql({ sql }, { headers: { origin } });
      expect(headers.get("access-control-allow-origin")).toBe(origin);
      const exposed = headers.get("access-control-expose-headers");
      for (const name of ["etag", "idempotency-replayed", "tidegate-result", "traceresponse", "x-request-id"])
        expect(exposed).toContain(name);
      expect(headers.get("vary")?.toLowerCase()).toContain("origin");
      expect(headers.get("set-cookie")).toBeNull();
    }
  });
});

test("a page of a configured origin may read a schema, and that its copy is still right", async () => {
  const headers = { origin, authorization: `Bearer ${await gateway.token()}` };
  const first = await gateway.fetch("/v1/schema?table=notes", { headers });
  const etag = first.headers.get("etag") ?? "";
  const again = await gateway.fetch("/v1/schema?table=notes", {
    headers: { ...headers, "if-none-match": etag },
  });
  expect([first.status, again.status]).toEqual([200, 304]);
  for (const response of [first, again]) {
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    // Caller, origin and account: the answer may differ by each.
    const vary = response.headers.get("vary")?.toLowerCase().split(/, */).sort();
    expect(vary).toEqual(["accept-encoding", "authorization", "origin", "tidegate-account"]);
    await response.text();
  }
});

describe("a page of any other origin", () => {
  const others = [
    "https://evil.example",
    "https://app.example.com.evil.example",
    "http://app.example.com",
    "https://app.example.com:8443",
    "null",
  ];
  test.each(others)("%s may read nothing", async (other) => {
    expect((await preflight(other)).headers.get("access-control-allow-origin")).toBeNull();
    const { headers } = await gateway.sql({ sql: "SELECT 1" }, { headers: { origin: other } });
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(headers.get("vary")?.toLowerCase()).toContain("origin");
  });
});

test("without a configuration no page may read anything", async () => {
  const closed = await startGateway();
  try {
    const { headers } = await closed.sql({ sql: "SELECT 1" }, { headers: { origin } });
    expect(headers.get("access-control-allow-origin")).toBeNull();
  } finally {
    await closed.close();
  }
});
