// Runs on mariadb only: the gateway chooses among the hosts.
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { DatabaseServer } from "../../../servers/database/server.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { logged } from "../support/ask.ts";
import { startFurther } from "../support/further-server.ts";
import { databaseServer, expectProblem, startProxy } from "../support/harness.ts";
import type { Ledger } from "../support/ledger.ts";
import { dropLedger, ledgerGrants, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

/** Two servers, the first one preferred. It becomes read-only, like an old primary in a failover. */

let second: DatabaseServer;
let administrators: Connection[] = [];
let proxies: CountingProxy[] = [];
let ledger: Ledger | undefined;

beforeAll(async () => {
  second = await startFurther("second");
  administrators = [await connectAdministrator(databaseServer()), await connectAdministrator(second)];
  for (const administrator of administrators) await prepareLedger(administrator);
});
beforeEach(async () => {
  proxies = [await startProxy(), await startProxy({ port: second.port })];
  for (const administrator of administrators) await resetLedger(administrator);
});
afterEach(async () => {
  for (const which of [0, 1]) await readOnly(which, false);
  await ledger?.gateway.close();
  for (const proxy of proxies) await proxy.stop();
});
afterAll(async () => {
  for (const administrator of administrators) {
    await dropLedger(administrator);
    await administrator.end();
  }
  await second?.stop();
});

const size = 4;

async function start(hosts = proxies): Promise<Ledger> {
  ledger = await startLedger(
    { connections_per_shard: size, connections_per_caller: size },
    {
      cluster: { hosts: hosts.map(({ port }) => `localhost:${port}`) },
      accounts: { reads: { user: "gw_ledger_reader", password: "ANALYST_PASSWORD" } },
      grants: [
        ...ledgerGrants,
        { ...ledgerGrants[0], claims: { role: "analyst" }, account: "reads", allow: ["sql:read"] },
      ],
    },
  );
  return ledger;
}

async function readOnly(which: number, is: boolean): Promise<void> {
  await administrators[which]?.query(`SET GLOBAL read_only = ${is ? "ON" : "OFF"}`);
}

const write = "INSERT INTO entries (account, note) VALUES (1, 'x')";

/** The number of entries on each server. */
async function entries(): Promise<number[]> {
  const counts = administrators.map(async (administrator) => {
    const [rows] = await administrator.query<RowDataPacket[]>("SELECT COUNT(*) AS n FROM ledger.entries");
    return Number(rows[0]?.n);
  });
  return await Promise.all(counts);
}

const open = () => proxies.map((proxy) => proxy.open);

/** Opens every connection of the pool, to the first server. */
async function fill(to: Ledger): Promise<void> {
  const together = async () => {
    const all = Array.from({ length: size }, () => to.as().sql("SELECT SLEEP(0.2)"));
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual(Array(size).fill(200));
    return open();
  };
  await expect.poll(together).toEqual([size, 0]);
  // A connection is restored after its answer, and a restore notices a server that has become read-only.
  let before: number | undefined;
  const isQuiet = () => {
    const now = proxies[0]?.roundTrips();
    const quiet = now === before;
    before = now;
    return quiet;
  };
  await expect.poll(isQuiet, { interval: 200 }).toBe(true);
}

describe("a server becomes read-only", () => {
  test("one write fails, and the same one again, with its key, and all others go to the next host", async () => {
    const to = await start();
    await fill(to);
    await readOnly(0, true);
    const caller = to.as();
    const send = async () => {
      const headers = {
        authorization: `Bearer ${await to.gateway.token({ role: "writer" })}`,
        "content-type": "application/json",
        "idempotency-key": "of-the-failover",
      };
      return await to.gateway.fetch("/v1/sql", {
        method: "POST",
        headers,
        body: JSON.stringify({ sql: write }),
      });
    };
    const failed = await send();
    expect(await failed.json()).toMatchObject({ code: "database_unavailable", errno: 1290, retryable: true });
    const again = await send();
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, null]);
    for (let i = 0; i < 10; i++) expect((await caller.sql(write)).status).toBe(200);
    expect(await entries()).toEqual([0, 11]);
    await expect.poll(() => proxies[0]?.open).toBe(0);
    expect(logged(to.gateway, "host_read_only")[0]).toMatchObject({ host: `localhost:${proxies[0]?.port}` });
  });

  test("writes at the same time: one of each connection fails at the most, and then none", async () => {
    const to = await start();
    await fill(to);
    await readOnly(0, true);
    const all = await Promise.all(Array.from({ length: 40 }, () => to.as().sql(write)));
    const failed = all.filter(({ status }) => status !== 200);
    for (const answer of failed) expectProblem(answer, 503, "database_unavailable");
    expect(failed.length).toBeLessThanOrEqual(size);
    for (let i = 0; i < 10; i++) expect((await to.as().sql(write)).status).toBe(200);
    expect(await entries()).toEqual([0, 50 - failed.length]);
  });

  test("a transaction, its COMMIT and a batch are told so, and the next ones go to the next host", async () => {
    const to = await start();
    await fill(to);
    const caller = to.as();
    const id = await caller.opened();
    expect((await caller.in(id, write)).status).toBe(200);
    await readOnly(0, true);
    const refused = await caller.commit(id);
    expectProblem(refused, 503, "database_unavailable");
    expect(refused.body).toMatchObject({ transaction: "rolled_back", retryable: true });
    expect((await caller.batch([{ sql: write }])).status).toBe(200);
    const next = await caller.opened();
    expect((await caller.in(next, write)).status).toBe(200);
    expect((await caller.commit(next)).status).toBe(200);
    expect(await entries()).toEqual([0, 2]);
  });

  test("a caller who reads notices it too, and no write fails", async () => {
    const to = await start();
    await fill(to);
    await readOnly(0, true);
    expect((await to.as().sql("SELECT 1")).status).toBe(200);
    await expect.poll(() => proxies[0]?.open).toBe(0);
    expect((await to.as().sql(write)).status).toBe(200);
    expect(await entries()).toEqual([0, 1]);
  });
});

describe("a server that is read-only already", () => {
  test("is passed over by an account that writes, and not by one that only reads", async () => {
    await readOnly(0, true);
    const to = await start();
    for (let i = 0; i < 5; i++) expect((await to.as().sql(write)).status).toBe(200);
    expect(await entries()).toEqual([0, 5]);
    await expect.poll(() => proxies[0]?.open).toBe(0);
    for (let i = 0; i < 3; i++) expect((await to.as({ role: "analyst" }).sql("SELECT 1")).status).toBe(200);
    expect(proxies[0]?.open).toBeGreaterThan(0);
  });

  test("serves reads where no other is to be had, and a write that fails costs its own connection only", async () => {
    for (const which of [0, 1]) await readOnly(which, true);
    const to = await start();
    const all = Array.from({ length: size }, () => to.as().sql("SELECT SLEEP(0.5)"));
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual(Array(size).fill(200));
    const before = logged(to.gateway, "connection_closed").filter(({ reason }) => reason === "left").length;
    expectProblem(await to.as().sql(write), 503, "database_unavailable");
    expect((await to.as().sql("SELECT 1")).status).toBe(200);
    const left = () =>
      logged(to.gateway, "connection_closed").filter(({ reason }) => reason === "left").length;
    await expect.poll(left).toBe(before + 1);
  });

  test("alone, as behind an address that a failover moves: its connections are let go of", async () => {
    const [first] = proxies;
    const to = await start(first ? [first] : []);
    await fill(to);
    await readOnly(0, true);
    expectProblem(await to.as().sql(write), 503, "database_unavailable");
    await expect.poll(() => first?.open).toBe(0);
    await readOnly(0, false);
    expect((await to.as().sql(write)).status).toBe(200);
  });
});
