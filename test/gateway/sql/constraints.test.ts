import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { databaseServer, engine } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

/** An error names the violated key or constraint, whatever the values contain. */

let administrator: Connection;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  for (const sql of [
    "CREATE TABLE codes (id INT PRIMARY KEY, code VARCHAR(60), n INT NOT NULL, UNIQUE KEY by_code (code), CONSTRAINT positive CHECK (n > 0))",
    "CREATE TABLE uses (id INT PRIMARY KEY, code INT, CONSTRAINT of_code FOREIGN KEY (code) REFERENCES codes (id))",
    "CREATE TABLE bytes (b VARBINARY(60), UNIQUE KEY `by 'bytes' ``b``` (b))",
  ])
    await administrator.query(sql);
  ledger = await startLedger();
  caller = ledger.as();
});
beforeEach(() => resetLedger(administrator));
afterAll(async () => {
  await ledger?.gateway.close();
  await dropLedger(administrator);
  await administrator?.end();
});

/** MariaDB's message does not have the table's name. */
const keyOf = (table: string, key: string) => (engine === "mariadb" ? key : `${table}.${key}`);

const insertCode = "INSERT INTO codes VALUES (?, ?, 1)";
const conflict = (constraint: string) => ({ status: 409, code: "sql_conflict", constraint });

test("of a duplicate, in every way in", async () => {
  await administrator.query("DELETE FROM codes");
  expect((await caller.sql(insertCode, [1, "a"])).status).toBe(200);
  const again = [2, "a"];
  expect((await caller.sql(insertCode, again)).body).toMatchObject(conflict(keyOf("codes", "by_code")));
  expect((await caller.sql(insertCode, [1, "b"])).body).toMatchObject(conflict(keyOf("codes", "PRIMARY")));
  const batch = await caller.batch([{ sql: "SELECT 1" }, { sql: insertCode, params: again }]);
  expect(batch.body).toMatchObject({ ...conflict(keyOf("codes", "by_code")), statement: 1 });
  const id = await caller.opened();
  expect((await caller.in(id, insertCode, again)).body).toMatchObject({
    ...conflict(keyOf("codes", "by_code")),
    transaction: "open",
  });
  await caller.rollback(id);
});

test.each([["x' for key 'y.z"], ["' for key '"], ["it's"], ["é".repeat(60)], ["😀".repeat(60)], [""]])(
  "of a duplicate %j, which is never told",
  async (value) => {
    await administrator.query("DELETE FROM codes");
    await caller.sql(insertCode, [1, value]);
    const { body } = await caller.sql(insertCode, [2, value]);
    expect(body).toMatchObject({ ...conflict(keyOf("codes", "by_code")), detail: "Duplicate entry '…'" });
  },
);

test("of a key with quotation marks in its name, whose duplicate are bytes", async () => {
  const insert = (hex: string) => caller.sql(`INSERT INTO bytes VALUES (x'${hex}')`);
  await insert("00ff2720666f72206b65792027");
  const { body } = await insert("00ff2720666f72206b65792027");
  expect(body).toMatchObject(conflict(keyOf("bytes", "by 'bytes' `b`")));
});

test("of a foreign key and a check", async () => {
  await administrator.query("DELETE FROM codes");
  await caller.sql(insertCode, [1, "a"]);
  await caller.sql("INSERT INTO uses VALUES (1, 1)");
  for (const sql of ["INSERT INTO uses VALUES (2, 99)", "DELETE FROM codes", "UPDATE codes SET id = 5"])
    expect((await caller.sql(sql)).body).toMatchObject(conflict("of_code"));
  expect((await caller.sql("UPDATE codes SET n = 0")).body).toMatchObject(conflict("positive"));
  await administrator.query("DELETE FROM uses");
});

test("a NOT NULL column has no constraint", async () => {
  await administrator.query("DELETE FROM codes");
  const { body } = await caller.sql("INSERT INTO codes VALUES (1, 'a', NULL)");
  expect(body).toMatchObject({ errno: 1048, detail: "Column 'n' cannot be null" });
  expect(body).not.toHaveProperty("constraint");
});

test("what a server says with an apostrophe is told", async () => {
  const { body } = await caller.sql("INSERT INTO codes VALUES (1)");
  expect(body.detail).toBe("Column count doesn't match value count at row 1");
});
