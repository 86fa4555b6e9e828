import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { mend, runAccounts, warningsOf } from "../support/account-script.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, issuers, startGateway } from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";

/**
 * An account for operators: with PROCESS it sees other logins' connections, which only sql:server can use.
 */

let administrator: Connection;
let gateway: Gateway;

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  for (const name of ["gw_operator", "gw_plain"])
    await createLogin(administrator, name, "IDENTIFIED BY SECRET REQUIRE SSL");
  await administrator.query("GRANT PROCESS ON *.* TO gw_operator");
  const password = "ANALYST_PASSWORD";
  const allow = ["sql:read", "sql:server"];
  gateway = await startGateway({
    accounts: { operator: { user: "gw_operator", password }, plain: { user: "gw_plain", password } },
    grants: ["operator", "plain"].map((account) => ({ issuer: issuers.remote, account, allow })),
  });
});
afterAll(async () => {
  await gateway?.close();
  for (const name of ["gw_operator", "gw_plain"]) await administrator?.query(`DROP USER IF EXISTS ${name}`);
  await administrator?.end();
});

test("PROCESS shows the connections of other logins; without it those of its own", async () => {
  const [[own]] = (await administrator.query("SELECT CONNECTION_ID() AS id")) as [RowDataPacket[], unknown];
  const seen = async (account: string) => {
    const headers = { "tidegate-account": account };
    const { status, body } = await gateway.sql({ sql: "SHOW PROCESSLIST" }, { headers });
    expect(status).toBe(200);
    return body.rows.some(({ Id }: { Id: string }) => Id === String(own?.id));
  };
  expect(await seen("operator")).toBe(true);
  expect(await seen("plain")).toBe(false);
});

test("npm run accounts counts PROCESS for sql:server, and as too much for everybody else", async () => {
  const strict = { arguments: ["--strict"] };
  const good = await runAccounts({ operator: {} }, { ...strict, allow: ["sql:read", "sql:server"] });
  expect(warningsOf(good.block("operator"))).toEqual([]);
  expect(good.code).toBe(0);
  const reader = await runAccounts({ operator: {} }, strict);
  expect(warningsOf(reader.block("operator"))).toEqual([
    expect.stringMatching(/gw_operator.* has PROCESS on \*\.\*: it holds for the whole server/),
  ]);
  expect(reader.code).toBe(1);
  await mend(administrator, reader.block("operator"));
  expect((await runAccounts({ operator: {} }, strict)).code).toBe(0);
});
