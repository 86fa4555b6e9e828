// Runs on mysql only: the engine has no part in what it tests.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Gateway } from "../support/harness.ts";
import { expectProblem, issuers, startGateway } from "../support/harness.ts";
import type { WorkerdGateway } from "../support/workerd-gateway.ts";
import { startWorkerdGateway } from "../support/workerd-gateway.ts";
import type { Endless } from "./endless.ts";
import { sendEndless } from "./endless.ts";

/**
 * Requests whose body never ends, on workerd itself and behind wrangler's development server. That server
 * itself reads a body to its end before it passes on an answer. All requests are sent at once; no test
 * measures how long they take.
 */

const places = ["on workerd itself", "behind the development server"] as const;
const slow = { role: "endless", status: 408, code: "body_too_slow" };
const requests: (Endless & { role: string; status: number; code: string })[] = [
  { ...slow, framing: "length", trickles: true },
  { ...slow, framing: "length", trickles: false },
  { ...slow, framing: "chunked", trickles: true },
  { ...slow, framing: "chunked", trickles: false },
  { ...slow, path: "/v1/batch" },
  { ...slow, path: "/v1/transactions" },
  { ...slow, path: "/v1/transactions/unknown/sql" },
  { ...slow, path: "/v1/queries/regions" },
  { ...slow, path: "/v1/drain" },
  { role: "nobody", status: 403, code: "access_denied" },
  {
    role: "nobody",
    path: "/v1/batch",
    framing: "chunked",
    trickles: false,
    status: 403,
    code: "access_denied",
  },
  // A request that needs no body does not read it.
  { role: "endless", method: "DELETE", path: "/v1/requests/x", status: 404, code: "request_unknown" },
  {
    role: "endless",
    method: "DELETE",
    path: "/v1/transactions/x",
    framing: "chunked",
    status: 404,
    code: "transaction_unknown",
  },
  { role: "nobody", method: "GET", path: "/v1/schema", status: 403, code: "access_denied" },
  { role: "endless", path: "/nowhere", status: 404, code: "route_unknown" },
  { role: "endless", path: "/livez", status: 405, code: "method_not_allowed" },
];

const grantOf = (issuer: string) => ({
  ...{ issuer, claims: { role: "endless" }, account: "analyst" },
  allow: ["sql:read", "query:*", "transaction", "operate"],
});

let itself: WorkerdGateway;
let developed: Gateway;
/** The answer to each request, by the place where it was sent. */
let answers: Record<(typeof places)[number], Promise<string>[]>;
beforeAll(async () => {
  [itself, developed] = await Promise.all([
    startWorkerdGateway("slow-bodies", [grantOf(issuers.fixed)]),
    startGateway({ grants: [grantOf(issuers.remote)] }),
  ]);
  const send = (gateway: WorkerdGateway | Gateway) =>
    requests.map(async ({ role, status: _, code: __, ...sent }) => {
      const token = await gateway.token({ role });
      developed.watchToken(`Bearer ${token}`);
      return await sendEndless(gateway.url, { ...sent, token });
    });
  answers = { "on workerd itself": send(itself), "behind the development server": send(developed) };
});
afterAll(async () => {
  await itself?.stop();
  await developed?.close();
});

describe.each(places)("%s", (place) => {
  test.each(
    requests.map((request, at) => ({
      method: "POST",
      path: "/v1/sql",
      framing: "length",
      trickles: true,
      ...request,
      at,
    })),
  )("$method $path, $role, $framing, trickles: $trickles: $status $code", async ({ status, code, at }) => {
    const [head = "", body = ""] = ((await answers[place][at]) ?? "").split("\r\n\r\n");
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(body).toContain(`"code":"${code}"`);
    expect(body).toContain(`"retryable":${status === 408}`);
  });
});

test("and the gateway serves on", async () => {
  const answer = await developed.sql({ sql: "SELECT 1 AS one" }, { role: "endless" });
  expect(answer.status).toBe(200);
  expectProblem(await developed.sql({ sql: "SELECT 1" }, { role: "nobody" }), 403, "access_denied");
});
