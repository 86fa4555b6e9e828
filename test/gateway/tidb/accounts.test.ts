import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { mend, runAccounts, warningsOf } from "../support/account-script.ts";
import { databaseServer } from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";

/** What npm run accounts reports about TiDB's accounts. */

let administrator: Connection;
const run = async (...statements: string[]) => {
  for (const statement of statements) await administrator.query(statement);
};

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
});
afterAll(() => administrator?.end());

test("a good account with a role: who it is, what it may do, no warning and no hash", async () => {
  await createLogin(administrator, "gw_good", "IDENTIFIED WITH caching_sha2_password BY SECRET REQUIRE SSL");
  await run(
    "REVOKE SELECT ON world.* FROM gw_good",
    "DROP ROLE IF EXISTS good_role",
    "CREATE ROLE good_role",
    "GRANT SELECT ON world.* TO good_role",
    "GRANT good_role TO gw_good",
    "SET DEFAULT ROLE good_role TO gw_good",
  );
  const { code, output, block } = await runAccounts(
    { good: { role: "good_role" } },
    { arguments: ["--strict"] },
  );
  const text = block("good");
  expect(text).toMatch(
    /^good: ok\n {2}login {6}gw_good@\S+ \(the account 'gw_good'@'%'\)\n {2}identity {3}gw_good@%/,
  );
  for (const line of [
    "  proxy      none: the login is itself",
    "  role       `good_role`@`%`",
    "  method     caching_sha2_password",
    "  may        GRANT USAGE ON *.* TO 'gw_good'@'%'",
    "             GRANT SELECT ON `world`.* TO 'gw_good'@'%'",
    "             GRANT 'good_role'@'%' TO 'gw_good'@'%'",
  ]) {
    expect(text.split("\n")).toContain(line);
  }
  expect(output).toContain("1 accounts, 0 refused, 0 warnings");
  expect(code).toBe(0);
});

test("more than the grants can use, and no REQUIRE SSL: the advice mends it", async () => {
  await createLogin(administrator, "gw_fat", "IDENTIFIED BY SECRET REQUIRE SSL");
  await run(
    // It has no REQUIRE, so TiDB removes the user's.
    "ALTER USER gw_fat COMMENT 'fat'",
    "DROP ROLE IF EXISTS fat_role, spare_role",
    "CREATE ROLE fat_role, spare_role",
    "GRANT UPDATE, SELECT ON world.* TO fat_role",
    "GRANT fat_role, spare_role TO gw_fat",
    "GRANT UPDATE (code, name), INSERT (code) ON world.countries TO gw_fat",
    "GRANT ALL ON tidegate_sample.* TO gw_fat WITH GRANT OPTION",
    "GRANT FILE, PROCESS, BACKUP_ADMIN ON *.* TO gw_fat",
  );
  const account = { fat: { role: "fat_role" } };
  // It has INSERT, but not UPDATE.
  const writer = { allow: ["sql:ddl"] };
  const { block } = await runAccounts(account, writer);
  const found = warningsOf(block("fat"));
  expect(found.map((text) => text.split(":")[0]).sort()).toEqual([
    "'gw_fat'@'%' has ALL PRIVILEGES on `tidegate_sample`.*",
    "'gw_fat'@'%' has GRANT OPTION on `tidegate_sample`.*",
    "'gw_fat'@'%' has PROCESS, FILE, BACKUP_ADMIN on *.*",
    "'gw_fat'@'%' has UPDATE on `world`.`countries`",
    "'gw_fat'@'%' has no REQUIRE SSL",
    "'gw_fat'@'%' may take the role 'spare_role'@'%', which the account does not name",
    "`fat_role`@`%` has UPDATE on `world`.*",
    // The account has no right of a grant with sql:ddl.
    "a grant opens sql",
  ]);
  await mend(administrator, block("fat"));
  const mended = await runAccounts(account, { ...writer, arguments: ["--strict"] });
  expect(mended.block("fat")).toContain("fat: ok");
  expect(mended.code).toBe(0);
});

test("an account that the gateway would refuse is shown with what it has", async () => {
  await createLogin(administrator, "gw_writes", "IDENTIFIED BY SECRET REQUIRE SSL");
  await run("GRANT INSERT ON world.notes TO gw_writes");
  await createLogin(administrator, "gw_sm3", "IDENTIFIED WITH tidb_sm3_password BY SECRET REQUIRE SSL");
  const { code, output, block } = await runAccounts({ writes: {}, sm3: {}, nobody: {} });
  expect(block("writes")).toMatch(
    /^writes: refused, database_identity_wrong: no grant writes with this account, .* GRANT INSERT ON `world`/,
  );
  expect(warningsOf(block("writes"))).toEqual([expect.stringContaining("has INSERT on `world`.`notes`")]);
  expect(block("sm3")).toMatch(
    /^sm3: refused, database_auth_unsupported: .* let the user log in with caching_sha2_password, mysql_native_password or tidb_auth_token/,
  );
  expect(block("nobody")).toMatch(/^nobody: refused, database_login_failed: 1045 /);
  expect(output).toContain("3 accounts, 3 refused");
  expect(code).toBe(1);
  await mend(administrator, block("writes"));
  expect((await runAccounts({ writes: {} }, { arguments: ["--strict"] })).code).toBe(0);
});
