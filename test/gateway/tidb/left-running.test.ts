import { randomUUID } from "node:crypto";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { limits } from "../../../src/limits.ts";
import { restored } from "../support/commands.ts";
import type { Gateway } from "../support/harness.ts";
import {
  databaseServer,
  expectProblem,
  issuers,
  startGateway,
  startProxy,
  testAccount,
} from "../support/harness.ts";
import { countRunning } from "../support/running.ts";

/**
 * TiDB goes on with a statement after its connection is gone. No KILL follows, so TiDB itself ends it by
 * max_execution_time.
 */

const longestMs = 4_000;

let administrator: Connection;
let proxy: CountingProxy;
let gateway: Gateway;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  proxy = await startProxy();
  const grant = {
    issuer: issuers.remote,
    account: "editor",
    allow: ["sql:read", "sql:write", "transaction"],
  };
  gateway = await startGateway({
    entry: "abort",
    cluster: { hosts: [`localhost:${proxy.port}`] },
    accounts: { editor: testAccount("editor", { connections_per_shard: 2, deadline_ms: 1_000 }) },
    grants: [
      { ...grant, claims: { role: "editor" } },
      { ...grant, claims: { role: "patient" }, deadline_ms: longestMs },
    ],
  });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
  await administrator?.end();
});
beforeEach(() => restored(proxy));

const role = "patient";

const running = (text: string) => countRunning(administrator, text);
const started = (text: string) => expect.poll(() => running(text), { interval: 20 }).toBe(1);
const ended = (text: string) => expect.poll(() => running(text)).toBe(0);

describe("every session has a limit", () => {
  const limit = { rows: [{ n: String(longestMs + limits.leftRunningMs) }] };
  const asked = { sql: "SELECT @@SESSION.max_execution_time AS n" };

  test("behind the longest deadline of its account, at the first statement and after each restore", async () => {
    for (const by of ["editor", role, "editor"]) {
      expect((await gateway.sql(asked, { role: by })).body).toMatchObject(limit);
      await restored(proxy);
    }
    // With a prepared write too.
    const write = { sql: "DELETE FROM notes WHERE id = ?", params: [-1] };
    for (let i = 0; i < 3; i++) expect((await gateway.sql(write, { role })).status).toBe(200);
    await restored(proxy);
    expect((await gateway.sql(asked, { role })).body).toMatchObject(limit);
  });

  test("in a batch and in a transaction too", async () => {
    const batch = await gateway.sql({ statements: [asked] }, { role, path: "/v1/batch" });
    expect(batch.body.results[0]).toMatchObject(limit);
    const begun = await gateway.sql({}, { role, path: "/v1/transactions" });
    const path = `/v1/transactions/${begun.body.id}`;
    expect((await gateway.sql(asked, { role, path: `${path}/sql` })).body).toMatchObject(limit);
    expect((await gateway.sql({}, { role, path: `${path}/commit` })).status).toBe(200);
  });

  test("which ends nothing before its own deadline", async () => {
    const slept = await gateway.sql({ sql: "SELECT SLEEP(2) AS n" }, { role });
    expect(slept.body.rows).toEqual([{ n: "0" }]);
    const late = await gateway.sql({ sql: "SELECT SLEEP(2) AS n" }, { role: "editor" });
    expectProblem(late, 504, "deadline_exceeded");
    expect(late.body).not.toHaveProperty("errno");
  });
});

describe("what is left running ends", () => {
  const endless = (name: string) =>
    `SELECT COUNT(*) AS ${name} FROM cities AS a JOIN cities AS b ON a.id <> b.id JOIN cities AS c ON b.id <> c.id`;

  test.each([
    ["a join", endless("left_join")],
    ["a sleep", "SELECT SLEEP(30) AS left_sleep"],
    ["a locking read", "SELECT SLEEP(0.5) AS left_lock FROM countries FOR UPDATE"],
  ])("when its connection is lost: %s", async (_, sql) => {
    const mark = /left_\w+/.exec(sql)?.[0] ?? "";
    const answer = gateway.sql({ sql }, { role });
    await started(mark);
    proxy.dropAll();
    expect((await answer).body.code).toMatch(/^(connection_lost|outcome_unknown)$/);
    await ended(mark);
    expect((await gateway.sql({ sql: "SELECT 1" }, { role })).status).toBe(200);
  });

  test("when its pool's object ends", async () => {
    const answer = gateway.sql({ sql: "SELECT SLEEP(30) AS left_evicted" }, { role });
    await started("left_evicted");
    const object = encodeURIComponent(gateway.poolName("editor"));
    expect((await gateway.fetch(`/test/abort?name=${object}`, { method: "PUT" })).status).toBe(204);
    expectProblem(await answer, 503, "connection_lost");
    await ended("left_evicted");
  });
});

test("a write that is left running goes on: the server's limit is for SELECT", async () => {
  const mark = `left ${randomUUID()}`;
  const sql =
    "INSERT INTO notes (city_id, body, author) SELECT 1, ?, 'left_write' FROM (SELECT code FROM countries LIMIT 28) AS few WHERE SLEEP(0.25) = 0";
  const answer = gateway.sql({ sql, params: [mark] }, { role });
  await started("left_write");
  proxy.dropAll();
  expectProblem(await answer, 503, "outcome_unknown");
  // It takes 7 s, and the limit is 5 s.
  await ended("left_write");
  const count = { sql: "SELECT COUNT(*) AS n FROM notes WHERE body = ?", params: [mark] };
  expect((await gateway.sql(count, { role })).body.rows).toEqual([{ n: "28" }]);
});
