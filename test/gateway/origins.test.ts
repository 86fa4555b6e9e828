import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Gateway } from "./harness.ts";
import { startGateway } from "./harness.ts";

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
    expect(response.headers.get("access-control-allow-methods")).toBe("GET,POST");
    expect(response.headers.get("access-control-allow-headers")).toContain("authorization");
    expect(response.headers.get("access-control-max-age")).toBe("7200");
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    expect(response.headers.get("vary")?.toLowerCase()).toContain("origin");
  });

  test("may read answers and errors, the headers too", async () => {
    for (const sql of ["SELECT 1", "FROBNICATE"]) {
      const { headers } = await gateway.sql({ sql }, { headers: { origin } });
      expect(headers.get("access-control-allow-origin")).toBe(origin);
      expect(headers.get("access-control-expose-headers")).toContain("x-request-id");
      expect(headers.get("vary")?.toLowerCase()).toContain("origin");
      expect(headers.get("set-cookie")).toBeNull();
    }
  });
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
