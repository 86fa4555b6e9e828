import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import { connect, connectAdministrator, createDatabase } from "../../../servers/database/connection.ts";
import { createPamUser } from "../../../servers/database/pam.ts";
import { startDatabase } from "../../../servers/database/server.ts";
import { ensurePki } from "../../../servers/pki.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, server, startGateway } from "../support/harness.ts";
import { createLogin, password } from "../support/logins.ts";

test("a server that lets everybody in (--skip-grant-tables) is refused", async () => {
  const pki = await ensurePki(server.pkiDirectory);
  const open = await startDatabase({
    engine: "mariadb",
    directory: join(packageRoot, ".tidegate", "test", "mariadb-skip-grant-tables"),
    pki,
    extraArguments: ["--skip-grant-tables"],
    log: () => {},
  });
  await createDatabase(open, "anybody");
  const gateway = await startGateway({ cluster: { hosts: [`localhost:${open.port}`], database: "anybody" } });
  try {
    expectProblem(await gateway.sql({ sql: "SELECT 1" }), 503, "database_identity_wrong");
  } finally {
    await gateway.close();
    await open.stop();
  }
});

test("an account that must act as somebody else is refused: MariaDB has no such mapping", async () => {
  const user = { user: "gw_analyst", password: "ANALYST_PASSWORD", acts_as: "analyst@%" };
  const gateway = await startGateway({ accounts: { analyst: user } });
  try {
    const answer = await gateway.sql({ sql: "SELECT 1" });
    expectProblem(answer, 503, "database_identity_wrong");
    const log = gateway
      .logs()
      .map(({ message }) => message.replaceAll('\\"', '"'))
      .join("\n");
    expect(log).toContain('CURRENT_USER() must be "analyst@%" but is "gw_analyst@%"');
  } finally {
    await gateway.close();
  }
});

describe("roles, which MariaDB's reset keeps", () => {
  let administrator: Connection;
  beforeAll(async () => {
    administrator = await connectAdministrator(databaseServer());
    const setUp = [
      "DROP ROLE IF EXISTS leak_readers",
      "DROP ROLE IF EXISTS leak_writers",
      "CREATE ROLE leak_readers",
      "CREATE ROLE leak_writers",
      "CREATE OR REPLACE PROCEDURE world.take_role() SQL SECURITY INVOKER SET ROLE leak_writers",
    ];
    for (const statement of setUp) await administrator.query(statement);
    await createLogin(administrator, "gw_leak", "IDENTIFIED BY SECRET REQUIRE SSL");
    await administrator.query("GRANT EXECUTE ON world.* TO gw_leak");
    await administrator.query("GRANT leak_writers TO gw_leak");
    await administrator.query("GRANT leak_readers TO gw_leak");
  });
  afterAll(async () => {
    await administrator?.query("DROP PROCEDURE IF EXISTS world.take_role");
    await administrator?.end();
  });

  const who = { sql: "SELECT CURRENT_ROLE() AS role, CONNECTION_ID() AS connection" };

  async function startAs(more: Record<string, unknown>): Promise<Gateway> {
    const login = { user: "gw_leak", password: "ANALYST_PASSWORD", connections_per_shard: 1, ...more };
    const issuer = "http://issuer.test/remote";
    return await startGateway({
      accounts: { analyst: login, editor: { user: "gw_editor", password: "EDITOR_PASSWORD" } },
      grants: [{ issuer, account: "analyst", allow: ["sql:read", "sql:write"] }],
    });
  }

  test("positive control: the role that a procedure takes outlives COM_RESET_CONNECTION", async () => {
    const connection = await connect(databaseServer(), "gw_leak", password);
    try {
      await connection.query("CALL world.take_role()");
      await connection.reset();
      const [rows] = await connection.query<RowDataPacket[]>("SELECT CURRENT_ROLE() AS role");
      expect(rows).toEqual([{ role: "leak_writers" }]);
    } finally {
      await connection.end();
    }
  });

  test.each([
    ["the account's role", { role: "leak_readers" }, "leak_readers"],
    ["no role", {}, null],
  ])("the next caller has %s again, on the same connection", async (_, more, role) => {
    const gateway = await startAs(more);
    try {
      const before = (await gateway.sql(who)).body.rows[0];
      expect(before.role).toBe(role);
      const call = await gateway.sql({ sql: "CALL world.take_role()" });
      expect(call.status).toBe(200);
      expect((await gateway.sql(who)).body.rows).toEqual([before]);
    } finally {
      await gateway.close();
    }
  });

  test("a role that was taken away is refused", async () => {
    await administrator.query("REVOKE leak_readers FROM gw_leak");
    const gateway = await startAs({ role: "leak_readers" });
    try {
      expectProblem(await gateway.sql(who), 503, "database_identity_wrong");
      expect(gateway.logs().some(({ message }) => message.includes("1959 "))).toBe(true);
    } finally {
      await gateway.close();
      await administrator.query("GRANT leak_readers TO gw_leak");
    }
  });
});

describe("PAM, which maps by its service and fails open", () => {
  test("an account whose service does not map it is refused, a mapped one is not", async () => {
    const pam = await startDatabase({
      engine: "mariadb",
      directory: join(packageRoot, ".tidegate", "test", "mariadb-pam-identities"),
      pki: await ensurePki(server.pkiDirectory),
      pam: true,
      log: () => {},
    });
    const administrator = await connectAdministrator(pam);
    const start = () =>
      startGateway({
        cluster: { hosts: [`localhost:${pam.port}`] },
        accounts: {
          analyst: { user: "gw_pam", password: "ANALYST_PASSWORD", acts_as: "reporting@%", cleartext: true },
          editor: { user: "gw_editor", password: "EDITOR_PASSWORD" },
        },
      });
    const who = { sql: "SELECT CURRENT_USER() AS account" };
    let gateway: Gateway | undefined;
    try {
      await administrator.query("CREATE DATABASE IF NOT EXISTS world");
      await createPamUser(pam, administrator, { name: "gw_pam", password, actsAs: "reporting" });
      await administrator.query("GRANT SELECT ON world.* TO reporting");
      gateway = await start();
      expect((await gateway.sql(who)).body.rows).toEqual([{ account: "reporting@%" }]);
      await gateway.close();

      await createPamUser(pam, administrator, { name: "gw_pam", password });
      // With this right it could read; only the proof prevents that.
      await administrator.query("GRANT SELECT ON world.* TO gw_pam");
      gateway = await start();
      expectProblem(await gateway.sql(who), 503, "database_identity_wrong");
      const log = gateway.logs().map(({ message }) => message.replaceAll('\\"', '"'));
      expect(log.join("\n")).toContain('CURRENT_USER() must be "reporting@%" but is "gw_pam@%"');
    } finally {
      await gateway?.close();
      await administrator.end();
      await pam.stop();
    }
  });
});
