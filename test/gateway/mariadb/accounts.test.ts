import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { createPamUser } from "../../../servers/database/pam.ts";
import { startDatabase } from "../../../servers/database/server.ts";
import { ensurePki } from "../../../servers/pki.ts";
import { mend, runAccounts, warningsOf } from "../support/account-script.ts";
import { databaseServer, server } from "../support/harness.ts";
import { createLogin, password } from "../support/logins.ts";

/** What npm run accounts reports about MariaDB's accounts: roles, and PAM's mapping. */

let administrator: Connection;
const run = async (...statements: string[]) => {
  for (const statement of statements) await administrator.query(statement);
};

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
});
afterAll(() => administrator?.end());

async function createRoles(...names: string[]): Promise<void> {
  for (const name of names) await run(`DROP ROLE IF EXISTS ${name}`, `CREATE ROLE ${name}`);
}

test("a good account with a role: who it is, what it may do, no warning and no hash", async () => {
  await createRoles("good_role");
  await createLogin(administrator, "gw_good", "IDENTIFIED BY SECRET REQUIRE SSL");
  await run(
    "REVOKE ALL ON world.* FROM gw_good",
    "GRANT good_role TO gw_good",
    "SET DEFAULT ROLE good_role FOR gw_good",
    "GRANT SELECT ON world.* TO good_role",
  );
  const { code, output, block } = await runAccounts({ good: { role: "good_role" } });
  const text = block("good");
  expect(text).toMatch(
    /^good: ok\n {2}login {6}gw_good@\S+ \(the account 'gw_good'@'%'\)\n {2}identity {3}gw_good@%/,
  );
  for (const line of [
    "  proxy      none: the login is itself",
    "  role       `good_role`",
    "  method     mysql_native_password",
    "  may        GRANT `good_role` TO `gw_good`@`%`",
    "             GRANT USAGE ON *.* TO `gw_good`@`%` REQUIRE SSL",
    "             GRANT SELECT ON `world`.* TO `good_role`",
  ]) {
    expect(text.split("\n")).toContain(line);
  }
  expect(output).toContain("1 accounts, 0 refused, 0 warnings");
  expect(code).toBe(0);
});

test("what mariadb-install-db gives to PUBLIC is no warning", async () => {
  await createLogin(administrator, "gw_stock", "IDENTIFIED BY SECRET REQUIRE SSL");
  await run("REVOKE ALL ON world.* FROM gw_stock", "GRANT SELECT ON world.* TO gw_stock");
  const stock = [
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES",
    "LOCK TABLES, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, EVENT, TRIGGER, DELETE HISTORY",
  ].join(", ");
  const places = ["`test`.*", "`test\\_%`.*"];
  try {
    for (const place of places) await run(`GRANT ${stock} ON ${place} TO PUBLIC`);
    const { output, block } = await runAccounts({ stock: {} });
    expect(block("stock")).toContain("DELETE HISTORY ON `test\\_%`.* TO PUBLIC");
    expect(output).toContain("1 accounts, 0 refused, 0 warnings");
  } finally {
    for (const place of places) await run(`REVOKE ${stock} ON ${place} FROM PUBLIC`);
  }
});

test("more than the grants can use, and no REQUIRE SSL: the advice mends it", async () => {
  await createRoles("fat_role", "spare_role");
  await createLogin(administrator, "gw_fat", "IDENTIFIED BY SECRET");
  await run(
    "GRANT UPDATE, SELECT ON world.* TO fat_role",
    "GRANT fat_role TO gw_fat",
    "GRANT spare_role TO gw_fat",
    "GRANT ALL ON world.* TO gw_fat",
    "GRANT BINLOG MONITOR, FILE ON *.* TO gw_fat WITH GRANT OPTION",
  );
  const account = { fat: { role: "fat_role" } };
  const { code, block } = await runAccounts(account);
  expect(code).toBe(0);
  expect(
    warningsOf(block("fat"))
      .map((text) => text.split(":")[0])
      .sort(),
  ).toEqual([
    "'gw_fat'@'%' has no REQUIRE SSL",
    "`fat_role` has UPDATE on `world`.*",
    "`gw_fat`@`%` has ALL PRIVILEGES on `world`.*",
    "`gw_fat`@`%` has FILE, BINLOG MONITOR on *.*",
    "`gw_fat`@`%` has GRANT OPTION on *.*",
    "`gw_fat`@`%` may take the role `spare_role`, which the account does not name",
  ]);
  expect((await runAccounts(account, { arguments: ["--strict"] })).code).toBe(1);
  await mend(administrator, block("fat"));
  const mended = await runAccounts(account, { arguments: ["--strict"] });
  expect(mended.block("fat")).toContain("GRANT SELECT, SHOW VIEW ON `world`.* TO `gw_fat`@`%`");
  expect(mended.code).toBe(0);
});

describe("an account that the gateway would refuse", () => {
  test("because its role was taken away, and because it is somebody else", async () => {
    await createRoles("lost_role");
    await createLogin(administrator, "gw_lost", "IDENTIFIED BY SECRET REQUIRE SSL");
    await createLogin(administrator, "gw_itself", "IDENTIFIED BY SECRET REQUIRE SSL");
    const { code, block } = await runAccounts({
      lost: { role: "lost_role" },
      itself: { acts_as: "somebody@%" },
    });
    expect(block("lost")).toMatch(/^lost: refused, database_identity_wrong: 1959 /);
    expect(block("itself")).toMatch(
      /^itself: refused, database_identity_wrong: CURRENT_USER\(\) must be "somebody@%"/,
    );
    expect(block("itself")).toContain("identity   gw_itself@%");
    expect(code).toBe(1);
  });
});

test("a PAM account with two PROXY grants; and one that may not send its password in clear", async () => {
  const pam = await startDatabase({
    engine: "mariadb",
    directory: join(packageRoot, ".tidegate", "test", "mariadb-pam-accounts"),
    pki: await ensurePki(server.pkiDirectory),
    pam: true,
    log: () => {},
  });
  const other = await connectAdministrator(pam);
  try {
    await other.query("CREATE DATABASE IF NOT EXISTS world");
    await other.query("DROP USER IF EXISTS reporting, second");
    await createPamUser(pam, other, { name: "gw_pam", password, actsAs: "reporting" });
    await other.query("GRANT SELECT ON world.* TO reporting");
    await other.query("CREATE USER second");
    await other.query("GRANT PROXY ON second TO gw_pam");
    const { code, block } = await runAccounts(
      { pam: { acts_as: "reporting@%", cleartext: true }, shy: { user: "gw_pam", acts_as: "reporting@%" } },
      {
        running: false,
        port: pam.port,
        arguments: ["--ca", pam.caPath, "--administrator", "root"],
        environment: { ANALYST_PASSWORD: password, TIDEGATE_ADMIN_PASSWORD: pam.administrator.password },
      },
    );
    expect(block("pam")).toMatch(
      /^pam: ok[\s\S]*identity {3}reporting@%\n {2}proxy {6}'gw_pam'@'%'[\s\S]*method {5}pam/,
    );
    expect(warningsOf(block("pam"))).toEqual([
      expect.stringContaining("2 PROXY grants ('reporting'@'%', 'second'@'%')"),
    ]);
    expect(block("shy")).toMatch(/^shy: refused, database_auth_unsupported: .*mysql_clear_password/);
    expect(code).toBe(1);
  } finally {
    await other.end();
    await pam.stop();
  }
});
