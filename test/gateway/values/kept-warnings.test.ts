import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { limits } from "../../../src/limits.ts";
import { databaseServer, engine } from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";
import type { Started } from "../support/two-ways.ts";
import { startWay, ways } from "../support/two-ways.ts";
import { expectComparedWithText, expectRefused } from "./implicit-conversion.ts";

/**
 * A server whose setting keeps no warnings still keeps them for the gateway, which needs them to detect
 * texts that became numbers. MySQL does not allow an ordinary login to set that: if it counts warnings but
 * does not show them, the statement is refused.
 */
const isKept = engine !== "mysql";

const user = "gw_warned";
const notes = limits.warnings + 16;
let administrator: Connection;
let kept: number;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await administrator.query("DROP DATABASE IF EXISTS warned");
  await administrator.query("CREATE DATABASE warned CHARACTER SET utf8mb4");
  await administrator.query("CREATE TABLE warned.notes (id INT PRIMARY KEY, note VARCHAR(20))");
  const rows = Array.from({ length: notes }, (_, id) => [id, `note ${id}`]);
  await administrator.query("INSERT INTO warned.notes VALUES ?", [rows]);
  await createLogin(administrator, user, "IDENTIFIED BY SECRET REQUIRE SSL");
  await administrator.query(`GRANT SELECT ON warned.* TO ${user}`);
  const [before] = await administrator.query<RowDataPacket[]>("SELECT @@GLOBAL.max_error_count AS n");
  kept = Number(before[0]?.n);
  await administrator.query("SET GLOBAL max_error_count = 0");
});
afterAll(async () => {
  if (kept !== undefined) await administrator.query(`SET GLOBAL max_error_count = ${kept}`);
  await administrator?.query("DROP DATABASE IF EXISTS warned");
  await administrator?.query(`DROP USER IF EXISTS ${user}`);
  await administrator?.end();
});

describe.each(ways)("through the link of a %s", (way) => {
  let started: Started;
  beforeAll(async () => {
    const allow = ["sql:read"];
    started = await startWay(way, { database: "warned", user, accounts: { reader: {} }, allow });
  });
  afterAll(() => started?.close());
  const ask = (sql: string, params: unknown[]) =>
    started.gateway.sql({ sql, params }, { role: "reader", headers: { accept: "application/json" } });

  test("a number is not compared with texts, and warnings are told where the server keeps them", async () => {
    const sql = "SELECT id FROM notes WHERE note = ? AND id < 3";
    // In a session after its login, and in a restored one.
    for (let time = 0; time < 3; time++) {
      const { status, body } = await ask(sql, [{ type: "INTEGER", value: 0 }]);
      expect(status, JSON.stringify([body, started.gateway.logs().slice(-3)])).toBe(200);
      const number = await ask(sql, [0]);
      if (isKept) {
        expect(body.warnings).toHaveLength(3);
        expect(body.warnings).toContainEqual(expect.objectContaining({ code: 1292 }));
        expectComparedWithText(number);
      } else {
        expect(body.warnings).toBeNull();
        // In the pool's PREPARE MySQL itself says that the column is a text.
        if (way === "pool") expect(number.body.rows).toEqual([]);
        else expectRefused(number, "warnings_unread");
      }
    }
  });

  test.runIf(isKept)("as many as the gateway tells", async () => {
    const { body } = await ask("SELECT COUNT(*) AS n FROM notes WHERE note = ?", [
      { type: "INTEGER", value: 0 },
    ]);
    expect(body.rows).toEqual([{ n: String(notes) }]);
    expect(body.warnings).toHaveLength(limits.warnings);
  });
});

test.skipIf(engine === "tidb")("the server keeps none for a client that does not ask for them", async () => {
  const client = await connectAdministrator(databaseServer());
  try {
    await client.query("SELECT id FROM warned.notes WHERE note = 0");
    expect((await client.query("SHOW WARNINGS"))[0]).toEqual([]);
  } finally {
    await client.end();
  }
});
