// Not on TiDB: each start of a server draws a number that its ids carry (src/db/mysql/engines/reach.ts).
import { randomUUID } from "node:crypto";
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { DatabaseServer } from "../../../servers/database/server.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { loadFurther, startFurther } from "../support/further-server.ts";
import type { Gateway } from "../support/harness.ts";
import { engine, expectProblem, startGateway, startProxy, testAccount } from "../support/harness.ts";
import { countRunning, idsRunning } from "../support/running.ts";

/**
 * The server restarts behind a network that is silent, so the gateway's connection does not end. The server
 * counts ids from 1 again and keeps its server_uuid, so the connection's id soon belongs to another caller.
 */

let database: DatabaseServer;
let proxy: CountingProxy;
let gateway: Gateway;
const others: Connection[] = [];

beforeAll(async () => {
  if (engine === "tidb") return;
  database = await startFurther("reused-ids");
  await loadFurther(database);
  proxy = await startProxy({ port: database.port });
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${proxy.port}`] },
    accounts: { analyst: testAccount("analyst", { connections_per_shard: 1, deadline_ms: 60_000 }) },
  });
});
afterAll(async () => {
  await gateway?.close();
  for (const other of others) other.destroy();
  await proxy?.stop();
  await database?.stop();
});

/** Opens connections until one has this id. @returns that connection */
async function connectionWith(id: unknown): Promise<Connection> {
  for (let i = 0; i < 500; i++) {
    const other = await connectAdministrator(database);
    others.push(other);
    const [rows] = await other.query<RowDataPacket[]>("SELECT CONNECTION_ID() AS id");
    if (Number(rows[0]?.id) === Number(id)) return other;
    if (Number(rows[0]?.id) > Number(id)) break;
  }
  throw new Error(`no connection got the id ${id}`);
}

test.skipIf(engine === "tidb")(
  "a KILL does not hit the caller that has the id now",
  async () => {
    const administrator = await connectAdministrator(database);
    const request = randomUUID();
    const headers = { "x-request-id": request };
    const stranded = gateway.sql({ sql: "SELECT SLEEP(60) AS stranded" }, { headers });
    let ids: unknown[] = [];
    const look = async () => {
      ids = await idsRunning(administrator, "AS stranded");
      return ids.length;
    };
    await expect.poll(look, { timeout: 10_000 }).toBe(1);
    proxy.strand();
    const { port } = database;
    administrator.destroy();
    await database.kill();
    database = await startFurther("reused-ids", { port });

    const victim = await connectionWith(ids[0]);
    let ended = false;
    const theirs = victim.query("SELECT SLEEP(30) AS theirs").finally(() => {
      ended = true;
    });
    theirs.catch(() => {});
    const watcher = await connectAdministrator(database);
    others.push(watcher);
    await expect.poll(() => countRunning(watcher, "AS theirs"), { timeout: 10_000 }).toBe(1);
    const opened = proxy.accepted;
    const stopped = await gateway.fetch(`/v1/requests/${request}`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${await gateway.token()}` },
    });
    expect(stopped.status).toBe(200);
    expectProblem(await stranded, 409, "request_cancelled");
    // The connection is given up, and the next caller has another, when the admin connection has had its say.
    expect((await gateway.sql({ sql: "SELECT 'next' AS who" })).body.rows).toEqual([{ who: "next" }]);
    expect(proxy.accepted).toBeGreaterThan(opened + 1);
    const [kills] = await watcher.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Com_kill'");
    expect([Number(kills[0]?.Value), ended, await countRunning(watcher, "AS theirs")]).toEqual([0, false, 1]);
  },
  120_000,
);
