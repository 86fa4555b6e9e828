import type { Connection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, startProxy } from "../support/harness.ts";
import { askAs, createLogin, refusalOf, startMatrix } from "../support/logins.ts";

/** Every login method of TiDB, and every refusal of a login. Tokens: tokens.test.ts. */

let administrator: Connection;
let proxy: CountingProxy;
let gateway: Gateway;

const sha2 = "IDENTIFIED WITH caching_sha2_password BY SECRET REQUIRE SSL";
const native = "IDENTIFIED WITH mysql_native_password BY SECRET REQUIRE SSL";

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  const make = (name: string, how: string) => createLogin(administrator, `gw_${name}`, how);
  await make("sha2", sha2);
  await make("sha2_hinted", sha2);
  await make("sha2_misled", sha2);
  await make("native", native);
  await make("native_hinted", native);
  await make("native_misled", native);
  await make("sm3", "IDENTIFIED WITH tidb_sm3_password BY SECRET REQUIRE SSL");
  await make("token", "IDENTIFIED WITH tidb_auth_token REQUIRE SSL");
  await make("ldap", "IDENTIFIED WITH authentication_ldap_sasl AS 'uid=someone,dc=example' REQUIRE SSL");
  await make("socket", "IDENTIFIED WITH auth_socket REQUIRE SSL");
  await make("locked", `${sha2} ACCOUNT LOCK`);
  await make("expired", `${sha2} PASSWORD EXPIRE`);
  await make("wrong", "IDENTIFIED BY 'another password' REQUIRE SSL");
  await make("x509", "IDENTIFIED BY SECRET REQUIRE X509");
  await make("elsewhere@192.0.2.1", sha2);
  await make("blocked", `${sha2} FAILED_LOGIN_ATTEMPTS 2 PASSWORD_LOCK_TIME 1`);
  await make("poor", sha2);
  await administrator.query("REVOKE SELECT ON world.* FROM gw_poor");
  proxy = await startProxy();
  gateway = await startMatrix(
    {
      sha2: {},
      sha2_hinted: { plugin: "caching_sha2_password" },
      sha2_misled: { plugin: "sha256_password" },
      native: {},
      native_hinted: { plugin: "mysql_native_password" },
      native_misled: { plugin: "caching_sha2_password" },
      sm3: {},
      token: {},
      ldap: {},
      socket: {},
      locked: {},
      expired: {},
      wrong: {},
      unknown: {},
      x509: {},
      elsewhere: {},
      blocked: { password: "EDITOR_PASSWORD" },
      poor: {},
    },
    { hosts: [`localhost:${proxy.port}`] },
  );
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
  await administrator?.end();
});

describe("logs in", () => {
  /** Round trips from the connection's start to the login's OK, TCP and TLS included. */
  const table: [string, string, number][] = [
    // TiDB greets with mysql_native_password and has no cache: each login takes a switch of the method, and
    // then the password itself.
    ["caching_sha2_password", "sha2", 5],
    // There is still a switch, because TiDB compares the account's method with that of its greeting.
    ["caching_sha2_password, named by the account", "sha2_hinted", 5],
    ["caching_sha2_password, with a wrong name", "sha2_misled", 5],
    ["mysql_native_password, the greeting's", "native", 3],
    ["mysql_native_password, named by the account", "native_hinted", 3],
    ["mysql_native_password, with a wrong name: a switch, no failure", "native_misled", 4],
  ];
  test.each(table)("%s", async (_, account, roundTrips) => {
    const before = proxy.loginRoundTrips.length;
    const answer = await askAs(gateway, account);
    expect(answer.body.rows).toEqual([{ account: `gw_${account}@%`, proxy: null }]);
    expect(proxy.loginRoundTrips.slice(before)).toEqual([roundTrips]);
  });

  describe("where TiDB's greeting names another method (default_authentication_plugin)", () => {
    afterEach(() => administrator.query("SET GLOBAL default_authentication_plugin = DEFAULT"));

    test("caching_sha2_password: it needs no switch, and mysql_native_password needs one", async () => {
      await administrator.query("SET GLOBAL default_authentication_plugin = 'caching_sha2_password'");
      const other = await startMatrix({ sha2: {}, native: {} }, { hosts: [`localhost:${proxy.port}`] });
      try {
        const before = proxy.loginRoundTrips.length;
        for (const account of ["sha2", "native"]) expect((await askAs(other, account)).status).toBe(200);
        expect(proxy.loginRoundTrips.slice(before)).toEqual([4, 4]);
      } finally {
        await other.close();
      }
    });

    test("tidb_sm3_password: an account that names its own method logs in", async () => {
      await administrator.query("SET GLOBAL default_authentication_plugin = 'tidb_sm3_password'");
      const other = await startMatrix({ sha2: {}, sha2_hinted: { plugin: "caching_sha2_password" } });
      try {
        expect((await askAs(other, "sha2_hinted")).status).toBe(200);
        expectProblem(await askAs(other, "sha2"), 503, "database_auth_unsupported");
        expect(refusalOf(other, "sha2")).toMatch(
          /tidb_sm3_password, which is not supported; .*; where the user has one of them, name it as the account's plugin$/,
        );
      } finally {
        await other.close();
      }
    });
  });

  test("caching_sha2_password takes as long again: nothing is kept", async () => {
    const again = await startMatrix({ sha2: {} }, { hosts: [`localhost:${proxy.port}`] });
    try {
      const before = proxy.loginRoundTrips.length;
      expect((await askAs(again, "sha2")).status).toBe(200);
      expect(proxy.loginRoundTrips.slice(before)).toEqual([5]);
    } finally {
      await again.close();
    }
  });
});

describe("is refused, each with its own code, and the operator is told what to check", () => {
  const table: [string, string, string, RegExp][] = [
    [
      "tidb_sm3_password",
      "sm3",
      "database_auth_unsupported",
      /^the server asks for the authentication plugin tidb_sm3_password, which is not supported; let the user log in with caching_sha2_password, mysql_native_password or tidb_auth_token$/,
    ],
    [
      "tidb_auth_token, with a password",
      "token",
      "database_auth_unsupported",
      /^the server asks for the authentication plugin mysql_clear_password, .* tidb_auth_token needs a token instead of a password$/,
    ],
    [
      "LDAP by SASL",
      "ldap",
      "database_auth_unsupported",
      /authentication_ldap_sasl_client, which is not supp/,
    ],
    ["auth_socket", "socket", "database_login_failed", /^1045 /],
    ["a locked account", "locked", "database_account_locked", /^3118 .*ACCOUNT UNLOCK/],
    ["an expired password", "expired", "database_login_expired", /^1862 .*new password/],
    ["a wrong password", "wrong", "database_login_failed", /^1045 .*check the user, its secret/],
    ["an unknown user", "unknown", "database_login_failed", /^1045 .*check the user, its secret/],
    ["a certificate that is demanded", "x509", "database_login_failed", /^1045 .*REQUIRE X509/],
    ["a user of another host", "elsewhere", "database_login_failed", /^1045 .*host that it may come from/],
    ["no privilege on the database", "poor", "database_missing", /^1044 .*cluster\.database/],
  ];
  test.each(table)("%s", async (_, account, code, reason) => {
    const answer = await askAs(gateway, account);
    expectProblem(answer, 503, code);
    expect(JSON.stringify(answer.body)).not.toContain("gw_");
    expect(refusalOf(gateway, account)).toMatch(reason);
  });

  test("a database that is not there", async () => {
    const other = await startMatrix({ sha2: {} }, { database: "no_such_database" });
    try {
      expectProblem(await askAs(other, "sha2"), 503, "database_missing");
      expect(refusalOf(other, "sha2")).toMatch(/^10(?:44|49) .*cluster\.database/);
    } finally {
      await other.close();
    }
  });

  test("a time zone that TiDB does not know", async () => {
    const other = await startMatrix({ sha2: { time_zone: "Europe/Nowhere" } });
    try {
      expectProblem(await askAs(other, "sha2"), 503, "database_settings_refused");
      expect(refusalOf(other, "sha2")).toMatch(/^1298 /);
    } finally {
      await other.close();
    }
  });

  test("too many connections of the server", async () => {
    const [rows] = await administrator.query("SHOW PROCESSLIST");
    await administrator.query(`SET GLOBAL max_connections = ${(rows as unknown[]).length}`);
    const other = await startMatrix({ sha2: {} });
    try {
      const answer = await askAs(other, "sha2");
      expectProblem(answer, 503, "database_connections_exhausted");
      expect(refusalOf(other, "sha2")).toMatch(/^1040 /);
    } finally {
      await administrator.query("SET GLOBAL max_connections = DEFAULT");
      await other.close();
    }
  });

  test("an account that failed logins have locked", async () => {
    expectProblem(await askAs(gateway, "blocked"), 503, "database_login_failed");
    expectProblem(await askAs(gateway, "blocked"), 503, "database_account_locked");
    expect(refusalOf(gateway, "blocked")).toMatch(/^3955 /);
  });
});
