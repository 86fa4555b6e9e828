import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { respond } from "../../src/app.ts";
import type { Bindings } from "../../src/application.ts";
import { configOf } from "../../src/application.ts";
import { TidegateError } from "../../src/errors.ts";

vi.mock("cloudflare:workers", () => ({ DurableObject: class {} }));
vi.mock("cloudflare:sockets", () => ({ connect: () => {} }));
vi.mock("../../src/application.ts", () => ({ configOf: vi.fn() }));

let lines: string[] = [];
beforeEach(() => {
  lines = [];
  vi.spyOn(console, "warn").mockImplementation((line: string) => void lines.push(line));
});
afterEach(() => void vi.restoreAllMocks());

const secret = "s3cret\nx";

async function ask(method: string) {
  const init = { method, headers: { "x-request-id": "mine" } };
  const request = new Request("http://gateway.example/v1/sql", init) as unknown as Parameters<
    typeof respond
  >[0];
  return await respond(request, {} as Bindings, {} as ExecutionContext);
}

test.each([
  ["an error's header cannot be set", { headers: { "x-detail": secret } }],
  ["an error's header has no value of text", { headers: { "x-detail": { toString: () => expect.fail() } } }],
])("if %s, a constant problem document is the answer, with one log line", async (_, details) => {
  vi.mocked(configOf).mockImplementation(() => {
    throw new TidegateError("misconfigured", details as never);
  });
  const answer = await ask("GET");
  expect([answer.status, Object.fromEntries(answer.headers)]).toEqual([
    500,
    {
      "cache-control": "no-store",
      "content-type": "application/problem+json",
      "x-content-type-options": "nosniff",
      "x-request-id": "mine",
    },
  ]);
  expect(await answer.json()).toEqual({
    type: "about:blank",
    title: "The gateway failed",
    status: 500,
    code: "internal",
    retryable: false,
    request_id: "mine",
  });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    event: "request",
    status: 500,
    code: "internal",
    request_id: "mine",
    reason: expect.stringMatching(/^the answer could not be completed: /),
  });
  expect(lines[0]).not.toContain("s3cret");
});

test("HEAD gets it without a body", async () => {
  vi.mocked(configOf).mockImplementation(() => {
    throw new TidegateError("misconfigured", { headers: { "x-detail": secret } });
  });
  const answer = await ask("HEAD");
  expect([answer.status, await answer.text()]).toEqual([500, ""]);
});
