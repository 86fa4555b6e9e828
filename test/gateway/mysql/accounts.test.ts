import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { mend, runAccounts, warningsOf } from "../support/account-script.ts";
import { databaseServer, server } from "../support/harness.ts";
import { createLogin, password } from "../support/logins.ts";

/** What npm run accounts reports about MySQL's accounts, proxy users among them. */

let administrator: Connection;
const run = async (...statements: string[]) => {
  for (const statement of statements) await administrator.query(statement);
};

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await run(
    "DROP USER IF EXISTS seen, seen2",
    "CREATE USER seen IDENTIFIED WITH mysql_no_login REQUIRE SSL",
    "CREATE USER seen2 IDENTIFIED WITH mysql_no_login REQUIRE SSL",
    "GRANT SELECT ON world.* TO seen",
  );
});
afterAll(() => administrator?.end());

/** A login that is mapped to `seen` and has no rights itself. */
async function mappedLogin(name: string): Promise<void> {
  await createLogin(administrator, name, "IDENTIFIED BY SECRET REQUIRE SSL");
  await run(`REVOKE ALL ON world.* FROM ${name}`, `GRANT PROXY ON seen TO ${name}`);
}

const seen = { acts_as: "seen@%" };

test("a good account: who it is, what it may do, no warning", async () => {
  await mappedLogin("gw_good");
  const { code, output, block } = await runAccounts({ good: seen });
  expect(block("good")).toMatch(
    new RegExp(
      [
        "good: ok",
        " {2}login {6}gw_good@(127\\.0\\.0\\.1|localhost) \\(the account 'gw_good'@'%'\\)",
        " {2}identity {3}seen@%",
        " {2}proxy {6}'gw_good'@'%'",
        " {2}role {7}none",
        " {2}method {5}caching_sha2_password",
        " {2}server {5}9\\.7.*",
        " {2}may {8}GRANT USAGE ON \\*\\.\\* TO `seen`@`%`",
        " {13}GRANT SELECT ON `world`\\.\\* TO `seen`@`%`",
        " {2}login may {2}GRANT USAGE ON \\*\\.\\* TO `gw_good`@`%`",
        " {13}GRANT PROXY ON `seen`@`%` TO `gw_good`@`%`",
        " {2}used for {3}sql:read$",
      ].join("\n"),
    ),
  );
  expect(output).toContain("1 accounts, 0 refused, 0 warnings");
  expect(code).toBe(0);
});

test("a login with two PROXY grants, and without REQUIRE SSL: the advice mends it", async () => {
  await mappedLogin("gw_two");
  await run("GRANT PROXY ON seen2 TO gw_two", "ALTER USER gw_two REQUIRE NONE");
  const { code, block } = await runAccounts({ two: seen });
  expect(warningsOf(block("two"))).toEqual([
    expect.stringMatching(/^'gw_two'@'%' has 2 PROXY grants \('seen'@'%', 'seen2'@'%'\)/),
    expect.stringMatching(/^'gw_two'@'%' has no REQUIRE SSL/),
  ]);
  expect(code).toBe(0);
  expect((await runAccounts({ two: seen }, { arguments: ["--strict"] })).code).toBe(1);
  await mend(administrator, block("two"));
  const mended = await runAccounts({ two: seen }, { arguments: ["--strict"] });
  expect(warningsOf(mended.block("two"))).toEqual([]);
  expect(mended.code).toBe(0);
});

test("an account with more than its grants can use: the advice mends it", async () => {
  await createLogin(administrator, "gw_fat", "IDENTIFIED BY SECRET REQUIRE SSL");
  await run(
    "DROP ROLE IF EXISTS fat_role, spare_role",
    "CREATE ROLE fat_role, spare_role",
    "GRANT UPDATE, SELECT ON world.* TO fat_role",
    "GRANT fat_role, spare_role TO gw_fat",
    "GRANT INSERT (code), SHOW VIEW ON world.countries TO gw_fat",
    "GRANT ALL ON tidegate_sample.* TO gw_fat WITH GRANT OPTION",
    "GRANT FILE, PROCESS, SYSTEM_USER ON *.* TO gw_fat",
  );
  const account = { fat: { role: "fat_role" } };
  const { block } = await runAccounts(account);
  const found = warningsOf(block("fat"));
  expect(found.map((text) => text.split(":")[0]).sort()).toEqual([
    "`fat_role`@`%` has UPDATE on `world`.*",
    "`gw_fat`@`%` has ALL PRIVILEGES on `tidegate_sample`.*",
    "`gw_fat`@`%` has GRANT OPTION on `tidegate_sample`.*",
    "`gw_fat`@`%` has INSERT on `world`.`countries`",
    "`gw_fat`@`%` has PROCESS, FILE, SYSTEM_USER on *.*",
    "`gw_fat`@`%` may take the role `spare_role`@`%`, which the account does not name",
  ]);
  await mend(administrator, block("fat"));
  const mended = await runAccounts(account, { arguments: ["--strict"] });
  expect(mended.block("fat")).toContain("fat: ok");
  expect(mended.code).toBe(0);
});

test("the same account is right for those who may write", async () => {
  await createLogin(administrator, "gw_writes", "IDENTIFIED BY SECRET REQUIRE SSL");
  await run("GRANT INSERT, UPDATE, DELETE, EXECUTE ON world.* TO gw_writes");
  const { block } = await runAccounts({ writes: {} }, { allow: ["sql:write"] });
  expect(warningsOf(block("writes"))).toEqual([]);
  expect(warningsOf((await runAccounts({ writes: {} })).block("writes"))).toEqual([
    expect.stringContaining("INSERT, UPDATE, DELETE, EXECUTE on `world`.*"),
  ]);
});

describe("an account that the gateway would refuse", () => {
  test("is refused in the gateway's words, and it is shown who it is instead", async () => {
    await createLogin(administrator, "gw_itself", "IDENTIFIED BY SECRET REQUIRE SSL");
    const { code, output, block } = await runAccounts({ itself: seen, nobody: {} });
    expect(block("itself")).toMatch(
      /^itself: refused, database_identity_wrong: CURRENT_USER\(\) must be "seen@%" but is "gw_itself@%"/,
    );
    expect(block("itself")).toMatch(/identity {3}gw_itself@%[\s\S]*GRANT SELECT ON `world`/);
    expect(block("nobody")).toMatch(/^nobody: refused, database_login_failed: 1045 /);
    expect(output).toContain("2 accounts, 2 refused");
    expect(code).toBe(1);
  });
});

describe("without npm start", () => {
  const environment = { ANALYST_PASSWORD: password };
  const ca = ["--ca", server.caPath];

  test("passwords come from the environment, and what a mapped account cannot see is said", async () => {
    await mappedLogin("gw_good");
    const { code, block } = await runAccounts({ good: seen }, { running: false, arguments: ca, environment });
    expect(code).toBe(0);
    expect(block("good")).toMatch(/not seen: how many PROXY grants[\s\S]*SHOW GRANTS FOR 'gw_good'@'%';/);
    expect(block("good")).toMatch(/not seen: whether 'gw_good'@'%' has REQUIRE SSL/);
    expect(block("good")).not.toContain("login may");
  });

  test("the administrator's password too", async () => {
    await mappedLogin("gw_good");
    const { block } = await runAccounts(
      { good: seen },
      {
        running: false,
        arguments: [...ca, "--administrator", server.administrator.user],
        environment: { ...environment, TIDEGATE_ADMIN_PASSWORD: server.administrator.password },
      },
    );
    expect(block("good")).toContain("login may");
    expect(block("good")).not.toContain("not seen");
  });

  test("without a password, and without a terminal to ask at, no login is tried", async () => {
    const { code, output } = await runAccounts({ good: seen }, { running: false, arguments: ca });
    expect(output).toMatch(/^ANALYST_PASSWORD is not known: set the environment variable/);
    expect(code).toBe(2);
  });

  test("without the CA no login is sent; NODE_EXTRA_CA_CERTS names it as well as --ca", async () => {
    const { code, block } = await runAccounts({ good: seen }, { running: false, environment });
    expect(block("good")).toMatch(/^good: database_tls_failed: no verified TLS/);
    expect(code).toBe(2);
    const trusting = { ...environment, NODE_EXTRA_CA_CERTS: server.caPath };
    const other = await runAccounts({ good: seen }, { running: false, environment: trusting });
    expect(other.block("good")).toMatch(/^good: ok/);
  });
});
