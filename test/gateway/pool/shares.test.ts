// Runs on mariadb only: whose connection it is, is the gateway's own decision.
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { databaseServer, issuers, startGateway } from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";

/**
 * What one caller leaves to the others, counted at the server while the caller's statements wait for a lock
 * of the test.
 */

let administrator: Connection;
let gateway: Gateway;

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await createLogin(administrator, "gw_shared", "IDENTIFIED BY SECRET REQUIRE SSL");
  const shared = { user: "gw_shared", password: "ANALYST_PASSWORD" };
  const long = { deadline_ms: 60_000, queue_wait_ms: 60_000 };
  const allow = ["sql:read", "transaction"];
  gateway = await startGateway({
    accounts: { shared: { ...shared, ...long } },
    // Here the shard bounds a caller, not the grant.
    grants: [{ issuer: issuers.remote, account: "shared", allow, max_transactions: 20 }],
  });
});
afterAll(async () => {
  await gateway?.close();
  await administrator?.end();
});

async function ask(sub: string, body: object, path = "/v1/sql"): Promise<Answer> {
  const authorization = `Bearer ${await gateway.token({ sub })}`;
  return await gateway.sql(body, { path, headers: { authorization } });
}

/** The number of the greedy caller's statements at the server. */
async function held(): Promise<number> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = 'gw_shared' AND info LIKE 'SELECT GET_LOCK%'",
  );
  return Number(rows[0]?.n);
}

/** A transaction would keep the lock, and the next statement could not get it. */
const slow = { sql: "SELECT GET_LOCK('shared', 60) AS got, RELEASE_LOCK('shared') AS given" };
const soon = { interval: 20, timeout: 10_000 };

/** Every `slow` statement that `work` begins runs until the end of `work`. */
async function holding(work: () => Promise<void>): Promise<void> {
  await administrator.query("SELECT GET_LOCK('shared', 0)");
  try {
    await work();
  } finally {
    await administrator.query("SELECT RELEASE_LOCK('shared')");
  }
}

test("20 slow statements of one caller are 2 at the server, and everybody else is answered meanwhile", async () => {
  let ended = 0;
  let all: Promise<Answer>[] = [];
  await holding(async () => {
    all = Array.from({ length: 20 }, () => ask("greedy", slow));
    for (const one of all) void one.then(() => (ended += 1));
    await expect.poll(held, soon).toBe(2);
    const others = Array.from({ length: 12 }, (_, i) =>
      ask(`other ${i % 4}`, { sql: "SELECT SLEEP(0.05) AS s" }),
    );
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual(others.map(() => 200));
    expect([ended, await held()]).toEqual([0, 2]);
  });
  expect((await Promise.all(all)).map(({ status }) => status)).toEqual(all.map(() => 200));
}, 60_000);

test("two open transactions are a caller's share: one statement more runs beside them, not two", async () => {
  const begun = await Promise.all([1, 2].map(() => ask("greedy", {}, "/v1/transactions")));
  expect(begun.map(({ status }) => status)).toEqual([201, 201]);
  let all: Promise<Answer>[] = [];
  await holding(async () => {
    all = [1, 2, 3].map(() => ask("greedy", slow));
    await expect.poll(held, soon).toBe(1);
    for (const sub of ["b", "c"]) expect((await ask(sub, { sql: "SELECT 1" })).status).toBe(200);
    expect(await held()).toBe(1);
    for (const { body } of begun) {
      const authorization = `Bearer ${await gateway.token({ sub: "greedy" })}`;
      const path = `/v1/transactions/${body.id}`;
      expect((await gateway.fetch(path, { method: "DELETE", headers: { authorization } })).ok).toBe(true);
    }
    await expect.poll(held, soon).toBe(2);
  });
  expect((await Promise.all(all)).map(({ status }) => status)).toEqual([200, 200, 200]);
}, 60_000);

test("20 transactions of one caller are 2, and everybody else is answered meanwhile", async () => {
  const authorization = `Bearer ${await gateway.token({ sub: "greedy" })}`;
  const begun = await Promise.all(Array.from({ length: 20 }, () => ask("greedy", {}, "/v1/transactions")));
  const opened = begun.filter(({ status }) => status === 201);
  const codes = begun.flatMap(({ body }) => body.code ?? []);
  expect([opened.length, codes]).toEqual([2, Array.from({ length: 18 }, () => "transactions_full")]);
  let inside: Promise<Answer>[] = [];
  await holding(async () => {
    // Each transaction has its connection, and so does the one statement beside them.
    inside = opened.map(({ body }) => ask("greedy", slow, `/v1/transactions/${body.id}/sql`));
    inside.push(ask("greedy", slow), ask("greedy", slow));
    await expect.poll(held, soon).toBe(3);
    const others = Array.from({ length: 12 }, (_, i) => ask(`other ${i % 4}`, { sql: "SELECT 1" }));
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual(others.map(() => 200));
    expect(await held()).toBe(3);
  });
  expect((await Promise.all(inside)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  for (const { body } of opened) {
    const path = `/v1/transactions/${body.id}`;
    expect((await gateway.fetch(path, { method: "DELETE", headers: { authorization } })).ok).toBe(true);
  }
});
