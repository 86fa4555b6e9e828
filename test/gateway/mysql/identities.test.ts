import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import { connectAdministrator, createDatabase } from "../../../servers/database/connection.ts";
import { startDatabase } from "../../../servers/database/server.ts";
import { ensurePki } from "../../../servers/pki.ts";
import type { Gateway, GatewayOptions } from "../support/harness.ts";
import { databaseServer, expectProblem, server, startGateway } from "../support/harness.ts";

/**
 * MySQL's proxy mapping fails open: when it does not apply, the login keeps its own identity and rights,
 * without an error. These tests cause this in each possible way on a real server; the gateway must refuse
 * every one.
 */

let administrator: Connection;
let gateway: Gateway | undefined;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});
afterAll(() => administrator?.end());

const who = { sql: "SELECT USER() AS login, CURRENT_USER() AS account, @@proxy_user AS proxy" };

/** Expects that the gateway refuses its own connection, and that only the operator gets the reason. */
async function expectRefused(options: GatewayOptions, reason: string): Promise<void> {
  gateway = await startGateway(options);
  const answer = await gateway.sql(who);
  expectProblem(answer, 503, "database_identity_wrong");
  const refusal = gateway.logs().find(({ message }) => message.includes('"connection_refused"'));
  expect(refusal?.message.replaceAll('\\"', '"')).toContain(reason);
  expect(JSON.stringify(answer.body)).not.toMatch(/gw_|analyst/);
}

function account(user: string, acts_as: string | undefined) {
  const password = "ANALYST_PASSWORD";
  return { analyst: { user, password, ...(acts_as === undefined ? {} : { acts_as }) } };
}

async function createLogin(user: string): Promise<void> {
  await administrator.query(`DROP USER IF EXISTS ${user}`);
  await administrator.query(`CREATE USER ${user} IDENTIFIED BY ? REQUIRE SSL`, [
    server.passwords.ANALYST_PASSWORD,
  ]);
  // With this right it could read; only the proof prevents that.
  await administrator.query(`GRANT SELECT ON world.* TO ${user}`);
}

describe("a proxy user", () => {
  test("positive control: acts as the identity that the configuration names", async () => {
    gateway = await startGateway();
    const { body } = await gateway.sql(who);
    expect(body.rows).toEqual([
      { login: expect.stringMatching(/^gw_analyst@/), account: "analyst@%", proxy: "'gw_analyst'@'%'" },
    ]);
  });

  test("whose PROXY grant points to a dropped account is refused", async () => {
    await createLogin("gw_dangling");
    await administrator.query("CREATE USER gone IDENTIFIED WITH mysql_no_login");
    await administrator.query("GRANT PROXY ON gone TO gw_dangling");
    await administrator.query("DROP USER gone");
    await expectRefused(
      { accounts: account("gw_dangling", "gone@%") },
      'CURRENT_USER() must be "gone@%" but is "gw_dangling@%"',
    );
  });

  test("without a PROXY grant is refused", async () => {
    await createLogin("gw_plain");
    await expectRefused(
      { accounts: account("gw_plain", "analyst@%") },
      'CURRENT_USER() must be "analyst@%" but is "gw_plain@%"',
    );
  });

  test("that acts as somebody else is refused", async () => {
    await expectRefused(
      {
        accounts: {
          ...account("gw_editor", "analyst@%"),
          editor: { user: "gw_x", password: "EDITOR_PASSWORD" },
        },
        secrets: { ANALYST_PASSWORD: server.passwords.EDITOR_PASSWORD ?? "" },
      },
      'CURRENT_USER() must be "analyst@%" but is "editor@%"',
    );
  });

  test("on a server that does not check proxy users is refused", async () => {
    await administrator.query("SET GLOBAL check_proxy_users = OFF");
    try {
      // Without the mapping the login has no rights in the database, so the server may refuse it first.
      await administrator.query("GRANT SELECT ON world.* TO gw_analyst");
      await expectRefused({}, 'CURRENT_USER() must be "analyst@%" but is "gw_analyst@%"');
    } finally {
      await administrator.query("SET GLOBAL check_proxy_users = ON");
      await administrator.query("REVOKE SELECT ON world.* FROM gw_analyst");
    }
  });
});

describe("the traps of the mapping, each of which lets the login in as itself or as another", () => {
  const create = async (...names: string[]) => {
    for (const name of names) {
      await administrator.query(`DROP USER IF EXISTS ${name}`);
      await administrator.query(`CREATE USER ${name} IDENTIFIED WITH mysql_no_login REQUIRE SSL`);
      await administrator.query(`GRANT SELECT ON world.* TO ${name}`);
    }
  };

  test("two PROXY grants: the first granted wins, until FLUSH PRIVILEGES sorts them", async () => {
    await createLogin("gw_two");
    await create("zoe", "abe");
    await administrator.query("GRANT PROXY ON zoe TO gw_two");
    await administrator.query("GRANT PROXY ON abe TO gw_two");
    const accounts = account("gw_two", "zoe@%");
    const before = await startGateway({ accounts });
    try {
      expect((await before.sql(who)).body.rows[0]).toMatchObject({ account: "zoe@%" });
      await administrator.query("FLUSH PRIVILEGES");
      await expectRefused({ accounts }, 'CURRENT_USER() must be "zoe@%" but is "abe@%"');
      // A connection keeps its proven identity, also over resets.
      expect((await before.sql(who)).body.rows[0]).toMatchObject({ account: "zoe@%" });
    } finally {
      await before.close();
    }
    await gateway?.close();
    await administrator.query("REVOKE PROXY ON abe FROM gw_two");
    gateway = await startGateway({ accounts });
    expect((await gateway.sql(who)).body.rows[0]).toMatchObject({ account: "zoe@%" });
  });

  test("a PROXY grant for the login from another host", async () => {
    await createLogin("gw_hosted");
    await createLogin("'gw_hosted'@'192.0.2.1'");
    await create("zoe");
    await administrator.query("GRANT PROXY ON zoe TO 'gw_hosted'@'192.0.2.1'");
    await expectRefused(
      { accounts: account("gw_hosted", "zoe@%") },
      'CURRENT_USER() must be "zoe@%" but is "gw_hosted@%"',
    );
  });

  test("an identity of a host that the gateway does not come from", async () => {
    await createLogin("gw_hosted");
    await create("'zoe'@'192.0.2.1'");
    await administrator.query("GRANT PROXY ON 'zoe'@'192.0.2.1' TO gw_hosted");
    await expectRefused(
      { accounts: account("gw_hosted", "zoe@192.0.2.1") },
      'CURRENT_USER() must be "zoe@192.0.2.1" but is "gw_hosted@%"',
    );
  });

  test("an identity of the right name and another host", async () => {
    const [rows] = await administrator.query<RowDataPacket[]>(
      "SELECT SUBSTRING_INDEX(USER(), '@', -1) AS host",
    );
    const near = `'zoe'@'${rows[0]?.host}'`;
    await createLogin("gw_hosted");
    await create("zoe", near);
    await administrator.query(`GRANT PROXY ON ${near} TO gw_hosted`);
    await expectRefused(
      { accounts: account("gw_hosted", "zoe@%") },
      `CURRENT_USER() must be "zoe@%" but is "${near.replaceAll("'", "")}"`,
    );
  });

  test("a server that does not map logins of this method", async () => {
    await createLogin("gw_flag");
    await create("zoe");
    await administrator.query("GRANT PROXY ON zoe TO gw_flag");
    const accounts = account("gw_flag", "zoe@%");
    await administrator.query("SET GLOBAL caching_sha2_password_proxy_users = OFF");
    try {
      await expectRefused({ accounts }, 'CURRENT_USER() must be "zoe@%" but is "gw_flag@%"');
      await gateway?.close();
      // Without rights of its own, as docs/guides/accounts.md recommends, the server refuses the login before the
      // proof.
      await administrator.query("REVOKE SELECT ON world.* FROM gw_flag");
      gateway = await startGateway({ accounts });
      expectProblem(await gateway.sql(who), 503, "database_missing");
    } finally {
      await administrator.query("SET GLOBAL caching_sha2_password_proxy_users = ON");
    }
    await gateway.close();
    gateway = await startGateway({ accounts });
    expect((await gateway.sql(who)).body.rows[0]).toMatchObject({ account: "zoe@%" });
  });
});

describe("a plain login", () => {
  test("positive control: is itself", async () => {
    await createLogin("gw_plain");
    gateway = await startGateway({ accounts: account("gw_plain", undefined) });
    expect((await gateway.sql(who)).body.rows[0]).toMatchObject({ account: "gw_plain@%", proxy: null });
  });

  test("that turns out to be mapped to somebody is refused", async () => {
    await expectRefused(
      { accounts: account("gw_analyst", undefined) },
      'CURRENT_USER() must be "gw_analyst@…"',
    );
  });
});

describe("the server", () => {
  test("that lets everybody in (--skip-grant-tables) is refused", async () => {
    const pki = await ensurePki(server.pkiDirectory);
    const open = await startDatabase({
      engine: "mysql",
      directory: join(packageRoot, ".tidegate", "test", "skip-grant-tables"),
      pki,
      tls: "offered",
      extraArguments: ["--skip-grant-tables"],
      log: () => {},
    });
    try {
      await createDatabase(open, "anybody");
      await expectRefused(
        { cluster: { hosts: [`localhost:${open.port}`], database: "anybody" } },
        'CURRENT_USER() must be "analyst@%" but is "skip-grants user@skip-grants host"',
      );
    } finally {
      await open.stop();
    }
  });

  // TiDB has no proxy users, so the configuration may name none.
  const plain = {
    accounts: {
      ...account("gw_analyst", undefined),
      editor: { user: "gw_x", password: "EDITOR_PASSWORD" },
    },
  };
  test.each([
    ["mariadb", {}],
    ["tidb", plain],
  ])("that is another engine than the configured one (%s) is refused", async (engine, options) => {
    await expectRefused({ ...options, cluster: { engine } }, `engine must be "${engine}" but is "mysql"`);
  });
});
