import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { restored } from "../support/commands.ts";
import type { Gateway } from "../support/harness.ts";
import {
  databaseServer,
  engine,
  expectProblem,
  read,
  startGateway,
  startProxy,
  testAccount,
} from "../support/harness.ts";
import { countRunning } from "../support/running.ts";

let gateway: Gateway;
let proxy: CountingProxy;
let administrator: Connection;

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  proxy = await startProxy();
  const one = { connections_per_shard: 1 };
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${proxy.port}`] },
    accounts: { analyst: testAccount("analyst", one), editor: testAccount("editor", one) },
  });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
  await administrator?.end();
});

interface Who {
  sub?: string;
  role?: string;
}

async function call(
  method: string,
  path: string,
  { sub = "alice", role = "analyst" }: Who,
  body?: object,
  id?: string,
) {
  const headers: Record<string, string> = { authorization: `Bearer ${await gateway.token({ sub, role })}` };
  if (id !== undefined) headers["x-request-id"] = id;
  if (body) headers["content-type"] = "application/json";
  return await read(
    await gateway.fetch(path, { method, headers, ...(body && { body: JSON.stringify(body) }) }),
  );
}
const run = (body: object, id: string, who: Who = {}) => call("POST", "/v1/sql", who, body, id);
const cancel = (id: string, who: Who = {}) => call("DELETE", `/v1/requests/${id}`, who);

const running = (text: string) => countRunning(administrator, text);

/** Starts a statement that sleeps, and waits until the server runs it. */
async function sleeping(who: Who = {}) {
  const id = randomUUID();
  const mark = `c${id.slice(0, 8)}`;
  const answer = run({ sql: `SELECT SLEEP(20) AS ${mark}` }, id, who);
  await expect.poll(() => running(mark)).toBe(1);
  return { id, mark, answer };
}

describe("a statement of one's own", () => {
  test("is stopped at the server, and its connection serves on", async () => {
    const { id, mark, answer } = await sleeping();
    const opened = proxy.accepted;
    const { status, body } = await cancel(id);
    expect({ status, body }).toEqual({ status: 200, body: { stopped: 1 } });
    expectProblem(await answer, 409, "request_cancelled");
    await expect.poll(() => running(mark)).toBe(0);
    expect((await run({ sql: "SELECT 1" }, randomUUID())).status).toBe(200);
    // One more was opened: the admin connection.
    expect(proxy.accepted - opened).toBeLessThanOrEqual(1);
    expect((await cancel(id)).body.code).toBe("request_unknown");
  });

  test("that waits for a connection is stopped too", async () => {
    const first = await sleeping();
    const id = randomUUID();
    const waiting = run({ sql: "SELECT 2" }, id);
    await expect.poll(async () => (await cancel(id)).status).toBe(200);
    expectProblem(await waiting, 409, "request_cancelled");
    expect((await cancel(first.id)).status).toBe(200);
    await first.answer;
  });

  test("that writes is rolled back", async () => {
    const who = { role: "editor" };
    const id = randomUUID();
    const mark = `cancelled ${id}`;
    const sql =
      "INSERT INTO notes (city_id, body, author) SELECT 1, ?, 1 FROM countries WHERE SLEEP(0.2) = 0";
    const answer = run({ sql, params: [mark] }, id, who);
    await expect.poll(() => running("WHERE SLEEP(0.2)")).toBe(1);
    expect((await cancel(id, who)).status).toBe(200);
    expectProblem(await answer, 409, "request_cancelled");
    const count = { sql: "SELECT COUNT(*) AS n FROM notes WHERE body = ?", params: [mark] };
    expect((await run(count, randomUUID(), who)).body.rows).toEqual([{ n: "0" }]);
  });
});

describe("is refused", () => {
  test("for somebody else's statement, which goes on", async () => {
    const { id, mark, answer } = await sleeping();
    for (const who of [{ sub: "bob" }, { sub: "alice", role: "editor" }]) {
      expectProblem(await cancel(id, who), 404, "request_unknown");
    }
    expect(await running(mark)).toBe(1);
    expect((await cancel(id)).status).toBe(200);
    await answer;
  });

  test("for what was never there, and without a token or a grant", async () => {
    expectProblem(await cancel(randomUUID()), 404, "request_unknown");
    expectProblem(
      await read(await gateway.fetch("/v1/requests/x", { method: "DELETE" })),
      401,
      "token_missing",
    );
    expectProblem(await cancel("x", { role: "nobody" }), 403, "access_denied");
  });
});

test("two of one request are stopped together", async () => {
  const id = randomUUID();
  const both = [1, 2].map((n) => run({ sql: `SELECT SLEEP(20) AS both${n}` }, id));
  await expect.poll(() => running("AS both")).toBe(1);
  expect((await cancel(id)).body).toEqual({ stopped: 2 });
  for (const answer of await Promise.all(both)) expectProblem(answer, 409, "request_cancelled");
});

test("in a batch nothing is applied, and in a transaction it is rolled back", async () => {
  const who = { role: "editor" };
  const slow = { sql: "SELECT SLEEP(20) AS in_a_batch" };
  const mark = `batch ${randomUUID()}`;
  const insert = { sql: "INSERT INTO notes (city_id, body, author) VALUES (1, ?, 1)", params: [mark] };
  const id = randomUUID();
  const batch = call("POST", "/v1/batch", who, { statements: [insert, slow] }, id);
  await expect.poll(() => running("AS in_a_batch")).toBe(1);
  expect((await cancel(id, who)).status).toBe(200);
  expectProblem(await batch, 409, "request_cancelled");
  const count = { sql: "SELECT COUNT(*) AS n FROM notes WHERE body = ?", params: [mark] };
  expect((await run(count, randomUUID(), who)).body.rows).toEqual([{ n: "0" }]);
});

describe("the deadline", () => {
  test("is kept, and costs no connection", async () => {
    await run({ sql: "SELECT 1" }, randomUUID());
    await restored(proxy);
    const started = Date.now();
    const answer = await run({ sql: "SELECT SLEEP(20) AS too_long", timeout_ms: 700 }, randomUUID());
    expectProblem(answer, 504, "deadline_exceeded");
    expect(Date.now() - started).toBeLessThan(15_000);
    await expect.poll(() => running("AS too_long")).toBe(0);
    const opened = proxy.accepted;
    for (let i = 0; i < 3; i++) expect((await run({ sql: "SELECT 1" }, randomUUID())).status).toBe(200);
    expect(proxy.accepted).toBe(opened);
  });
});

test("cancelling what one caller runs never hits another's statements on the same connection", async () => {
  const races = Number(process.env.TIDEGATE_CANCELLATIONS ?? (engine === "mysql" ? 1_000 : 200));
  let busy = true;
  const wrong: unknown[] = [];
  let served = 0;
  const other = async () => {
    while (busy) {
      const n = String(served);
      const { status, body } = await run({ sql: "SELECT ? AS n", params: [n] }, randomUUID(), { sub: "bob" });
      if (status !== 200 || body.rows[0].n !== n) wrong.push(body);
      served += 1;
    }
  };
  const others = [other()];
  const ends = new Map<number, number>();
  let hit = 0;
  const racer = async () => {
    for (let i = 0; i < races / 8; i++) {
      const id = randomUUID();
      const answer = run({ sql: "SELECT SLEEP(0.002) AS n" }, id);
      await sleep(Math.random() * 12);
      const stopped = (await cancel(id)).status === 200;
      if (stopped) hit += 1;
      const { status } = await answer;
      ends.set(status, (ends.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 8 }, racer)).finally(() => {
    busy = false;
  });
  await Promise.all(others);
  console.log(
    `  ${races} cancellations raced ${served} statements of another caller: ${hit} hit, ${wrong.length} wrong`,
  );
  expect(wrong).toEqual([]);
  expect(served).toBeGreaterThan(20);
  expect(hit).toBeGreaterThan(20);
  expect([...ends.keys()].sort()).toEqual([200, 409]);
  expect(ends.get(409)).toBe(hit);
}, 240_000);
