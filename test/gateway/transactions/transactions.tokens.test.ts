import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { has } from "../support/features.ts";
import { databaseServer, engine, expectProblem } from "../support/harness.ts";
import type { Ledger } from "../support/ledger.ts";
import { dropLedger, ledgerGrants, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

/** One subject, two tokens with different grants: the gateway checks the token of each request. */

let administrator: Connection;
let ledger: Ledger;
beforeAll(async () => {
  if (!has.readOnly) return;
  administrator = await connectAdministrator(databaseServer());
  // Otherwise only SUPER may create functions.
  if (engine === "mysql") await administrator.query("SET GLOBAL log_bin_trust_function_creators = ON");
  await prepareLedger(administrator);
  await administrator.query(
    "CREATE FUNCTION ledger.noted() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO entries (account, note) VALUES (9, 'by a function'); RETURN 1; END",
  );
  const [writer = {}] = ledgerGrants;
  const narrow = { ...writer, claims: { role: "narrow" }, allow: ["sql:read", "transaction"] };
  ledger = await startLedger({}, { grants: [writer, narrow] });
});
afterAll(async () => {
  if (!has.readOnly) return;
  await ledger?.gateway.close();
  await dropLedger(administrator);
  if (engine === "mysql") await administrator?.query("SET GLOBAL log_bin_trust_function_creators = DEFAULT");
  await administrator?.end();
});
beforeEach(async () => {
  if (has.readOnly) await resetLedger(administrator);
});

/**
 * Where READ ONLY is not enforced (TiDB), an account that others write with has no readers:
 * docs/guides/accounts.md.
 */
describe.skipIf(!has.readOnly)("a transaction that may write, and a token without sql:write", () => {
  const writes = "SELECT noted() AS n";
  const notes = async () => (await ledger.as({ role: "writer" }).sql("SELECT note FROM entries")).body.rows;

  test("runs no statement in it, and does not commit it; its writer goes on", async () => {
    const owner = ledger.as({ role: "writer" });
    const reader = ledger.as({ role: "narrow" });
    const id = await owner.opened();
    expect((await owner.in(id, "INSERT INTO entries (account, note) VALUES (1, 'own')")).status).toBe(200);
    for (const refused of [
      await reader.in(id, writes),
      await reader.in(id, "SELECT 1"),
      await reader.commit(id),
    ]) {
      expectProblem(refused, 403, "access_denied");
      expect(refused.body.transaction).toBe("open");
    }
    expect((await owner.commit(id)).status).toBe(200);
    expect(await notes()).toEqual([{ note: "own" }]);
  });

  test("rolls it back", async () => {
    const owner = ledger.as({ role: "writer" });
    const id = await owner.opened();
    await owner.in(id, "INSERT INTO entries (account, note) VALUES (1, 'own')");
    expect((await ledger.as({ role: "narrow" }).rollback(id)).status).toBe(200);
    expect(await notes()).toEqual([]);
  });

  test("has its own, in which a function that writes is refused for every token", async () => {
    const reader = ledger.as({ role: "narrow" });
    const id = await reader.opened();
    expectProblem(await reader.in(id, writes), 403, "sql_denied");
    expectProblem(await ledger.as({ role: "writer" }).in(id, writes), 403, "sql_denied");
    expect((await reader.in(id, "SELECT amount FROM balances WHERE id = 1")).body.rows).toEqual([
      { amount: 100 },
    ]);
    expect((await reader.commit(id)).status).toBe(200);
    expect(await notes()).toEqual([]);
  });
});
