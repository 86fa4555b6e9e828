import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect } from "../../../servers/database/connection.ts";
import type { DatabaseServer } from "../../../servers/database/server.ts";
import { furtherDirectory, loadFurther, startFurther } from "../support/further-server.ts";
import { expectProblem, type Gateway, server, startGateway } from "../support/harness.ts";

/**
 * A TiDB like one of a cluster with TiProxy: it signs tokens with which a session moves to another server.
 */

let cluster: DatabaseServer;
let login: Connection;
let gateway: Gateway;
beforeAll(async () => {
  const pair = join(furtherDirectory("signing"), "run", "server");
  const signed = { "session-token-signing-cert": `${pair}.pem`, "session-token-signing-key": `${pair}.key` };
  cluster = await startFurther("signing", { configuration: { security: signed } });
  await loadFurther(cluster);
  login = await connect(cluster, "gw_analyst", server.passwords.ANALYST_PASSWORD ?? "");
  gateway = await startGateway({ cluster: { hosts: [`localhost:${cluster.port}`] } });
});
afterAll(async () => {
  await gateway?.close();
  await login?.end();
  await cluster?.stop();
});

test("SHOW SESSION_STATES gives the account's login, which has no more than SELECT, a signed token", async () => {
  const [rows] = await login.query<RowDataPacket[]>("SHOW SESSION_STATES");
  const token = rows[0]?.Session_token;
  expect(token).toMatchObject({ username: "gw_analyst", signature: expect.any(String) });
});

test.each([
  "SHOW SESSION_STATES",
  "show/**/session_states",
  "SHOW -- x\nSESSION_STATES WHERE 1",
  "SHOW SESSION_STATES LIKE '%'",
])("no caller gets one: %j", async (sql) => {
  const answer = await gateway.sql({ sql });
  expectProblem(answer, 400, "statement_refused");
  expect(answer.body.reason).toBe("not_allowed");
  expect((await gateway.sql({ sql: "SHOW TABLES" })).status).toBe(200);
});
