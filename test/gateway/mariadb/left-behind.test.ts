import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, issuers, startGateway } from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";

/** State that MariaDB's COM_RESET_CONNECTION silently keeps: a revoked role, a PREPAREd XA transaction. */

let administrator: Connection;
let gateway: Gateway;

const setUp = [
  "DROP ROLE IF EXISTS behind_readers",
  "CREATE ROLE behind_readers",
  "GRANT SELECT ON world.cities TO behind_readers",
  "CREATE OR REPLACE TABLE world.behind (n INT) ENGINE = InnoDB",
  `CREATE OR REPLACE PROCEDURE world.leave_prepared() SQL SECURITY INVOKER MODIFIES SQL DATA
   BEGIN XA START 'behind'; INSERT INTO behind VALUES (1); XA END 'behind'; XA PREPARE 'behind'; END`,
  `CREATE OR REPLACE PROCEDURE world.leave_ended() SQL SECURITY INVOKER MODIFIES SQL DATA
   BEGIN XA START 'behind'; INSERT INTO behind VALUES (1); XA END 'behind'; END`,
];

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  // The transaction of a failed run would lock the table for ever.
  await administrator.query("XA ROLLBACK 'behind'").catch(() => {});
  for (const sql of setUp) await administrator.query(sql);
  for (const name of ["gw_behind", "gw_behind_role"])
    await createLogin(administrator, name, "IDENTIFIED BY SECRET REQUIRE SSL");
  await administrator.query("GRANT ALL ON world.* TO gw_behind");
  await administrator.query("GRANT behind_readers TO gw_behind_role");
  const login = { password: "ANALYST_PASSWORD", connections_per_shard: 1 };
  gateway = await startGateway({
    accounts: {
      plain: { ...login, user: "gw_behind" },
      role: { ...login, user: "gw_behind_role", role: "behind_readers" },
    },
    grants: ["plain", "role"].map((account) => ({
      issuer: issuers.remote,
      account,
      allow: ["sql:read", "sql:write"],
    })),
  });
});
afterAll(async () => {
  await gateway?.close();
  await administrator?.query("DROP TABLE IF EXISTS world.behind");
  for (const name of ["leave_prepared", "leave_ended"])
    await administrator?.query(`DROP PROCEDURE IF EXISTS world.${name}`);
  await administrator?.query("DROP ROLE IF EXISTS behind_readers");
  await administrator?.end();
});

async function ask(account: string, sql: string): Promise<Answer> {
  return await gateway.sql({ sql }, { headers: { "tidegate-account": account } });
}

function closed(account: string): string[] {
  return gateway.logs().flatMap(({ message }) => {
    const start = message.indexOf('{"event":"connection_closed"');
    const line = start < 0 ? undefined : JSON.parse(message.slice(start));
    return line?.account === account ? [line.reason as string] : [];
  });
}

test("a revoked role: the restore fails, and the next request is refused", async () => {
  const read = "SELECT CURRENT_ROLE() AS role, COUNT(*) AS n FROM cities";
  expect((await ask("role", read)).body.rows?.[0]).toMatchObject({ role: "behind_readers" });
  await administrator.query("REVOKE behind_readers FROM gw_behind_role");
  // This session was restored before the REVOKE; the server still lets it use the role.
  await ask("role", read);
  expectProblem(await ask("role", read), 503, "database_identity_wrong");
  expect(closed("role")).toEqual([expect.stringMatching(/^not restored: Invalid role/)]);
});

/** A PREPAREd transaction blocks only InnoDB's tables: 1031. */
const look =
  "SELECT CONNECTION_ID() AS id, (SELECT COUNT(*) FROM behind) AS n, (SELECT COUNT(*) FROM cities) AS c";

test("an XA transaction that a procedure has PREPAREd: its connection serves nobody else", async () => {
  const one = await ask("plain", look);
  expect((await ask("plain", "CALL leave_prepared()")).status).toBe(200);
  const next = await ask("plain", look).finally(() => administrator.query("XA ROLLBACK 'behind'"));
  expect([next.status, next.body.rows?.[0].n]).toEqual([200, "0"]);
  expect(next.body.rows[0].id).not.toBe(one.body.rows[0].id);
  expect(closed("plain")).toEqual([expect.stringMatching(/^not restored: XAER_RMFAIL: .* PREPARED state/)]);
});

test("an XA transaction that is only ended is rolled back by the reset, on the same connection", async () => {
  const before = closed("plain");
  const one = await ask("plain", look);
  expect((await ask("plain", "CALL leave_ended()")).status).toBe(200);
  expect((await ask("plain", look)).body.rows).toEqual(one.body.rows);
  expect(closed("plain")).toEqual(before);
});
