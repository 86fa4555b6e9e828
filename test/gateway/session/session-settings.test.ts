import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { logged } from "../support/ask.ts";
import type { Gateway } from "../support/harness.ts";
import {
  databaseServer,
  engine,
  expectProblem,
  issuers,
  startGateway,
  testAccount,
} from "../support/harness.ts";

/** An account's session settings, `sql_mode` and `time_zone`, apply to each of its statements. */

/**
 * A zone of three hours ahead, which no tz database has, so no existing rows are changed. TiDB needs no
 * tables for its zones.
 */
const zone = engine === "tidb" ? "Asia/Riyadh" : "Tidegate/Plus_Three";
const ownMode = ["STRICT_ALL_TABLES", "NO_ZERO_IN_DATE", "NO_UNSIGNED_SUBTRACTION"];
const accounts = {
  usual: {},
  offset: { time_zone: "+05:30", sql_mode: ownMode },
  named: { time_zone: zone },
  unknown: { time_zone: "Nowhere/Atlantis" },
};

let gateway: Gateway;
beforeAll(async () => {
  await setZone("INSERT INTO");
  gateway = await startGateway({
    accounts: Object.fromEntries(
      Object.entries(accounts).map(([name, more]) => [name, testAccount("analyst", more)]),
    ),
    grants: Object.keys(accounts).map((account) => ({
      ...{ issuer: issuers.remote, claims: { role: account }, account, allow: ["sql:read", "transaction"] },
    })),
  });
});
afterAll(async () => {
  await gateway?.close();
  await setZone("DELETE FROM");
});

/** Writes a zone of +03:00 into the server's time zone tables, or removes it. */
async function setZone(how: "INSERT INTO" | "DELETE FROM"): Promise<void> {
  if (engine === "tidb") return;
  const id = 4_000_000_000;
  const rows = {
    time_zone: "VALUES (?, 'N')",
    time_zone_name: `VALUES ('${zone}', ?)`,
    time_zone_transition_type: "VALUES (?, 0, 10800, 0, 'P3')",
  };
  const administrator = await connectAdministrator(databaseServer());
  try {
    for (const [table, values] of Object.entries(rows)) {
      await administrator.query(`DELETE FROM mysql.${table} WHERE Time_zone_id = ?`, [id]);
      if (how === "INSERT INTO") await administrator.query(`INSERT INTO mysql.${table} ${values}`, [id]);
    }
  } finally {
    await administrator.end();
  }
}

const state = {
  sql: "SELECT @@time_zone AS zone, @@sql_mode AS mode, FROM_UNIXTIME(0) AS epoch, UNIX_TIMESTAMP('1970-01-02 00:00:00') AS day",
};

test.each([
  ["usual", "+00:00", "1970-01-01 00:00:00", 86_400],
  ["offset", "+05:30", "1970-01-01 05:30:00", 66_600],
  ["named", zone, "1970-01-01 03:00:00", 75_600],
])("of the account %s: zone %s", async (role, zone, epoch, day) => {
  // The second statement comes after a restore.
  for (let time = 0; time < 2; time++) {
    const { status, body } = await gateway.sql(state, { role });
    expect(status).toBe(200);
    expect(body.rows[0]).toMatchObject({ zone, epoch, day: String(day) });
  }
});

test("the modes are the account's, or the engine's", async () => {
  const modes = async (role: string) => {
    const { body } = await gateway.sql(state, { role });
    return body.rows[0].mode.split(",").toSorted();
  };
  expect(await modes("offset")).toEqual(ownMode.toSorted());
  expect(await modes("usual")).toContain("STRICT_TRANS_TABLES");
  // NO_UNSIGNED_SUBTRACTION has an effect: without it the difference is out of range (1690).
  const subtract = { sql: "SELECT CAST(CAST(1 AS UNSIGNED) - 2 AS CHAR) AS difference" };
  expect((await gateway.sql(subtract, { role: "offset" })).body.rows).toEqual([{ difference: "-1" }]);
  expect((await gateway.sql(subtract, { role: "usual" })).body).toMatchObject({ errno: 1690 });
});

test("a zone that the server does not know fails the login, and the log says which", async () => {
  const answer = await gateway.sql(state, { role: "unknown" });
  expectProblem(answer, 503, "database_settings_refused");
  expect(JSON.stringify(answer.body)).not.toContain("Atlantis");
  const [line] = logged(gateway, "connection_refused");
  expect(line).toMatchObject({ account: "unknown", code: "database_settings_refused" });
  expect(line?.reason).toMatch(
    /^1298 Unknown or incorrect time zone: 'Nowhere\/Atlantis'; change the account's sql_mode, time_zone or collation; /,
  );
});

test("a parameter that says UTC is bound in UTC only, wherever a statement is taken", async () => {
  const sql = "SELECT CAST(? AS CHAR) AS at";
  const params = [{ type: "datetime", value: "2026-02-28T10:00:00Z" }];
  const usual = await gateway.sql({ sql, params }, { role: "usual" });
  expect(usual.body.rows).toEqual([{ at: "2026-02-28 10:00:00" }]);
  const local = [{ type: "datetime", value: "2026-02-28T10:00:00" }];
  expect((await gateway.sql({ sql, params: local }, { role: "offset" })).status).toBe(200);
  const begun = await gateway.sql({}, { role: "offset", path: "/v1/transactions" });
  const ways: [string, object][] = [
    ["/v1/sql", { sql, params }],
    ["/v1/batch", { statements: [{ sql: "SELECT 1" }, { sql, params }] }],
    [`/v1/transactions/${begun.body.id}/sql`, { sql, params }],
  ];
  for (const [path, body] of ways) {
    const answer = await gateway.sql(body, { role: "offset", path });
    expectProblem(answer, 400, "parameter_invalid");
    expect(answer.body).toMatchObject({
      reason: "wrong_type",
      detail: "Parameter 1 ends with Z, but the account's time zone is +05:30: say it in that, without Z.",
    });
  }
});

test("callers cannot change them", async () => {
  const hint = engine === "mysql" ? "/*+ SET_VAR(time_zone = '+09:00') */ 1" : "1";
  for (const sql of [
    `SELECT ${hint} FROM (SELECT @@time_zone := '+09:00') AS t`,
    "SET time_zone = '+09:00'",
  ]) {
    expect((await gateway.sql({ sql }, { role: "usual" })).status).toBe(400);
  }
});
