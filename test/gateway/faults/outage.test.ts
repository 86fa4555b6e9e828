import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import type { Gateway } from "../support/harness.ts";
import { expectProblem, read, startGateway, startProxy } from "../support/harness.ts";
import { isServe } from "../support/runtime.ts";

let gateway: Gateway;
let proxy: CountingProxy;
beforeAll(async () => {
  proxy = await startProxy();
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${proxy.port}`], connect_timeout_ms: 1_000 },
  });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
});

const select = { sql: "SELECT 'fine' AS state" };

describe("the database goes away and comes back", () => {
  test("503 with Retry-After while it is down, and it works again within moments", async () => {
    expect((await gateway.sql(select)).status).toBe(200);
    proxy.refuse(true);
    proxy.dropAll();
    await sleep(50);
    const down = await gateway.sql(select);
    expectProblem(down, 503, "database_unreachable");
    expect(down.body.retryable).toBe(true);
    proxy.refuse(false);
    const rows = async () => (await gateway.sql(select)).body.rows;
    await expect.poll(rows, { timeout: 10_000, interval: 200 }).toEqual([{ state: "fine" }]);
  });

  test("/livez goes on, /readyz says so", async () => {
    const other = await startGateway({
      cluster: { hosts: [`localhost:${proxy.port}`], connect_timeout_ms: 1_000 },
    });
    try {
      proxy.refuse(true);
      expect((await other.fetch("/livez")).status).toBe(200);
      expectProblem(await read(await other.fetch("/readyz")), 503, "database_unreachable");
      proxy.refuse(false);
      // The endpoint is open to everybody, so the result of a check is valid for some seconds.
      const status = async () => (await other.fetch("/readyz")).status;
      await expect.poll(status, { timeout: 10_000, interval: 500 }).toBe(200);
    } finally {
      proxy.refuse(false);
      await other.close();
    }
  });

  test("an address where nobody listens", async () => {
    const nowhere = await startGateway({ cluster: { hosts: ["localhost:1"], connect_timeout_ms: 1_000 } });
    try {
      expectProblem(await nowhere.sql(select), 503, "database_unreachable");
    } finally {
      await nowhere.close();
    }
  });

  test("a connection lost in the middle: a read may be sent again, a write's outcome is unknown", async () => {
    const lost = async (role: string, sql: string) => {
      const mark = proxy.mark();
      const answer = gateway.sql({ sql }, { role });
      await expect.poll(() => mark.commands.at(-1)?.command).toBe("COM_STMT_EXECUTE");
      proxy.dropAll();
      return await answer;
    };
    const read = await lost("analyst", "SELECT SLEEP(5)");
    expectProblem(read, 503, "connection_lost");
    expect(read.body.retryable).toBe(true);
    const write = await lost(
      "editor",
      "INSERT INTO notes (city_id, author, body) SELECT id, 'lost', SLEEP(3) FROM cities LIMIT 1",
    );
    expectProblem(write, 503, "outcome_unknown");
    expect(write.body.retryable).toBe(false);
    expect((await gateway.sql(select)).status).toBe(200);
  });
});

describe("the gateway's own mistakes", () => {
  test("a wrong password is the operator's business: 503, its reason in the log only", async () => {
    const wrong = await startGateway({ secrets: { ANALYST_PASSWORD: "a wrong password" } });
    try {
      const answer = await wrong.sql(select);
      expectProblem(answer, 503, "database_login_failed");
      expect(JSON.stringify(answer.body)).not.toContain("gw_analyst");
      expect(wrong.logs().some(({ message }) => message.includes("1045"))).toBe(true);
    } finally {
      await wrong.close();
    }
  });

  // `tidegate serve` does not start then (test/unit/cli/serve/command.test.ts).
  test.skipIf(isServe)(
    "a missing secret refuses every request and names itself in the log only",
    async () => {
      const broken = await startGateway({ secrets: { SHARED_SECRET: "" } });
      try {
        const answer = await broken.sql(select);
        expectProblem(answer, 500, "misconfigured");
        expect(JSON.stringify(answer.body)).not.toContain("SHARED_SECRET");
        expect(
          broken.logs().some(({ message }) => message.includes("the secret SHARED_SECRET is missing")),
        ).toBe(true);
      } finally {
        await broken.close();
      }
    },
  );
});
