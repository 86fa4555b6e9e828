import { setTimeout as sleep } from "node:timers/promises";
import type { RowDataPacket } from "mysql2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy, ProxyEvent } from "../../../servers/wire/proxy.ts";
import { restored, texts } from "../support/commands.ts";
import type { Gateway } from "../support/harness.ts";
import {
  databaseServer,
  expectProblem,
  read,
  startGateway,
  startProxy,
  testAccount,
} from "../support/harness.ts";

let gateway: Gateway;
let proxy: CountingProxy;
beforeAll(async () => {
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
});

describe("connections persist", () => {
  test("a second request opens none, by the server's own counter", async () => {
    await gateway.sql({ sql: "SELECT 1" });
    const administrator = await connectAdministrator(databaseServer());
    try {
      const connections = async () => {
        const [rows] = await administrator.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Connections'");
        return Number(rows[0]?.Value);
      };
      const before = await connections();
      const ids = new Set<string>();
      for (let i = 0; i < 20; i++) {
        const { body } = await gateway.sql({ sql: "SELECT CAST(CONNECTION_ID() AS CHAR) AS id" });
        ids.add(body.rows[0].id);
      }
      expect(ids.size).toBe(1);
      expect(await connections()).toBe(before);
    } finally {
      await administrator.end();
    }
  });

  test("requests wait for the one connection in turn, and none is lost", async () => {
    const numbers = Array.from({ length: 50 }, (_, i) => String(i));
    const answers = await Promise.all(numbers.map((n) => gateway.sql({ sql: "SELECT ? AS n", params: [n] })));
    expect(answers.map(({ body }) => body.rows[0].n)).toEqual(numbers);
    expect(proxy.open).toBeLessThanOrEqual(2);
  });
});

describe("a long answer", () => {
  // Larger than all buffers on the way together.
  const sql =
    "SELECT a.name, b.name AS other, REPEAT('x', 200) AS filler FROM cities a, cities b LIMIT 50000";

  async function start(): Promise<Response> {
    const headers = { authorization: `Bearer ${await gateway.token()}`, "content-type": "application/json" };
    return await gateway.fetch("/v1/sql", { method: "POST", body: JSON.stringify({ sql }), headers });
  }

  test("gives its connection back when it has been read", async () => {
    expect((await read(await start())).body.rows).toHaveLength(50_000);
    expect((await gateway.sql({ sql: "SELECT 1" })).status).toBe(200);
  });

  test("waits for a slow reader, and is whole in the end", async () => {
    const response = await start();
    await sleep(500);
    expect((await read(response)).body.rows).toHaveLength(50_000);
    expect((await gateway.sql({ sql: "SELECT 1" })).status).toBe(200);
  });

  test("that is abandoned frees its connection", async () => {
    const response = await start();
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect((await gateway.sql({ sql: "SELECT 1" })).status).toBe(200);
  });
});

test("the restore comes after the answer, never before it", async () => {
  await gateway.sql({ sql: "SELECT 1" });
  await restored(proxy);
  proxy.setDelayMs(200);
  try {
    const marks = proxy.connections.map(({ events }) => events.length);
    await gateway.sql({ sql: "SELECT 1" });
    const answeredAt = performance.now();
    const resetOf = (events: readonly ProxyEvent[]) =>
      events.findIndex(({ command }) => command === "COM_RESET_CONNECTION");
    const reply = () => {
      const news = proxy.connections.map(({ events }, i) => events.slice(marks[i] ?? 0));
      const used = news.find((events) => resetOf(events) >= 0) ?? [];
      return used.find(({ kind }, i) => i > resetOf(used) && kind === "reply");
    };
    await expect.poll(reply, { timeout: 10_000 }).toBeDefined();
    expect(reply()?.at).toBeGreaterThan(answeredAt);
  } finally {
    proxy.setDelayMs(0);
  }
});

test("a server that falls silent during the restore costs the connection, not its place", async () => {
  await gateway.sql({ sql: "SELECT 1" });
  await restored(proxy);
  proxy.setDelayMs(50);
  expect((await gateway.sql({ sql: "SELECT 1" })).status).toBe(200);
  proxy.blackHole(true);
  const closed = () => gateway.logs().some(({ message }) => message.includes("no reply within 5000 ms"));
  await expect.poll(closed, { timeout: 10_000, interval: 100 }).toBe(true);
  proxy.blackHole(false);
  proxy.setDelayMs(0);
  expect((await gateway.sql({ sql: "SELECT 1" })).status).toBe(200);
});

test("HEAD on a saved query checks everything and runs nothing", async () => {
  await restored(proxy);
  const mark = proxy.mark();
  const headers = { authorization: `Bearer ${await gateway.token()}` };
  const head = async (path: string) => await gateway.fetch(path, { method: "HEAD", headers });
  expect((await head("/v1/queries/country?code=NZ")).status).toBe(200);
  expect((await head("/v1/queries/country")).status).toBe(400);
  expect(mark.commands).toEqual([]);
});

describe("the deadline", () => {
  test("a statement that takes too long is ended at the server, and the pool goes on", async () => {
    const mark = proxy.mark();
    const answer = await gateway.sql({ sql: "SELECT SLEEP(40) AS too_long", timeout_ms: 1_000 });
    expectProblem(answer, 504, "deadline_exceeded");
    // The KILL uses a separate connection, which stays open for the next KILL.
    await expect.poll(() => texts(mark.commands)).toContain("KILL");
    await expect.poll(() => proxy.open).toBeLessThanOrEqual(3);
    const administrator = await connectAdministrator(databaseServer());
    try {
      await expect
        .poll(async () => {
          const [rows] = await administrator.query<RowDataPacket[]>("SHOW FULL PROCESSLIST");
          return rows.filter((row) => String(row.Info).includes("too_long")).length;
        })
        .toBe(0);
    } finally {
      await administrator.end();
    }
    expect((await gateway.sql({ sql: "SELECT 1" })).status).toBe(200);
  }, 40_000);
});
