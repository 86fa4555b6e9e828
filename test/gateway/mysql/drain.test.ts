import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { expectNoticed } from "../support/changes.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer } from "../support/harness.ts";
import { askAs, createLogin, refusalOf, startMatrix } from "../support/logins.ts";

let administrator: Connection;
let gateway: Gateway;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await administrator.query("DROP USER IF EXISTS proxied");
  await administrator.query("CREATE USER proxied IDENTIFIED WITH mysql_no_login REQUIRE SSL");
  await administrator.query("GRANT SELECT ON world.* TO proxied");
  for (const name of ["gw_proxy_kept", "gw_proxy_drained"]) {
    await createLogin(administrator, name, "IDENTIFIED BY SECRET REQUIRE SSL");
    await administrator.query(`GRANT PROXY ON proxied TO ${name}`);
  }
  const account = { acts_as: "proxied@%" };
  gateway = await startMatrix({ proxy_kept: account, proxy_drained: account });
});
afterAll(async () => {
  await gateway?.close();
  await administrator?.end();
});

test("a revoked PROXY: a session keeps its identity, and after a drain the login, which is itself, is refused", async () => {
  expect((await askAs(gateway, "proxy_kept")).body.rows[0].account).toBe("proxied@%");
  const revoke = "REVOKE PROXY ON proxied FROM USER_NAME";
  await expectNoticed(gateway, administrator, "proxy", revoke, "database_identity_wrong");
  expect(refusalOf(gateway, "proxy_drained")).toContain(
    'CURRENT_USER() must be "proxied@%" but is "gw_proxy_drained@%"',
  );
});
