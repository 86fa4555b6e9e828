import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { createPamUser } from "../../../servers/database/pam.ts";
import { type DatabaseServer, startDatabase } from "../../../servers/database/server.ts";
import { ensurePki } from "../../../servers/pki.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { startCountingProxy } from "../../../servers/wire/proxy.ts";
import type { Gateway } from "../support/harness.ts";
import { expectProblem, server } from "../support/harness.ts";
import { askAs, password, refusalOf, startMatrix } from "../support/logins.ts";

/**
 * PAM asks for the password in clear text (mysql_clear_password), as LDAP does. PAM's user map is MariaDB's
 * form of proxy users.
 */

let pam: DatabaseServer;
let administrator: Connection;
let proxy: CountingProxy;
let gateway: Gateway;

beforeAll(async () => {
  const pki = await ensurePki(server.pkiDirectory);
  const directory = join(packageRoot, ".tidegate", "test", "mariadb-pam");
  pam = await startDatabase({ engine: "mariadb", directory, pki, pam: true, log: () => {} });
  administrator = await connectAdministrator(pam);
  const make = async (name: string, actsAs?: string) => {
    await createPamUser(pam, administrator, { name, password, ...(actsAs === undefined ? {} : { actsAs }) });
  };
  await administrator.query("DROP USER IF EXISTS reporting, other");
  await make("gw_plain");
  await make("gw_hinted");
  await make("gw_mapped", "reporting");
  await make("gw_unmapped");
  await make("gw_forbidden");
  await make("gw_wrong");
  await administrator.query("CREATE DATABASE IF NOT EXISTS world");
  for (const user of ["reporting", "gw_plain", "gw_hinted", "gw_unmapped", "gw_forbidden"]) {
    await administrator.query(`GRANT SELECT ON world.* TO ${user}`);
  }
  proxy = await startCountingProxy({
    target: { host: "localhost", port: pam.port, ca: server.ca },
    certificate: pki.certificate,
    privateKey: pki.key,
  });
  const accounts = {
    plain: { cleartext: true },
    hinted: { cleartext: true, plugin: "mysql_clear_password" },
    mapped: { cleartext: true, acts_as: "reporting@%" },
    unmapped: { cleartext: true, acts_as: "reporting@%" },
    forbidden: {},
    wrong: { cleartext: true, password: "EDITOR_PASSWORD" },
  };
  gateway = await startMatrix(accounts, { hosts: [`localhost:${proxy.port}`] });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
  await administrator?.end();
  await pam?.stop();
});

describe("a PAM user whose account allows clear text", () => {
  /** Round trips from the connection's start to the login's OK, TCP and TLS included. */
  test.each([
    ["plain", "gw_plain@%", null, 4],
    ["hinted", "gw_hinted@%", null, 3],
    ["mapped", "reporting@%", "'gw_mapped'@'%'", 4],
  ] as const)("logs in: %s", async (account, identity, proxyUser, roundTrips) => {
    const before = proxy.loginRoundTrips.length;
    const answer = await askAs(gateway, account);
    expect(answer.body.rows).toEqual([{ account: identity, proxy: proxyUser }]);
    expect(proxy.loginRoundTrips.slice(before)).toEqual([roundTrips]);
  });
});

describe("is refused", () => {
  test("a PAM user whose account does not allow clear text", async () => {
    expectProblem(await askAs(gateway, "forbidden"), 503, "database_auth_unsupported");
    expect(refusalOf(gateway, "forbidden")).toContain(
      "mysql_clear_password, which the account does not allow",
    );
  });

  test("a wrong password", async () => {
    expectProblem(await askAs(gateway, "wrong"), 503, "database_login_failed");
  });

  test("an account that PAM does not map: it would go on as itself", async () => {
    expectProblem(await askAs(gateway, "unmapped"), 503, "database_identity_wrong");
    expect(refusalOf(gateway, "unmapped")).toContain(
      'CURRENT_USER() must be "reporting@%" but is "gw_unmapped@%"',
    );
  });

  test("an account whose PROXY grant is gone: MariaDB fails closed here", async () => {
    await administrator.query("REVOKE PROXY ON reporting FROM gw_mapped");
    const later = await startMatrix(
      { mapped: { cleartext: true, acts_as: "reporting@%" } },
      { hosts: [`localhost:${pam.port}`] },
    );
    try {
      expectProblem(await askAs(later, "mapped"), 503, "database_login_failed");
    } finally {
      await later.close();
    }
  });
});
