import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, startProxy } from "../support/harness.ts";
import { askAs, createLogin, password, refusalOf, startMatrix } from "../support/logins.ts";

/** Every login method of MariaDB, and every refusal of a login. */

let administrator: Connection;
let proxy: CountingProxy;
let gateway: Gateway;

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await administrator.query("INSTALL SONAME 'auth_ed25519'").catch(ifInstalled);
  const make = (name: string, how: string) => createLogin(administrator, `gw_${name}`, how);
  const native = "IDENTIFIED VIA mysql_native_password USING PASSWORD(SECRET) REQUIRE SSL";
  const ed25519 = "IDENTIFIED VIA ed25519 USING PASSWORD(SECRET) REQUIRE SSL";
  await make("native", native);
  await make("native_misled", native);
  await make("ed25519", ed25519);
  await make("ed25519_hinted", ed25519);
  await make("locked", `${native} ACCOUNT LOCK`);
  await make("expired", `${native} PASSWORD EXPIRE`);
  await make("wrong", "IDENTIFIED BY 'another password' REQUIRE SSL");
  await make("x509", "IDENTIFIED BY SECRET REQUIRE X509");
  await make("busy", "IDENTIFIED BY SECRET REQUIRE SSL WITH MAX_USER_CONNECTIONS 1");
  await make("socket", "IDENTIFIED VIA unix_socket");
  await make("elsewhere@192.0.2.1", native);
  await make("poor", native);
  await administrator.query("REVOKE ALL ON world.* FROM gw_poor");
  proxy = await startProxy();
  gateway = await startMatrix(
    {
      native: {},
      native_misled: { plugin: "client_ed25519" },
      ed25519: {},
      ed25519_hinted: { plugin: "client_ed25519" },
      locked: {},
      expired: {},
      wrong: {},
      unknown: {},
      x509: {},
      busy: {},
      socket: {},
      elsewhere: {},
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

function ifInstalled(cause: { errno?: number }): void {
  // 1968: the plugin is already installed.
  if (cause.errno !== 1968) throw cause;
}

describe("logs in", () => {
  /** Round trips from the connection's start to the login's OK, TCP and TLS included. */
  const table: [string, string, number][] = [
    ["mysql_native_password", "native", 3],
    ["mysql_native_password, with a wrong name: a switch, no failure", "native_misled", 4],
    ["client_ed25519", "ed25519", 4],
    ["client_ed25519, named by the account: its nonce comes with a switch all the same", "ed25519_hinted", 4],
  ];
  test.each(table)("%s", async (_, account, roundTrips) => {
    const before = proxy.loginRoundTrips.length;
    const answer = await askAs(gateway, account);
    expect(answer.body.rows).toEqual([{ account: `gw_${account}@%`, proxy: null }]);
    expect(proxy.loginRoundTrips.slice(before)).toEqual([roundTrips]);
  });
});

describe("is refused, each with its own code, and the operator is told what to check", () => {
  const table: [string, string, string, RegExp][] = [
    ["a locked account", "locked", "database_account_locked", /^4151 .*ACCOUNT UNLOCK/],
    ["an expired password", "expired", "database_login_expired", /^18\d\d .*new password/],
    ["a wrong password", "wrong", "database_login_failed", /^1045 .*check the user, its secret/],
    ["an unknown user", "unknown", "database_login_failed", /^1045 .*check the user, its secret/],
    ["a certificate that is demanded", "x509", "database_login_failed", /^1045 .*REQUIRE X509/],
    ["a user of another host", "elsewhere", "database_login_failed", /^1045 .*host that it may come from/],
    ["no privilege on the database", "poor", "database_missing", /^1044 .*cluster\.database/],
    // There is no unix socket over TCP: the server refuses by itself and names no method.
    ["a login by the operating system (unix_socket)", "socket", "database_login_failed", /^1698 /],
  ];
  test.each(table)("%s", async (_, account, code, reason) => {
    const answer = await askAs(gateway, account);
    expectProblem(answer, 503, code);
    expect(JSON.stringify(answer.body)).not.toContain("gw_");
    expect(refusalOf(gateway, account)).toMatch(reason);
  });

  test("too many connections of the user", async () => {
    // A separate connection, because MariaDB no longer counts a connection after a reset.
    const first = await connect(databaseServer(), "gw_busy", password);
    try {
      expectProblem(await askAs(gateway, "busy"), 503, "database_connections_exhausted");
      expect(refusalOf(gateway, "busy")).toMatch(/^1226 .*shards × connections_per_shard/);
    } finally {
      await first.end();
    }
  });
});
