import type { Connection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connect, connectAdministrator, createDatabase } from "../../../servers/database/connection.ts";
import type { DatabaseServer } from "../../../servers/database/server.ts";
import { logged } from "../support/ask.ts";
import { loadFurther, startFurther } from "../support/further-server.ts";
import type { Gateway, GatewayOptions } from "../support/harness.ts";
import { expectProblem, issuers, read, startGateway } from "../support/harness.ts";
import { startThroughHyperdrive } from "../support/through-hyperdrive.ts";

/** A TiDB that differs from the configuration, or does not answer with an identity: refused at the login. */

const question = { sql: "SELECT USER() AS login" };
const reading = [{ issuer: issuers.remote, account: "analyst", allow: ["sql:read"] }];
const writing = [{ issuer: issuers.remote, account: "analyst", allow: ["sql:read", "sql:write"] }];

let gateway: Gateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

/** The answers to the caller and of /readyz name no account; the log has the reason. */
async function expectRefused(options: GatewayOptions, reason: string): Promise<void> {
  gateway = await startGateway(options);
  const answers = [await gateway.sql(question), await read(await gateway.fetch("/readyz"))];
  for (const answer of answers) {
    expectProblem(answer, 503, "database_identity_wrong");
    expect(answer.body.retryable).toBe(true);
    expect(JSON.stringify(answer.body)).not.toMatch(/gw_|analyst|localhost|mysql|tidb|GRANT|skip/i);
  }
  const reasons = logged(gateway, "connection_refused").map((line) => line.reason);
  expect(reasons).not.toEqual([]);
  for (const one of reasons) expect(one).toContain(reason);
}

// mysql/identities.test.ts tests the reverse: a MySQL that is configured as a TiDB.
describe("a TiDB that is configured as another engine", () => {
  test.each(["mysql", "mariadb"])("%s: refused by its greeting", async (configured) => {
    await expectRefused({ cluster: { engine: configured } }, `engine must be "${configured}" but is "tidb"`);
  });

  test.each(["mysql", "mariadb"])(
    "%s, through Hyperdrive: refused in each transaction",
    async (configured) => {
      const { gateway: through, close } = await startThroughHyperdrive({ cluster: { engine: configured } });
      try {
        // A read begins with READ ONLY; a write gets as far as the proof.
        for (const [role, reason] of [
          ["analyst", "1235 function READ ONLY"],
          ["editor", "1193 Unknown system variable 'proxy_user'"],
        ] as const) {
          const sql = role === "analyst" ? question.sql : "DELETE FROM notes WHERE author = 'nobody'";
          const answer = await through.sql({ sql }, { role });
          expectProblem(answer, 503, "database_identity_wrong");
          const said = logged(through, "connection_refused").map((line) => String(line.reason));
          expect(said.at(-1)).toContain(reason);
          expect(said.at(-1)).toContain("compare cluster.engine with the server");
        }
      } finally {
        await close();
      }
    },
  );

  describe("and greets with another server's version (server-version)", () => {
    let disguised: DatabaseServer;
    let administrator: Connection;
    beforeAll(async () => {
      disguised = await startFurther("disguised", { configuration: { "server-version": "8.0.36" } });
      await loadFurther(disguised);
      administrator = await connectAdministrator(disguised);
    });
    afterAll(async () => {
      await administrator?.end();
      await disguised?.stop();
    });
    const cluster = (engine: string) => ({ engine, hosts: [`localhost:${disguised.port}`] });

    test.each([
      ["refuses READ ONLY", "OFF", "1235 function READ ONLY"],
      ["takes READ ONLY and ignores it", "ON", "1193 Unknown system variable 'proxy_user'"],
    ])("as MySQL, where it %s (tidb_enable_noop_functions)", async (_, noop, reason) => {
      await administrator.query(`SET GLOBAL tidb_enable_noop_functions = ${noop}`);
      await expectRefused({ cluster: cluster("mysql"), grants: reading }, reason);
      expect(JSON.stringify(gateway?.logs())).toContain("compare cluster.engine with the server");
    });

    test("as TiDB: a server is what it says that it is", async () => {
      await expectRefused(
        { cluster: cluster("tidb"), grants: reading },
        'engine must be "tidb" but is "mysql"',
      );
    });
  });
});

describe("a TiDB that lets everybody in (skip-grant-table)", () => {
  let open: DatabaseServer;
  beforeAll(async () => {
    open = await startFurther("skip-grant-table", {
      configuration: { security: { "skip-grant-table": true } },
    });
    await createDatabase(open, "anybody");
  });
  afterAll(() => open?.stop());

  test.each([
    ["reads", reading],
    ["writes", writing],
  ])("is refused for an account that %s", async (_, grants) => {
    const cluster = { hosts: [`localhost:${open.port}`], database: "anybody" };
    await expectRefused({ cluster, grants }, "1141 There is no such grant defined");
    expect(JSON.stringify(gateway?.logs())).toContain("start it without skip-grant-table");
  });

  test("positive control: it lets every login in, with every right", async () => {
    const connection = await connect(open, "root", "not root's password");
    await connection.query("SELECT COUNT(*) FROM mysql.user");
    await connection.end();
  });
});
