// Runs on mysql only: the engine has no part in what it tests.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lineOf } from "../support/ask.ts";
import type { Gateway } from "../support/harness.ts";
import { expectProblem, issuers, read, server, startGateway } from "../support/harness.ts";
import { startThroughHyperdrive } from "../support/through-hyperdrive.ts";

const monitor = {
  issuer: issuers.remote,
  claims: { role: "monitor" },
  account: "analyst",
  allow: ["metrics"],
};
const reader = {
  issuer: issuers.remote,
  claims: { role: "analyst" },
  account: "analyst",
  allow: ["sql:read"],
};
const editor = {
  ...{ issuer: issuers.remote, claims: { role: "editor" }, account: "editor" },
  allow: ["sql:read", "transaction"],
};

let gateway: Gateway;
beforeAll(async () => {
  const actsAs = server.actsAs.analyst;
  gateway = await startGateway({
    entry: "broken",
    accounts: {
      analyst: {
        ...{ user: "gw_analyst", password: "ANALYST_PASSWORD", shards: 2, connections_per_shard: 1 },
        ...(actsAs === undefined ? {} : { acts_as: actsAs }),
      },
    },
    grants: [monitor, editor, { ...reader, deadline_ms: 5_000 }],
  });
});
afterAll(() => gateway?.close());

async function scrape(from = gateway, role = "monitor") {
  const authorization = `Bearer ${await from.token({ role })}`;
  return await read(await from.fetch("/metrics", { headers: { authorization } }));
}

/** @returns the sum of all samples with this name and these labels, in the text of a scrape */
async function sum(name: string, labels: Record<string, string> = {}): Promise<number> {
  const { status, body } = await scrape();
  expect(status).toBe(200);
  return sumOf(body, name, labels);
}

function sumOf(text: string, name: string, labels: Record<string, string>): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`));
  const found = lines.filter((line) => wanted.every((pair) => line.includes(pair)));
  return found.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" "))), 0);
}

const analyst = { account: "analyst" };
/** Time for a busy machine. */
const soon = { timeout: 5_000 };

describe("GET /metrics is for a token whose grant says so", () => {
  test("no token: 401", async () => {
    expectProblem(await read(await gateway.fetch("/metrics")), 401, "token_missing");
  });

  test("a grant without metrics: 403", async () => {
    const answer = await scrape(gateway, "analyst");
    expectProblem(answer, 403, "access_denied");
    expect(answer.body.detail).toBe("The grant does not allow metrics.");
  });

  test("metrics opens nothing else", async () => {
    expectProblem(await gateway.sql({ sql: "SELECT 1" }, { role: "monitor" }), 403, "access_denied");
    expectProblem(await gateway.sql({}, { path: "/v1/drain", role: "monitor" }), 403, "access_denied");
  });

  test("it answers in Prometheus' text format, and the log says who asked", async () => {
    const answer = await scrape();
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const [, ...lines] = answer.body.split("\n").reverse();
    const sample = /^[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+$/;
    for (const line of lines)
      expect(line).toMatch(line.startsWith("#") ? /^# (HELP|TYPE) tidegate_/ : sample);
    expect(await lineOf(gateway, answer)).toMatchObject({
      action: "metrics",
      account: "*",
      route: "/metrics",
    });
  });
});

describe("what is counted", () => {
  test("statements, connections and restores, of every shard of every account", async () => {
    const before = (await scrape()).body;
    for (const _ of [1, 2, 3, 4]) expect((await gateway.sql({ sql: "SELECT 1" })).status).toBe(200);
    const counted = async (name: string, labels = {}) =>
      (await sum(name, { ...analyst, ...labels })) - sumOf(before, name, { ...analyst, ...labels });
    await expect.poll(() => counted("tidegate_pool_restores_total", { result: "ok" }), soon).toBe(4);
    expect(await counted("tidegate_statement_duration_seconds_count")).toBe(4);
    expect(await counted("tidegate_pool_acquire_wait_seconds_count")).toBe(4);
    // This does not test how the load is spread over the two shards.
    const created = await counted("tidegate_pool_connections_created_total");
    expect([1, 2]).toContain(created);
    expect(await sum("tidegate_pool_connections", { ...analyst, state: "idle" })).toBe(created);
    expect(await sum("tidegate_pool_connections_limit", analyst)).toBe(2);
    for (const shard of ["0", "1"]) expect(await sum("tidegate_shard_up", { ...analyst, shard })).toBe(1);
    expect(await sum("tidegate_shard_up", { account: "editor", shard: "0" })).toBe(1);
  });

  test("a statement that runs, one that waits, and its kill", async () => {
    const busy = () => sum("tidegate_pool_connections", { ...analyst, state: "busy" });
    const slow = { sql: "SELECT SLEEP(20)" };
    // Two shards with one connection each: the third and the fourth statement must wait.
    const answers = Promise.all([slow, slow, slow, slow].map((body) => gateway.sql(body)));
    await expect.poll(busy).toBe(2);
    await expect.poll(() => sum("tidegate_pool_waiting", analyst)).toBe(2);
    for (const { status } of await answers) expect(status).toBe(504);
    await expect.poll(() => sum("tidegate_pool_kills_total", { ...analyst, result: "ok" }), soon).toBe(4);
    await expect.poll(busy, soon).toBe(0);
    // Two statements waited until the deadline of the others.
    expect(await sum("tidegate_pool_acquire_wait_seconds_sum", analyst)).toBeGreaterThan(1);
  });

  test("batches and the statements of transactions too", async () => {
    const labels = { account: "editor" };
    const counted = () => sum("tidegate_statement_duration_seconds_count", labels);
    const before = await counted();
    const post = async (path: string, body: unknown) => {
      const answer = await gateway.sql(body, { path, role: "editor" });
      expect(answer.status).toBeLessThan(300);
      return answer.body;
    };
    await post("/v1/batch", { statements: [{ sql: "SELECT 1" }, { sql: "SELECT 2" }] });
    await expect.poll(counted, soon).toBe(before + 1);
    const { id } = await post("/v1/transactions", {});
    await post(`/v1/transactions/${id}/sql`, { sql: "SELECT 1" });
    await expect.poll(counted, soon).toBe(before + 2);
    await post(`/v1/transactions/${id}/commit`, {});
    expect(await sum("tidegate_pool_acquire_wait_seconds_count", labels)).toBeGreaterThanOrEqual(2);
  });

  test("logins that fail, and who got no connection because of it", async () => {
    const wrong = await startGateway({
      secrets: { ANALYST_PASSWORD: "a wrong password" },
      grants: [monitor, reader],
    });
    try {
      expectProblem(await wrong.sql({ sql: "SELECT 1" }), 503, "database_login_failed");
      const { body } = await scrape(wrong);
      const labels = { ...analyst, code: "database_login_failed" };
      expect(sumOf(body, "tidegate_pool_logins_failed_total", labels)).toBe(1);
      expect(sumOf(body, "tidegate_pool_unserved_total", labels)).toBe(1);
      expect(body).not.toMatch(/gw_analyst|1045|localhost/);
    } finally {
      await wrong.close();
    }
  });
});

describe("a shard that does not answer", () => {
  const breakPool = (query: string) => gateway.fetch(`/test/broken?object=pool${query}`, { method: "PUT" });

  test.each([
    ["fails", "&way=throws"],
    ["says something else", "&way=no%20JSON"],
  ])("because it %s is down, and the answer is one", async (_, query) => {
    await breakPool(query);
    const { status, body } = await scrape();
    await breakPool("");
    expect(status).toBe(200);
    expect(body.match(/tidegate_shard_up.* 0/g)).toHaveLength(3);
    expect(body).not.toContain("internal-detail");
  });

  test("in time is down, and the others are not", async () => {
    await breakPool("&way=answers%20late&delays_ms=6000,0,0");
    const { status, body } = await scrape();
    await breakPool("");
    expect(status).toBe(200);
    expect(body.match(/tidegate_shard_up.* 0/g)).toHaveLength(1);
    expect(body.match(/tidegate_shard_up.* 1/g)).toHaveLength(2);
    expect(body.match(/tidegate_pool_waiting/g)).toHaveLength(2 + 2);
  });
});

test("through Hyperdrive there is no pool: only tidegate_info is left", async () => {
  const { gateway: other, close } = await startThroughHyperdrive({ grants: [monitor, reader] });
  try {
    expect((await other.sql({ sql: "SELECT 1" })).status).toBe(200);
    const { status, body } = await scrape(other);
    expect(status).toBe(200);
    expect(body.split("\n").filter((line: string) => line !== "" && !line.startsWith("#"))).toEqual([
      expect.stringMatching(
        /^tidegate_info\{environment="development",engine="[a-z]+",link="hyperdrive"\} 1$/,
      ),
    ]);
  } finally {
    await close();
  }
});
