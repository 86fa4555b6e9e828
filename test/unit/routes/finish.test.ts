import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Bindings } from "../../../src/application.ts";
import type { Config } from "../../../src/config/config.ts";
import type { Deployment } from "../../../src/routes/context.ts";
import { AppContext } from "../../../src/routes/context.ts";
import { finish } from "../../../src/routes/finish.ts";

const origin = "https://app.example.com";
const json = { "content-type": "application/json" };

let lines: string[] = [];
beforeEach(() => {
  lines = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
});
afterEach(() => {
  vi.restoreAllMocks();
});

function contextOf(init: RequestInit = {}, origins: readonly string[] = []): AppContext {
  const request = new Request("http://gateway.example/v1/sql", init);
  const c = new AppContext(
    request as unknown as AppContext["request"],
    {} as Bindings,
    {} as ExecutionContext,
  );
  c.deployment = { config: { origins } as unknown as Config } as Deployment;
  return c;
}

async function finished(c: AppContext, answer: Response) {
  const response = await finish(c, answer as unknown as Parameters<typeof finish>[1], undefined);
  return { response, headers: Object.fromEntries(response.headers) };
}

describe("an answer", () => {
  test("is the handler's own, and may not be stored or sniffed", async () => {
    const c = contextOf({ headers: { "x-request-id": "mine" } });
    const answer = new Response("{}", { headers: { "content-type": "text/html" } });
    const { response, headers } = await finished(c, answer);
    expect(response).toBe(answer);
    expect(headers).toEqual({
      "cache-control": "no-store",
      "content-type": "text/html",
      "x-content-type-options": "nosniff",
      "x-request-id": "mine",
    });
  });

  test("is copied if its headers cannot be set", async () => {
    const fixed = Response.redirect("http://elsewhere.example/");
    const { response, headers } = await finished(contextOf({ headers: { "x-request-id": "mine" } }), fixed);
    expect(response).not.toBe(fixed);
    expect(headers).toMatchObject({
      location: "http://elsewhere.example/",
      "x-request-id": "mine",
      "cache-control": "no-store",
    });
  });

  test("keeps its own Cache-Control, and its Vary gets more members", async () => {
    const c = contextOf({}, [origin]);
    c.vary = "Accept";
    const { headers } = await finished(
      c,
      new Response("{}", { headers: { ...json, "cache-control": "private", vary: "authorization" } }),
    );
    expect(headers).toMatchObject({
      "cache-control": "private",
      vary: "authorization, Origin, Accept, Accept-Encoding",
    });
  });

  test("to HEAD has the headers alone", async () => {
    const { response, headers } = await finished(
      contextOf({ method: "HEAD", headers: { "accept-encoding": "gzip" } }),
      new Response("{}", { headers: json }),
    );
    expect(await response.text()).toBe("");
    expect(headers).toMatchObject({ ...json, vary: "Accept-Encoding" });
    expect(headers).not.toHaveProperty("content-encoding");
  });
});

describe("Access-Control-Allow-Origin", () => {
  test.each([
    ["a configured origin", origin, [origin], origin],
    ["another origin", "https://evil.example", [origin], undefined],
    ["no origin", undefined, [origin], undefined],
    ["a gateway without origins", origin, [], undefined],
  ])("for %s", async (_, from, origins, allowed) => {
    const c = contextOf({ headers: from === undefined ? {} : { origin: from } }, origins);
    const { headers } = await finished(c, new Response("", { headers: json }));
    expect(headers["access-control-allow-origin"]).toBe(allowed);
    expect("access-control-expose-headers" in headers).toBe(origins.length > 0);
  });
});

test("one line has what is known, and no member for the rest", async () => {
  const c = contextOf({ method: "POST", headers: { "x-request-id": "mine" }, body: "{}" });
  c.route = "/v1/sql";
  c.account = "analyst";
  await finished(c, new Response("{}", { headers: { "server-timing": "db;dur=1" } }));
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      event: "request",
      request_id: "mine",
      method: "POST",
      route: "/v1/sql",
      status: 200,
      duration_ms: expect.any(Number),
      account: "analyst",
      timings: "db;dur=1",
    },
  ]);
});
