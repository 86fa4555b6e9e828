import type { RowDataPacket } from "mysql2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, issuers, startGateway } from "../support/harness.ts";

/** The ceilings of a grant for one statement. The roles below only choose the grants. */
let gateway: Gateway;
beforeAll(async () => {
  const grant = { issuer: issuers.remote, account: "analyst", allow: ["sql:read"] };
  gateway = await startGateway({
    grants: [
      { ...grant, claims: { role: "hasty" }, deadline_ms: 500 },
      { ...grant, claims: { role: "few" }, max_rows: 3 },
      { ...grant, claims: { role: "small" }, max_bytes: 200_000 },
      { ...grant, claims: { role: "single" }, max_concurrent: 1 },
      { ...grant, claims: { role: "free" } },
    ],
  });
});
afterAll(() => gateway?.close());

async function free(): Promise<number> {
  return (await gateway.sql({ sql: "SELECT 1" }, { role: "free" })).status;
}

test("a deadline of the grant's own ends the statement at the server too", async () => {
  const answer = await gateway.sql({ sql: "SELECT SLEEP(20) AS hasty" }, { role: "hasty" });
  expectProblem(answer, 504, "deadline_exceeded");
  expect(answer.body.detail).toBe("The deadline is 500 ms.");
  const administrator = await connectAdministrator(databaseServer());
  try {
    const running = async () => {
      const [rows] = await administrator.query<RowDataPacket[]>("SHOW FULL PROCESSLIST");
      return rows.filter((row) => String(row.Info).includes("AS hasty")).length;
    };
    await expect.poll(running).toBe(0);
  } finally {
    await administrator.end();
  }
  expect(await free()).toBe(200);
});

describe("a result that is too large", () => {
  test("by rows: as many as allowed are answered, one more is refused", async () => {
    const rows = (count: number) =>
      gateway.sql({ sql: `SELECT id FROM cities LIMIT ${count}` }, { role: "few" });
    expect((await rows(3)).body.rows).toHaveLength(3);
    const refused = await rows(4);
    expectProblem(refused, 413, "result_too_large");
    expect(refused.body.detail).toBe("It may have 3 rows.");
    expect((await rows(3)).status).toBe(200);
  });

  test("by bytes, before and after the answer has begun", async () => {
    const role = "small";
    expect((await gateway.sql({ sql: "SELECT REPEAT('x', 190000) AS x" }, { role })).status).toBe(200);
    const atOnce = await gateway.sql({ sql: "SELECT REPEAT('x', 210000) AS x" }, { role });
    expectProblem(atOnce, 413, "result_too_large");
    const headers = {
      authorization: `Bearer ${await gateway.token({ role })}`,
      "content-type": "application/json",
    };
    const body = JSON.stringify({ sql: "SELECT * FROM cities" });
    const streaming = await gateway.fetch("/v1/sql", { method: "POST", body, headers });
    await expect(streaming.json()).rejects.toThrow();
    expect(await free()).toBe(200);
  });
});

test("one statement at a time: a second is refused at once, and other grants go on", async () => {
  const role = "single";
  const first = gateway.sql({ sql: "SELECT SLEEP(3) AS x" }, { role });
  // This asks the server directly: through the gateway the question could take the statement's place.
  const administrator = await connectAdministrator(databaseServer());
  const running = async () => {
    const sql = "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(3)%'";
    const [rows] = await administrator.query<RowDataPacket[]>(sql);
    return Number(rows[0]?.n);
  };
  await expect.poll(running, { interval: 20 }).toBe(1);
  await administrator.end();
  const second = await gateway.sql({ sql: "SELECT 1" }, { role });
  expectProblem(second, 429, "concurrency_exceeded");
  expect(second.body.retryable).toBe(true);
  expect(await free()).toBe(200);
  expect((await first).status).toBe(200);
  expect((await gateway.sql({ sql: "SELECT 1" }, { role })).status).toBe(200);
});
