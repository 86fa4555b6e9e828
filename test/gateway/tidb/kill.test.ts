import { randomUUID } from "node:crypto";
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { restored } from "../support/commands.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, read, startGateway, testAccount } from "../support/harness.ts";
import { countRunning, idsRunning } from "../support/running.ts";
import type { Pretence } from "./pretended.ts";
import { startPretendingProxy } from "./pretended.ts";

/**
 * Two servers of one TiDB cluster behind a balancer: the admin connection comes to another one than the statement.
 * A second tidb-server on the same data needs PD and TiKV, which these tests do not have. So one real server stands for
 * both, and a proxy changes what it says of itself. The tests see whether the gateway sends a KILL, by which id, and what it
 * makes of the answer. They do not see a server hand a KILL on to the one that the id names: that is TiDB's own part.
 */

let administrator: Connection;
let gateway: Gateway | undefined;
let proxy: CountingProxy | undefined;

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
});
afterEach(async () => {
  await gateway?.close();
  await proxy?.stop();
});
afterAll(() => administrator?.end());

/**
 * The pooled connection's identity may be changed from its first restore on (`moved`); the other
 * connections open beside it.
 */
async function start(pooled: Pretence, others: Pretence, moved = pooled) {
  const seen = await startPretendingProxy((connection, proof) => {
    if (connection > 0) return others;
    return proof === 0 ? pooled : moved;
  });
  const one = { connections_per_shard: 1, deadline_ms: 3_000 };
  const started = await startGateway({
    cluster: { hosts: [`localhost:${seen.port}`] },
    accounts: { analyst: testAccount("analyst", one), editor: testAccount("editor", one) },
  });
  gateway = started;
  proxy = seen;
  const kills = () => seen.commands().flatMap(({ text }) => (text?.startsWith("KILL ") ? [text] : []));
  return { gateway: started, proxy: seen, kills };
}

const running = (text: string) => countRunning(administrator, text);

/** Waits until the server runs a statement with this text. @returns the id of its connection */
async function idOf(text: string): Promise<unknown> {
  let ids: unknown[] = [];
  const look = async () => {
    ids = await idsRunning(administrator, text);
    return ids;
  };
  await expect.poll(look, { interval: 20 }).not.toEqual([]);
  return ids[0];
}

/** Starts work under an id, waits until the server runs a statement with `mark`, and cancels it. */
async function cancelled(started: Gateway, path: string, body: object, mark: string, role: string) {
  const id = randomUUID();
  const authorization = `Bearer ${await started.token({ role })}`;
  const answer = started.sql(body, { role, path, headers: { "x-request-id": id } });
  await idOf(mark);
  const init = { method: "DELETE", headers: { authorization } };
  expect((await read(await started.fetch(`/v1/requests/${id}`, init))).body).toEqual({ stopped: 1 });
  return await answer;
}

const here = { hostname: "tidb-0" };
const elsewhere = { hostname: "tidb-1" };
const next = { sql: "SELECT 1 AS one" };

describe("with the admin connection on another server of the cluster", () => {
  test("a statement is killed there, by the cluster's id, and its connection serves on", async () => {
    const { gateway, proxy, kills } = await start(here, elsewhere);
    const answer = gateway.sql({ sql: "SELECT SLEEP(30) AS far_away", timeout_ms: 2_000 });
    const id = await idOf("far_away");
    expectProblem(await answer, 504, "deadline_exceeded");
    await expect.poll(() => running("far_away")).toBe(0);
    expect(kills()).toEqual([`KILL QUERY ${id}`]);
    expect((await gateway.sql(next)).body.rows).toEqual([{ one: "1" }]);
    expect(proxy.accepted).toBe(2);
  });

  test("a write is rolled back, and so is a batch, with what was sent behind its statement", async () => {
    const { gateway, kills } = await start(here, elsewhere);
    const mark = `elsewhere ${randomUUID()}`;
    const slow = {
      sql: "INSERT INTO notes (city_id, body, author) SELECT 1, ?, 'far' FROM countries WHERE SLEEP(0.2) = 0",
      params: [mark],
    };
    const write = await cancelled(gateway, "/v1/sql", slow, "SELECT 1, ?, 'far'", "editor");
    expectProblem(write, 409, "request_cancelled");
    const statements = [slow, { ...slow, sql: slow.sql.replace(" WHERE SLEEP(0.2) = 0", "") }];
    const batch = await cancelled(gateway, "/v1/batch", { statements }, "SELECT 1, ?, 'far'", "editor");
    expectProblem(batch, 409, "request_cancelled");
    await expect.poll(() => running("'far'")).toBe(0);
    expect(kills().map((sql) => sql.replace(/\d+/, "ID"))).toEqual(["KILL QUERY ID", "KILL CONNECTION ID"]);
    const count = { sql: "SELECT COUNT(*) AS n FROM notes WHERE body = ?", params: [mark] };
    expect((await gateway.sql(count, { role: "editor" })).body.rows).toEqual([{ n: "0" }]);
  });

  test("nothing is sent for an id that is not the cluster's: it may be somebody else's there", async () => {
    // As with enable-global-kill = false, where every server counts its own ids.
    const { gateway, proxy, kills } = await start({ ...here, connectionId: "42" }, elsewhere);
    const answer = await gateway.sql({ sql: "SELECT SLEEP(30) AS counted", timeout_ms: 1_000 });
    expectProblem(answer, 504, "deadline_exceeded");
    expect((await gateway.sql(next)).body.rows).toEqual([{ one: "1" }]);
    expect(kills()).toEqual([]);
    // Its own, those that were not on its server, and the next caller's.
    expect(proxy.accepted).toBeGreaterThan(2);
    // TiDB itself ends it, after every deadline of the account.
    await expect.poll(() => running("counted")).toBe(0);
  });
});

test("an OK with a warning is no acknowledgement: the connection does not serve again", async () => {
  // TiDB reads an odd id of 32 bits as a truncated one. The answer to its KILL comes from the server
  // itself.
  const { gateway, proxy, kills } = await start({ connectionId: "43" }, {});
  await administrator.query("KILL QUERY 43");
  const [warnings] = await administrator.query<RowDataPacket[]>("SHOW WARNINGS");
  expect(warnings[0]?.Message).toMatch(/^Kill failed: /);
  const answer = await gateway.sql({ sql: "SELECT SLEEP(30) AS warned", timeout_ms: 1_000 });
  expectProblem(answer, 504, "deadline_exceeded");
  expect((await gateway.sql(next)).body.rows).toEqual([{ one: "1" }]);
  expect(kills()).toEqual(["KILL QUERY 43"]);
  expect(proxy.accepted).toBe(3);
  await restored(proxy);
  expect(proxy.open).toBe(2);
  await expect.poll(() => running("warned")).toBe(0);
});

test("a session that a router has moved is killed where the latest proof was", async () => {
  // TiProxy moves sessions to other servers, where they have other ids.
  const { gateway, proxy, kills } = await start({ ...here, connectionId: "4196310" }, elsewhere, here);
  expect((await gateway.sql(next)).status).toBe(200);
  await restored(proxy);
  const answer = gateway.sql({ sql: "SELECT SLEEP(30) AS moved", timeout_ms: 2_000 });
  const id = await idOf("moved");
  expectProblem(await answer, 504, "deadline_exceeded");
  await expect.poll(() => running("moved")).toBe(0);
  expect(kills()).toEqual([`KILL QUERY ${id}`]);
  expect((await gateway.sql(next)).status).toBe(200);
  expect(proxy.accepted).toBe(2);
});
