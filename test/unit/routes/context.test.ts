import { describe, expect, test } from "vitest";
import type { Bindings } from "../../../src/application.ts";
import { AppContext } from "../../../src/routes/context.ts";

function contextOf(headers: Record<string, string>): AppContext {
  const request = new Request("http://gateway.example/?a=1&a=2&%C3%BC=+", { headers });
  return new AppContext(request as unknown as AppContext["request"], {} as Bindings, {} as ExecutionContext);
}

describe("a request id", () => {
  test.each(["a", "A-b_9=", "y".repeat(255)])("%s is taken", (id) => {
    expect(contextOf({ "x-request-id": id }).requestId).toBe(id);
  });

  test.each(["", "a b", "ü", 'a"', "a.b", "y".repeat(256)])("%j is replaced by a new one", (id) => {
    expect(contextOf({ "x-request-id": id }).requestId).toMatch(
      /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    );
  });
});

test("a trace is the caller's, with a span of its own for each request", () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const [a, b] = [contextOf({ traceparent }).trace, contextOf({ traceparent }).trace];
  expect(a).toMatchObject({
    traceId: traceparent.slice(3, 35),
    spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
  });
  expect(a?.spanId).not.toBe(b?.spanId);
  expect(contextOf({}).trace).toBeUndefined();
  expect(contextOf({ traceparent: "x" }).trace).toBeUndefined();
});

test("the pairs of a query string", () => {
  const c = contextOf({});
  c.url = new URL(c.request.url) as unknown as AppContext["url"];
  expect(c.pairs).toEqual([
    ["a", "1"],
    ["a", "2"],
    ["ü", " "],
  ]);
});

test("no handler runs without a configuration", () => {
  expect(() => contextOf({}).config).toThrow("without a configuration");
});
