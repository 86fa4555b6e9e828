import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { databaseServer } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

/**
 * Statements that MySQL 9.7 does not prepare (1295) go as text. MariaDB 10.11 and TiDB 8.5 prepare all
 * their statements.
 */

let administrator: Connection;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  // Otherwise only SUPER may create triggers and functions.
  await administrator.query("SET GLOBAL log_bin_trust_function_creators = ON");
  ledger = await startLedger({ connections_per_shard: 2 });
  caller = ledger.as();
});
beforeEach(() => resetLedger(administrator));
afterAll(async () => {
  await ledger?.gateway.close();
  await administrator?.query("SET GLOBAL log_bin_trust_function_creators = DEFAULT");
  await dropLedger(administrator);
  await administrator?.end();
});

const connectionId = "SELECT CAST(CONNECTION_ID() AS CHAR) AS id";

describe("ddl", () => {
  test("of each kind is executed, and its connection goes on", async () => {
    const { id } = (await caller.sql(connectionId)).body.rows[0];
    for (const sql of [
      "CREATE TRIGGER stamp BEFORE INSERT ON entries FOR EACH ROW SET NEW.note = TRIM(NEW.note)",
      "CREATE PROCEDURE tidy_up() SQL SECURITY INVOKER DELETE FROM entries",
      "CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN 2 * n",
      "CREATE VIEW latest AS SELECT MAX(id) AS id FROM entries",
      "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM entries",
    ])
      expect([sql, (await caller.sql(sql)).status]).toEqual([sql, 200]);
    await caller.sql("INSERT INTO entries (account, note) VALUES (1, ' a ')");
    expect((await caller.sql("SELECT note, twice(21) AS n FROM entries")).body.rows).toEqual([
      { note: "a", n: 42 },
    ]);
    for (const sql of [
      "ALTER VIEW latest AS SELECT MIN(id) AS first FROM entries",
      "ALTER DATABASE ledger CHARACTER SET utf8mb4",
      "ALTER PROCEDURE tidy_up COMMENT 'x'",
      "ALTER FUNCTION twice COMMENT 'x'",
      "ALTER EVENT e DISABLE",
    ])
      expect([sql, (await caller.sql(sql)).status]).toEqual([sql, 200]);
    expect((await caller.sql("SELECT * FROM latest")).body.columns[0].name).toBe("first");
    for (const what of ["TRIGGER stamp", "PROCEDURE tidy_up", "FUNCTION twice", "VIEW latest", "EVENT e"])
      expect([what, (await caller.sql(`DROP ${what}`)).status]).toEqual([what, 200]);
    expect((await caller.sql(connectionId)).body.rows).toEqual([{ id }]);
  });

  test("with warnings tells them, and with an error tells that", async () => {
    const { body } = await caller.sql("DROP PROCEDURE IF EXISTS nowhere");
    expect(body).toMatchObject({ rows_affected: 0, warnings: [{ level: "Note", code: 1305 }] });
    const refused = await caller.sql("DROP TRIGGER nowhere");
    expect(refused).toMatchObject({ status: 400, body: { code: "sql_error", errno: 1360 } });
  });

  test("with parameters is refused, and says what to do", async () => {
    const { status, body } = await caller.sql(
      "CREATE PROCEDURE p() SQL SECURITY INVOKER DELETE FROM entries WHERE id = ?",
      [1],
    );
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: "sql_error", errno: 1295, sqlstate: "HY000" });
    expect(body.detail).toContain("it takes no parameters: write the values into its text");
  });

  test("is one statement: the server does not take a second one behind it", async () => {
    const { body } = await caller.sql("CREATE PROCEDURE p() BEGIN DELETE FROM entries; END");
    expect(body.reason).toBe("multiple_statements");
  });

  test("in a transaction or a batch is refused, as all ddl", async () => {
    const sql = "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1";
    const id = await caller.opened();
    expect((await caller.in(id, sql)).body.reason).toBe("implicit_commit");
    await caller.rollback(id);
    expect((await caller.batch([{ sql }])).body.reason).toBe("implicit_commit");
  });

  test("needs its permission, and its account's privilege", async () => {
    const reader = ledger.as({ role: "reader" });
    expect((await reader.sql("DROP PROCEDURE add_entry")).status).toBe(403);
  });

  test("that waits for a lock is stopped at its deadline, and nothing has happened", async () => {
    const holder = await connectAdministrator(databaseServer());
    try {
      await holder.query("LOCK TABLES ledger.entries WRITE");
      const sql = "CREATE TRIGGER late BEFORE INSERT ON entries FOR EACH ROW SET NEW.note = ''";
      const started = await caller.request("POST", "/v1/sql", { sql, timeout_ms: 1_000 });
      const body = await started.json<{ code: string; errno?: number }>();
      expect(body.code).toBe("deadline_exceeded");
      await holder.query("UNLOCK TABLES");
      const [triggers] = await administrator.query("SHOW TRIGGERS FROM ledger");
      expect(triggers).toEqual([]);
      expect((await caller.sql("SELECT COUNT(*) AS n FROM entries")).status).toBe(200);
    } finally {
      await holder.end();
    }
  });
});

describe("SHOW WARNINGS", () => {
  const warns = "SELECT CAST('5x' AS SIGNED) AS n";
  const told = [{ Level: "Warning", Code: 1292, Message: "Truncated incorrect INTEGER value: '5x'" }];

  test("in a transaction shows those of the statement before, as often as it is asked", async () => {
    const id = await caller.opened();
    await caller.in(id, warns);
    for (let time = 0; time < 2; time++)
      expect((await caller.in(id, "SHOW WARNINGS")).body).toMatchObject({ rows: told, warnings: [] });
    expect((await caller.in(id, "show count(*) warnings")).body.rows).toEqual([
      { "@@session.warning_count": "1" },
    ]);
    expect((await caller.in(id, "SHOW ERRORS LIMIT 1")).body.rows).toEqual([]);
    await caller.rollback(id);
  });

  test("in a batch, with values as those of a prepared statement", async () => {
    const { body } = await caller.batch([
      { sql: warns },
      { sql: "SHOW WARNINGS" },
      { sql: "INSERT INTO entries (account, note) VALUES (1, 'x')" },
      { sql: "SELECT note FROM entries WHERE id = ?", params: [{ $ref: "2.last_insert_id" }] },
      { sql: "SHOW WARNINGS" },
    ]);
    expect(body.results[1]).toMatchObject({
      columns: [
        { name: "Level", type: "VARCHAR" },
        { name: "Code", type: "INT UNSIGNED" },
        { name: "Message", type: "VARCHAR" },
      ],
      rows: told,
    });
    expect(body.results[3].rows).toEqual([{ note: "x" }]);
    expect(body.results[4].rows).toEqual([]);
  });

  test("alone shows nothing of another caller's", async () => {
    await caller.sql(warns);
    expect((await ledger.as({ role: "plain" }).sql("SHOW WARNINGS")).body.rows).toEqual([]);
  });

  test("of more than the gateway's own commands may answer", async () => {
    const id = await caller.opened();
    const rows = Array.from({ length: 900 }, (_, n) => `SELECT '${n}${"x".repeat(100)}' AS t`).join(
      " UNION ALL ",
    );
    await caller.in(id, `SELECT CAST(t AS SIGNED) AS n FROM (${rows}) AS many`);
    expect((await caller.in(id, "SHOW WARNINGS")).body.rows).toHaveLength(900);
    await caller.rollback(id);
  });

  test("with a parameter is refused", async () => {
    expect((await caller.sql("SHOW WARNINGS LIMIT ?", [1])).status).toBe(400);
  });
});
