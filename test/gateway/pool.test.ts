import { setTimeout as sleep } from "node:timers/promises";
import type { RowDataPacket } from "mysql2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../servers/connection.ts";
import type { CountingProxy } from "../servers/proxy.ts";
import { restore, restored, texts } from "./commands.ts";
import type { Gateway } from "./harness.ts";
import { databaseServer, engine, expectProblem, read, server, startGateway, startProxy } from "./harness.ts";

let gateway: Gateway;
let proxy: CountingProxy;
beforeAll(async () => {
  proxy = await startProxy();
  const one = { connections_per_shard: 1 };
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${proxy.port}`] },
    accounts: { analyst: account("analyst", one), editor: account("editor", one) },
  });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
});

function account(name: string, more: Record<string, unknown>) {
  const acts_as = server.actsAs[name];
  const password = `${name.toUpperCase()}_PASSWORD`;
  return { user: `gw_${name}`, password, ...(acts_as === undefined ? {} : { acts_as }), ...more };
}

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

  test("that nobody reads any more frees its connection", async () => {
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
    const mark = proxy.mark();
    await gateway.sql({ sql: "SELECT 1" });
    // Each command takes 400 ms now, which no busy machine uses up: at most the restore's first one can be on its way.
    expect(texts(mark.commands).slice(0, 2)).toEqual(["COM_STMT_PREPARE", "COM_STMT_EXECUTE"]);
    expect(texts(mark.commands).length).toBeLessThanOrEqual(3);
    await expect.poll(() => texts(mark.commands).length, { timeout: 10_000 }).toBe(6);
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

describe("round trips, exactly", () => {
  const select = { sql: "SELECT code FROM countries WHERE code = ?", params: ["NZ"] };

  /** What one request costs on a connection that may have to be opened first, its restore included. */
  async function cost(body: unknown, role = "analyst") {
    const mark = proxy.mark();
    expect((await gateway.sql(body, { role })).status).toBe(200);
    await restored(proxy);
    return { commands: texts(mark.commands), roundTrips: mark.roundTrips };
  }

  async function loginCost(): Promise<number> {
    const logins = proxy.loginRoundTrips.length;
    proxy.dropAll();
    await sleep(100);
    await cost(select);
    expect(proxy.loginRoundTrips.length).toBe(logins + 1);
    return proxy.loginRoundTrips.at(-1) ?? 0;
  }

  test("of a login, of statements and of the restore", async () => {
    const administrator = await connectAdministrator(databaseServer());
    // Empties the cache of caching_sha2_password: the next login proves the password itself.
    await administrator.query("FLUSH PRIVILEGES");
    await administrator.end();
    const full = await loginCost();
    const fast = await loginCost();

    proxy.dropAll();
    await sleep(100);
    const opening = await cost(select);
    expect(opening.commands).toEqual(["SET", "SELECT", "COM_STMT_PREPARE", "COM_STMT_EXECUTE", ...restore]);
    const first = await cost({ ...select, sql: `${select.sql} -- another text` });
    // A reset deallocates prepared statements: in this simple form a repeated statement is a first one.
    const repeated = await cost(select);
    for (const { commands } of [first, repeated]) {
      expect(commands).toEqual(["COM_STMT_PREPARE", "COM_STMT_EXECUTE", ...restore]);
    }
    await cost({ sql: "SELECT 1" }, "editor");
    const write = await cost({ sql: "DELETE FROM notes WHERE id = 0" }, "editor");
    expect(write.commands).toEqual(["SET", "COM_STMT_PREPARE", "COM_STMT_EXECUTE", ...restore]);

    const figures = {
      "TCP and greeting, TLS 1.3, login with an empty password cache": full,
      "the same with a filled one": fast,
      "resting state and proof of identity, once per login": opening.roundTrips - first.roundTrips,
      "first statement, before its answer": first.roundTrips - restore.length,
      "repeated statement, before its answer": repeated.roundTrips - restore.length,
      "write, before its answer": write.roundTrips - restore.length,
      "restore, after the answer": restore.length,
    };
    console.table(figures);
    expect(Object.values(figures)).toEqual([engine === "mysql" ? 4 : 3, 3, 2, 2, 2, 3, 4]);
  });
});

describe("the deadline", () => {
  test("a statement that takes too long is ended at the server, and the pool goes on", async () => {
    const mark = proxy.mark();
    const answer = await gateway.sql({ sql: "SELECT SLEEP(40) AS too_long" });
    expectProblem(answer, 504, "deadline_exceeded");
    // The KILL goes over a connection of its own, which says goodbye.
    await expect.poll(() => texts(mark.commands).slice(-2)).toEqual(["KILL", "COM_QUIT"]);
    await expect.poll(() => proxy.open).toBeLessThanOrEqual(1);
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
