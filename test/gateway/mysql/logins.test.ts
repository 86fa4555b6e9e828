import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, startProxy } from "../support/harness.ts";
import { askAs, createLogin, refusalOf, startMatrix } from "../support/logins.ts";

/** Every login method of MySQL 9.7, and every refusal of a login. */

let administrator: Connection;
let proxy: CountingProxy;
let gateway: Gateway;

const sha2 = "IDENTIFIED WITH caching_sha2_password BY SECRET REQUIRE SSL";
const sha256 = "IDENTIFIED WITH sha256_password BY SECRET REQUIRE SSL";

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  const make = (name: string, how: string) => createLogin(administrator, `gw_${name}`, how);
  await make("sha2", sha2);
  await make("sha2_hinted", sha2);
  await make("sha256", sha256);
  await make("sha256_hinted", sha256);
  await make("sha2_misled", sha2);
  await make("sha256_proxy", sha256);
  await administrator.query("DROP USER IF EXISTS reporting");
  await administrator.query("CREATE USER reporting IDENTIFIED WITH mysql_no_login REQUIRE SSL");
  await administrator.query("GRANT SELECT ON world.* TO reporting");
  await administrator.query("GRANT PROXY ON reporting TO gw_sha256_proxy");
  await make("nologin", "IDENTIFIED WITH mysql_no_login REQUIRE SSL");
  await make("locked", `${sha2} ACCOUNT LOCK`);
  await make("expired", `${sha2} PASSWORD EXPIRE`);
  await make("wrong", "IDENTIFIED BY 'another password' REQUIRE SSL");
  await make("x509", "IDENTIFIED BY SECRET REQUIRE X509");
  await make("busy", `${sha2} WITH MAX_USER_CONNECTIONS 1`);
  await make("elsewhere@192.0.2.1", sha2);
  await make("blocked", `${sha2} FAILED_LOGIN_ATTEMPTS 2 PASSWORD_LOCK_TIME 1`);
  await make("poor", sha2);
  await administrator.query("REVOKE ALL ON world.* FROM gw_poor");
  proxy = await startProxy();
  gateway = await startMatrix(
    {
      sha2: {},
      sha2_hinted: { plugin: "caching_sha2_password" },
      sha2_misled: { plugin: "sha256_password" },
      sha256: {},
      sha256_hinted: { plugin: "sha256_password" },
      sha256_proxy: { acts_as: "reporting@%" },
      nologin: {},
      locked: {},
      expired: {},
      wrong: {},
      unknown: {},
      x509: {},
      busy: {},
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
  const table: [string, string, string, number][] = [
    // At the first login of each account the server's cache is empty: one more round trip, with the
    // password itself.
    ["caching_sha2_password, not cached", "sha2", "gw_sha2@%", 4],
    [
      "caching_sha2_password, named by the account: the greeting's anyway",
      "sha2_hinted",
      "gw_sha2_hinted@%",
      4,
    ],
    ["caching_sha2_password, with a wrong name: a switch, no failure", "sha2_misled", "gw_sha2_misled@%", 5],
    ["sha256_password, by a switch", "sha256", "gw_sha256@%", 4],
    // MySQL begins with the method of its greeting, whatever the client begins with.
    [
      "sha256_password, named by the account: a switch all the same",
      "sha256_hinted",
      "gw_sha256_hinted@%",
      4,
    ],
  ];
  test.each(table)("%s", async (_, account, identity, roundTrips) => {
    const before = proxy.loginRoundTrips.length;
    const answer = await askAs(gateway, account);
    expect(answer.body.rows).toEqual([{ account: identity, proxy: null }]);
    expect(proxy.loginRoundTrips.slice(before)).toEqual([roundTrips]);
  });

  test("caching_sha2_password, cached: without the password; and again with it when the cache is empty", async () => {
    const again = await startMatrix({ sha2: {} }, { hosts: [`localhost:${proxy.port}`] });
    const third = await startMatrix({ sha2: {} }, { hosts: [`localhost:${proxy.port}`] });
    try {
      const before = proxy.loginRoundTrips.length;
      expect((await askAs(again, "sha2")).status).toBe(200);
      // The same as after a restart of the server (MySQL manual, "Cache Operation for SHA-2 Pluggable
      // Authentication").
      await administrator.query("FLUSH PRIVILEGES");
      expect((await askAs(third, "sha2")).status).toBe(200);
      expect(proxy.loginRoundTrips.slice(before)).toEqual([3, 4]);
    } finally {
      await again.close();
      await third.close();
    }
  });

  test("sha256_password as a proxy user", async () => {
    const { body } = await askAs(gateway, "sha256_proxy");
    expect(body.rows).toEqual([{ account: "reporting@%", proxy: "'gw_sha256_proxy'@'%'" }]);
  });
});

describe("is refused, each with its own code, and the operator is told what to check", () => {
  const table: [string, string, string, RegExp][] = [
    ["mysql_no_login", "nologin", "database_login_failed", /^1045 /],
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

  test("too many connections of the user", async () => {
    const other = await startMatrix({ busy: {} });
    try {
      expect((await askAs(gateway, "busy")).status).toBe(200);
      const answer = await askAs(other, "busy");
      expectProblem(answer, 503, "database_connections_exhausted");
      expect(refusalOf(other, "busy")).toMatch(/^1226 .*shards × connections_per_shard/);
    } finally {
      await other.close();
    }
  });

  test("too many connections of the server", async () => {
    // The administrator uses the connection that is reserved for CONNECTION_ADMIN.
    await administrator.query("SET GLOBAL max_connections = 1");
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
