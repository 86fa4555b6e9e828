import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { has } from "../support/features.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer, engine, expectProblem } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, ledgerGrants, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

/** A statement needs each permission that it exercises, in each way to send one. */

let administrator: Connection;
let ledger: Ledger;
const [writer = {}] = ledgerGrants;
const all = ["sql:read", "sql:write", "sql:ddl", "transaction"];
/** Names of grants, and the permissions of each. */
const allows: Record<string, string[]> = {
  write: ["sql:write", "transaction"],
  ddl: ["sql:ddl", "transaction"],
  "write ddl": ["sql:write", "sql:ddl", "transaction"],
  "read write": ["sql:read", "sql:write", "transaction"],
  all,
};

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  // Otherwise only SUPER may create triggers and functions.
  if (engine === "mysql") await administrator.query("SET GLOBAL log_bin_trust_function_creators = ON");
  await prepareLedger(administrator);
  if (has.storedPrograms) {
    await administrator.query("CREATE PROCEDURE ledger.tell() SQL SECURITY INVOKER SELECT * FROM balances");
  }
  ledger = await startLedger(
    {},
    {
      grants: [...Object.entries(allows).map(([role, allow]) => ({ ...writer, claims: { role }, allow }))],
    },
  );
});
afterAll(async () => {
  await ledger?.gateway.close();
  await dropLedger(administrator);
  if (engine === "mysql") await administrator?.query("SET GLOBAL log_bin_trust_function_creators = DEFAULT");
  await administrator?.end();
});
beforeEach(() => resetLedger(administrator));

/** Sends a statement in each possible way, each time as a separate request. */
const ways: Record<string, (caller: LedgerCaller, sql: string) => Promise<Answer>> = {
  "/v1/sql": async (caller, sql) => await caller.sql(sql),
  "/v1/batch": async (caller, sql) => await caller.batch([{ sql }]),
  "/v1/transactions": async (caller, sql) => {
    const id = await caller.opened();
    const answer = await caller.in(id, sql);
    await caller.rollback(id);
    return answer;
  },
};

describe.each(Object.entries(ways))("in %s", (way, send) => {
  const locking = [
    "SELECT * FROM balances FOR UPDATE",
    ...(engine === "tidb" ? [] : ["SELECT * FROM balances LOCK IN SHARE MODE"]),
    ...(engine === "mysql" ? ["SELECT * FROM balances FOR SHARE", "TABLE balances FOR UPDATE"] : []),
  ];

  test.each([...locking, ...(way === "/v1/batch" || !has.storedPrograms ? [] : ["CALL tell()"])])(
    "need sql:read and sql:write: %s",
    async (sql) => {
      const refused = await send(ledger.as({ role: "write" }), sql);
      expectProblem(refused, 403, "access_denied");
      expect(refused.body.detail).toBe("The grant does not allow sql:read.");
      expect((await send(ledger.as({ role: "read write" }), sql)).status).toBe(200);
    },
  );

  test.each([
    "INSERT INTO entries (account, note) SELECT id, amount FROM balances",
    "UPDATE entries SET note = (SELECT MAX(amount) FROM balances)",
    ...(engine === "mariadb" ? ["INSERT INTO entries (account) VALUES (1) RETURNING id"] : []),
  ])("a change that reads needs both, too: %s", async (sql) => {
    expectProblem(await send(ledger.as({ role: "write" }), sql), 403, "access_denied");
    expect((await send(ledger.as({ role: "read write" }), sql)).status).toBe(200);
  });
});

describe("ddl", () => {
  const events = ["CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DO DELETE FROM entries"];
  const programs = [
    "CREATE PROCEDURE tidy() DELETE FROM entries",
    "CREATE TRIGGER tidy BEFORE INSERT ON entries FOR EACH ROW SET NEW.note = 'x'",
  ];
  const cases: [sql: string, missing: string, role: string][] = [
    ...(has.createTableAsSelect
      ? ([
          ["CREATE TABLE copied SELECT * FROM balances", "sql:read", "all"],
          ["CREATE TABLE copied (id INT) AS (SELECT id FROM balances)", "sql:read", "all"],
        ] as [string, string, string][])
      : []),
    ...(has.storedPrograms ? [...events, ...programs] : []).map((sql): [string, string, string] => [
      sql,
      "sql:write",
      "write ddl",
    ]),
    ["CREATE VIEW seen AS SELECT * FROM balances", "sql:read", "all"],
  ];
  afterAll(async () => {
    await administrator.query("DROP TABLE IF EXISTS ledger.copied");
  });

  test.each(cases)("%s: not with sql:ddl alone", async (sql, missing, role) => {
    await administrator.query("DROP TABLE IF EXISTS ledger.copied");
    const refused = await ledger.as({ role: "ddl" }).sql(sql);
    expectProblem(refused, 403, "access_denied");
    expect(refused.body.detail).toBe(`The grant does not allow ${missing}.`);
    expect((await ledger.as({ role }).sql(sql)).status).toBe(200);
    const [, kind, name] = /^CREATE (\w+) (\w+)/.exec(sql) ?? [];
    await administrator.query(`DROP ${kind} ledger.${name}`);
  });

  test("a table's files stay where the server keeps them", async () => {
    const sql = "CREATE TABLE elsewhere (id INT) DATA DIRECTORY = '/tmp'";
    expectProblem(await ledger.as({ role: "all" }).sql(sql), 400, "statement_refused");
  });
});
