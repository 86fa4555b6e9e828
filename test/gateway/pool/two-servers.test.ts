// Runs on mysql only: MariaDB's ids are each server's own too. TiDB's are the cluster's: tidb/kill.test.ts.
import net from "node:net";
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { DatabaseServer } from "../../../servers/database/server.ts";
import { loadFurther, startFurther } from "../support/further-server.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, server, startGateway } from "../support/harness.ts";

/**
 * Two servers behind one address, as behind a balancer. The admin connection comes to another server than
 * the statement that it must end, where the same id may belong to another caller.
 */

let second: DatabaseServer;
let balancer: net.Server;
let gateway: Gateway;
let administrators: Connection[] = [];
/** The server of each connection, in order. */
const cameTo: number[] = [];
let route = () => 0;

beforeAll(async () => {
  second = await startFurther("second");
  await loadFurther(second);
  const ports = [server.port, second.port];
  balancer = net.createServer((client) => {
    const to = route();
    cameTo.push(to);
    const upstream = net.connect(ports[to] ?? 0, "127.0.0.1");
    for (const socket of [client, upstream]) socket.on("error", () => {});
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => balancer.listen(0, "127.0.0.1", resolve));
  administrators = [await connectAdministrator(databaseServer()), await connectAdministrator(second)];
  const { port } = balancer.address() as net.AddressInfo;
  gateway = await startGateway({ cluster: { hosts: [`localhost:${port}`] } });
});
afterAll(async () => {
  await gateway?.close();
  for (const administrator of administrators) await administrator.end();
  balancer?.close();
  await second?.stop();
});

/** The number of KILLs that this server executed, by its own counter. */
async function kills(which: number): Promise<number> {
  const rows = await administrators[which]?.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Com_kill'");
  return Number(rows?.[0][0]?.Value);
}

test("a statement is not killed on another server: its connection is ended instead", async () => {
  // All connections go to the first server, except the later admin connection.
  expect((await gateway.sql({ sql: "SELECT 1" })).status).toBe(200);
  expect(cameTo).toEqual([0]);
  route = () => 1;
  const before = [await kills(0), await kills(1)];
  const answer = await gateway.sql({ sql: "SELECT SLEEP(5) AS elsewhere", timeout_ms: 1_000 });
  expectProblem(answer, 504, "deadline_exceeded");
  await expect.poll(() => cameTo.length, { timeout: 10_000 }).toBeGreaterThan(1);
  expect(cameTo.slice(1).every((to) => to === 1)).toBe(true);
  // A new connection serves the next caller, and no server executed a KILL.
  const next = await gateway.sql({ sql: "SELECT COUNT(*) AS n FROM cities" });
  expect({ status: next.status, rows: next.body.rows }).toEqual({ status: 200, rows: [{ n: "10" }] });
  expect([await kills(0), await kills(1)]).toEqual(before);
});
