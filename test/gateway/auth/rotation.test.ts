import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, engine, expectProblem } from "../support/harness.ts";
import { askAs, createLogin, drain, startMatrix } from "../support/logins.ts";

/**
 * docs/guides/rotation.md, step by step, with its own SQL. A new secret is a deployment. Here a second gateway has
 * the new secret and the first one does not, because old and new pools run side by side for a while.
 */

let administrator: Connection;
const gateways: Gateway[] = [];
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
});
beforeEach(async () => {
  await administrator.query("DROP USER IF EXISTS gw_reports_2");
  const native = engine === "mariadb" ? "IDENTIFIED VIA mysql_native_password" : "IDENTIFIED";
  const how = engine === "mariadb" ? "USING PASSWORD('old password')" : "BY 'old password'";
  await createLogin(administrator, "gw_reports", `${native} ${how} REQUIRE SSL`);
});
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
});
afterAll(() => administrator?.end());

/** @returns the SQL blocks of one section */
function statements(title: string): string[] {
  const document = readFileSync(join(packageRoot, "docs", "guides", "rotation.md"), "utf8");
  const section = document.split(/^### /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
  return [...section.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
}

async function execute(block = ""): Promise<void> {
  const found = block.split(";").filter((statement) => statement.trim() !== "");
  expect(found.length).toBeGreaterThan(0);
  for (const statement of found) await administrator.query(statement);
}

async function start(user: string, secret: string): Promise<Gateway> {
  const account = { user, password: "REPORTS_PASSWORD" };
  const gateway = await startMatrix({ reports: account }, {}, { REPORTS_PASSWORD: secret });
  gateways.push(gateway);
  return gateway;
}

/** The gateway's answer on a connection that logs in now. */
async function afterDrain(gateway: Gateway) {
  const { status } = await drain(gateway, "reports");
  expect(status).toBe(200);
  return await askAs(gateway, "reports");
}

// TiDB accepts one password at a time.
test.skipIf(engine === "tidb")(
  "one account with two passwords: nothing fails in between, and the old one ends when it is told to",
  async () => {
    const [both, end, ...others] = statements(engine === "mysql" ? "MySQL" : "MariaDB");
    expect(others).toEqual([]);
    const before = await start("gw_reports", "old password");
    expect((await askAs(before, "reports")).status).toBe(200);
    await execute(both);
    expect((await afterDrain(before)).status).toBe(200);
    const after = await start("gw_reports", "new password");
    expect((await askAs(after, "reports")).status).toBe(200);
    expect((await afterDrain(before)).status).toBe(200);
    await sleep(300);
    await execute(end);
    // An open connection goes on; a new login needs the new password.
    expect((await askAs(before, "reports")).status).toBe(200);
    expectProblem(await afterDrain(before), 503, "database_login_failed");
    expect((await afterDrain(after)).status).toBe(200);
    const [rows] = await administrator.query<RowDataPacket[]>("SHOW CREATE USER gw_reports");
    expect(Object.values(rows[0] ?? {})[0]).toContain("REQUIRE SSL");
  },
);

test("a second login: both serve until the first one is dropped", async () => {
  const [create, drop, ...others] = statements("A second login");
  expect(others).toEqual([]);
  const before = await start("gw_reports", "old password");
  expect((await askAs(before, "reports")).status).toBe(200);
  await execute(create);
  const after = await start("gw_reports_2", "new password");
  expect((await askAs(after, "reports")).body.rows[0].account).toBe("gw_reports_2@%");
  expect((await afterDrain(before)).status).toBe(200);
  await execute(drop);
  expectProblem(await afterDrain(before), 503, "database_login_failed");
  expect((await afterDrain(after)).status).toBe(200);
});
