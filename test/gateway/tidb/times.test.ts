import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { logged } from "../support/ask.ts";
import { databaseServer, type Gateway, issuers, startGateway } from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";

/** TiDB computes times beyond the 838 hours that a column can have. */

let administrator: Connection;
let gateway: Gateway;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await drop();
  await administrator.query("CREATE DATABASE clocks");
  await administrator.query("CREATE TABLE clocks.t (t TIME, fine TIME(6))");
  await administrator.query("INSERT INTO clocks.t VALUES ('-838:59:59', '838:59:59')");
  await createLogin(administrator, "gw_clocks", "IDENTIFIED BY SECRET REQUIRE SSL");
  await administrator.query("GRANT SELECT ON clocks.* TO gw_clocks");
  gateway = await startGateway({
    cluster: { database: "clocks" },
    accounts: { clocks: { user: "gw_clocks", password: "ANALYST_PASSWORD" } },
    grants: [{ issuer: issuers.remote, account: "clocks", claims: { role: "analyst" }, allow: ["sql:read"] }],
  });
});
afterAll(async () => {
  await gateway?.close();
  if (administrator) await drop();
  await administrator?.end();
});

async function drop(): Promise<void> {
  await administrator.query("DROP DATABASE IF EXISTS clocks");
  await administrator.query("DROP USER IF EXISTS gw_clocks");
}

test("longer times than a column's are answered, and the connection stays", async () => {
  const sql =
    "SELECT ADDTIME(t, t) AS a, t - INTERVAL 100 HOUR AS b, ADDTIME(ADDTIME(fine, fine), fine) AS c FROM t";
  const { status, body } = await gateway.sql({ sql });
  expect([status, body.rows]).toEqual([200, [{ a: "-1677:59:58", b: "-938:59:59", c: "2516:59:57.000000" }]]);
  expect(logged(gateway, "connection_closed")).toEqual([]);
});
