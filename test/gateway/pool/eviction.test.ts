// Runs on mysql only: what ends is the gateway's object. What TiDB does with a statement that is left: tidb/left-running.test.ts.
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { ExecuteWork, PoolRequest } from "../../../src/db/pool/messages/protocol.ts";
import { protocolVersion } from "../../../src/db/pool/messages/protocol.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, read, startGateway, testAccount } from "../support/harness.ts";
import { expectOwnAnswers, question } from "../support/hostility.ts";

/** A Pool object ends during its work, as the platform may end one at any time. */

let gateway: Gateway;
let administrator: Connection;
beforeAll(async () => {
  const one = { connections_per_shard: 1 };
  gateway = await startGateway({
    entry: "abort",
    accounts: { analyst: testAccount("analyst", one), editor: testAccount("editor", one) },
  });
  administrator = await connectAdministrator(databaseServer());
});
afterAll(async () => {
  await administrator?.end();
  await gateway?.close();
});

const objectOf = (account: string) => encodeURIComponent(gateway.poolName(account));

async function endPool(account: string): Promise<void> {
  const { status } = await gateway.fetch(`/test/abort?name=${objectOf(account)}`, { method: "PUT" });
  expect(status).toBe(204);
}

/** Sends a message to an object; `changed` are the parts that another Worker would send differently. */
async function tell(work: ExecuteWork, changed: Partial<PoolRequest> = {}): Promise<Response> {
  const message: PoolRequest = {
    version: protocolVersion,
    generation: gateway.poolGeneration("analyst"),
    ...{ requestId: "told", workId: "told", account: "analyst", work },
  };
  const body = JSON.stringify({ ...message, ...changed });
  return await gateway.fetch(`/test/tell?name=${objectOf("analyst")}`, { method: "POST", body });
}

async function rows(sql: string, values: unknown[] = []): Promise<RowDataPacket[]> {
  return (await administrator.query<RowDataPacket[]>(sql, values))[0];
}

/** Waits until the server executes a statement. */
async function executing(text: string): Promise<void> {
  const sql =
    "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE INFO LIKE ? AND USER LIKE 'gw%'";
  await expect.poll(async () => Number((await rows(sql, [`%${text}%`]))[0]?.n)).toBeGreaterThan(0);
}

const written = async (body: string) =>
  Number((await rows("SELECT COUNT(*) AS n FROM world.notes WHERE body = ?", [body]))[0]?.n);

/** A write that lasts this long; a second execution writes a second row. */
const slowInsert = (body: string, seconds: number) => ({
  sql: `INSERT INTO notes (city_id, author, body) SELECT id, 'evicted', ? FROM cities WHERE SLEEP(${seconds}) = 0 ORDER BY id LIMIT 1`,
  params: [body],
});

/** Either the read was answered, or it may be repeated. */
function expectReadSettled(answer: Answer): void {
  if (answer.status === 200) return;
  expectProblem(answer, 503, "connection_lost");
  expect(answer.body.retryable).toBe(true);
}

/** The write was acknowledged and is there once, or its outcome is unknown; it is never there twice. */
async function expectWriteSettled(answer: Answer, body: string): Promise<void> {
  if (answer.status === 200) {
    expect(await written(body)).toBe(1);
  } else {
    expectProblem(answer, 503, "outcome_unknown");
    expect(answer.body.retryable).toBe(false);
    expect(await written(body)).toBeLessThanOrEqual(1);
  }
}

describe("an object that ends", () => {
  test("while an answer streams: it is whole, or it breaks off", async () => {
    const sql =
      "SELECT a.name, b.name AS other, REPEAT('x', 200) AS filler FROM cities a, cities b LIMIT 50000";
    const headers = { authorization: `Bearer ${await gateway.token()}`, "content-type": "application/json" };
    const response = await gateway.fetch("/v1/sql", {
      method: "POST",
      body: JSON.stringify({ sql }),
      headers,
    });
    expect(response.status).toBe(200);
    await endPool("analyst");
    const whole = await read(response).then(
      ({ body }) => body.rows.length,
      () => "broken off",
    );
    expect([50_000, "broken off"]).toContain(whole);
    await expectOwnAnswers(gateway);
  });

  test("while a read runs and others wait for the connection", async () => {
    const running = gateway.sql({ sql: "SELECT SLEEP(2) AS evicted_read" });
    await executing("evicted_read");
    const questions = Array.from({ length: 5 }, () => question());
    const waiting = questions.map(({ sql, params }) => gateway.sql({ sql, params }));
    await sleep(200);
    await endPool("analyst");
    expectReadSettled(await running);
    for (const [index, answer] of (await Promise.all(waiting)).entries()) {
      expectReadSettled(answer);
      if (answer.status === 200) expect(answer.body.rows).toEqual(questions[index]?.rows);
    }
    await expectOwnAnswers(gateway);
  });

  test("while a write runs and others wait: none is executed twice", async () => {
    const bodies = Array.from({ length: 4 }, (_, index) => `evicted ${Date.now()} ${index}`);
    const [first = "", ...others] = bodies;
    const running = gateway.sql(slowInsert(first, 2), { role: "editor" });
    await executing("'evicted'");
    const waiting = others.map((body) => gateway.sql(slowInsert(body, 0), { role: "editor" }));
    await sleep(200);
    await endPool("editor");
    const answers = [await running, ...(await Promise.all(waiting))];
    // By then the statement that the server still executes has ended.
    await sleep(2_500);
    for (const [index, answer] of answers.entries())
      await expectWriteSettled(answer, bodies[index] as string);
    expect((await gateway.sql({ sql: "SELECT 1 AS n" }, { role: "editor" })).status).toBe(200);
  });

  test("while it restores, again and again: the next request works", async () => {
    for (let round = 0; round < 10; round++) {
      const { sql, params, rows: own } = question();
      const answer = await gateway.sql({ sql, params });
      expect(answer.body.rows).toEqual(own);
      // The restore goes on after the answer.
      await endPool("analyst");
    }
    await expectOwnAnswers(gateway);
  });

  test("leaves no connection behind at the server", async () => {
    const count = async () =>
      Number(
        (await rows("SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE USER LIKE 'gw%'"))[0]?.n,
      );
    await expect.poll(count, { timeout: 20_000, interval: 500 }).toBeLessThanOrEqual(2);
  });
});

describe("an object that is met by a Worker of another kind", () => {
  const work: ExecuteWork = {
    kind: "execute",
    caller: "told",
    sql: "SELECT 'executed' AS state",
    values: [],
    writable: false,
    bounded: true,
    author: "caller",
    atomic: true,
    returning: false,
    format: "json",
    shape: "object",
    ceilings: { deadlineMs: 1_000, bytes: 1_000 },
  };

  test("of its own kind it takes the message", async () => {
    const response = await tell(work);
    expect(await response.text()).toContain("executed");
  });

  test.each([
    ["version", { version: protocolVersion + 1 }],
    ["older version", { version: protocolVersion - 1 }],
    ["cluster or accounts", { generation: "0".repeat(64) }],
  ])("of another %s it takes none, and says so", async (_, changed) => {
    const answer: unknown = await (await tell(work, changed)).json();
    expect(answer).toMatchObject({ code: "version_mismatch", status: 503, retryable: true });
    await expectOwnAnswers(gateway);
  });

  test("of protocol 9, which asks by fetch, it does nothing for, and says what that Worker understands", async () => {
    const message = { version: 9, generation: gateway.poolGeneration("analyst"), account: "analyst", work };
    const path = `/test/fetch?name=${objectOf("analyst")}`;
    const response = await gateway.fetch(path, { method: "POST", body: JSON.stringify(message) });
    expect(response.headers.get("tidegate-error")).toBe("1");
    expect(await response.json()).toEqual({ code: "version_mismatch", details: { retryAfter: 1 } });
    await expectOwnAnswers(gateway);
  });
});

test("an object with the code of protocol 9 knows no RPC: even a write may be sent again, for it was not executed", async () => {
  await gateway.fetch("/test/old", { method: "PUT" });
  const body = `too old ${Date.now()}`;
  const insert = () => gateway.sql(slowInsert(body, 0), { role: "editor" });
  try {
    const answer = await insert();
    expectProblem(answer, 503, "version_mismatch");
    expect(answer.body.retryable).toBe(true);
    expect(await written(body)).toBe(0);
  } finally {
    await gateway.fetch("/test/old", { method: "DELETE" });
  }
  expect((await insert()).status).toBe(200);
  expect(await written(body)).toBe(1);
});
