import type { Connection, RowDataPacket } from "mysql2/promise";
import mysql from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator, connectionOptions } from "../../../servers/database/connection.ts";
import { dialectOf } from "../../../src/db/mysql/engines/dialect-of.ts";
import { lineOf, logged } from "../support/ask.ts";
import { databaseServer, engine, expectProblem } from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";
import type { Started } from "../support/two-ways.ts";
import { startWay, ways } from "../support/two-ways.ts";

/**
 * A text that does not come from a column is compared in the database's own collation, as in every client.
 */

const user = "gw_collated";
/** Databases, by the options of their creation. */
const databases = {
  collated_general: "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
  collated_latin: "CHARACTER SET latin1",
};
/** The collation after a client's `SET NAMES utf8mb4` on these servers. */
const usual = { mysql: "utf8mb4_0900_ai_ci", mariadb: "utf8mb4_general_ci", tidb: "utf8mb4_bin" }[engine];

let administrator: Connection;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await createLogin(administrator, user, "IDENTIFIED BY SECRET REQUIRE SSL");
  for (const [database, how] of Object.entries(databases)) {
    await administrator.query(`DROP DATABASE IF EXISTS ${database}`);
    await administrator.query(`CREATE DATABASE ${database} ${how}`);
    await administrator.query(`USE ${database}`);
    await administrator.query("SET NAMES utf8mb4 COLLATE utf8mb4_general_ci");
    await administrator.query("CREATE TABLE codes (code VARCHAR(20) PRIMARY KEY)");
    await administrator.query("INSERT INTO codes VALUES ('NZ'), ('Zürich')");
    await administrator.query("CREATE VIEW kinds AS SELECT 'code' AS kind");
    // No more rights than these: then such a login sees nothing of its database in TiDB's SCHEMATA.
    for (const table of ["codes", "kinds"])
      await administrator.query(`GRANT SELECT ON ${database}.${table} TO ${user}`);
  }
});
afterAll(async () => {
  for (const database of Object.keys(databases))
    await administrator?.query(`DROP DATABASE IF EXISTS ${database}`);
  await administrator?.query(`DROP USER IF EXISTS ${user}`);
  await administrator?.end();
});

const accounts = {
  own: {},
  said: { collation: "utf8mb4_bin" },
  unknown: { collation: "utf8mb4_atlantis_ci" },
};
const allow = ["sql:read", "operate"];

const session =
  "SELECT @@character_set_client AS client, @@character_set_connection AS connection, @@character_set_results AS results, @@collation_connection AS collation";
const utf8mb4 = { client: "utf8mb4", connection: "utf8mb4", results: "utf8mb4" };

/** Each of them is 1267 or 1271 in a session with another collation of utf8mb4. */
const joins: [string, unknown[]][] = [
  ["SELECT code FROM codes WHERE code = CAST(? AS CHAR)", ["NZ"]],
  ["SELECT code FROM codes WHERE FIND_IN_SET(code, CAST(? AS CHAR))", ["NZ,x"]],
  ["SELECT code FROM codes WHERE code = CONCAT(CAST(? AS CHAR), ?)", ["N", "Z"]],
  [
    "SELECT MAX(code) AS code FROM (SELECT code FROM codes WHERE code < 'X' UNION SELECT CAST(? AS CHAR)) AS u",
    ["AA"],
  ],
  ["SELECT c.code FROM codes AS c JOIN (SELECT CAST(? AS CHAR) AS code) AS d ON d.code = c.code", ["NZ"]],
  // On MariaDB the view's text has the collation of its creator's session.
  ["SELECT 'NZ' AS code FROM kinds WHERE kind = ?", ["code"]],
  ...(engine === "tidb"
    ? []
    : [
        [
          "SELECT c.code FROM codes AS c JOIN JSON_TABLE(?, '$[*]' COLUMNS (code VARCHAR(20) PATH '$')) AS j ON j.code = c.code",
          ['["NZ"]'],
        ] as [string, unknown[]],
      ]),
];

describe.each(ways)("through the link of a %s", (way) => {
  let general: Started;
  let latin: Started;
  beforeAll(async () => {
    general = await startWay(way, { database: "collated_general", user, accounts, allow });
    latin = await startWay(way, { database: "collated_latin", user, accounts, allow });
  });
  afterAll(async () => {
    await general?.close();
    await latin?.close();
  });
  const ask = async (sql: string, params?: unknown[], role = "own", { gateway } = general) =>
    await gateway.sql({ sql, params }, { role });

  test("the session has the database's collation, and texts meet its columns", async () => {
    // Cold, restored, and prepared by the restore.
    for (let time = 0; time < 3; time++) {
      expect((await ask(session)).body.rows).toEqual([{ ...utf8mb4, collation: "utf8mb4_general_ci" }]);
      for (const [sql, params] of joins)
        expect((await ask(sql, params)).body, sql).toMatchObject({ rows: [{ code: "NZ" }] });
    }
  });

  test("an account may say another", async () => {
    const same = async (role: string) =>
      String((await ask("SELECT 'a' = 'A' AS same", [], role)).body.rows[0].same);
    for (let time = 0; time < 2; time++) {
      const { body } = await ask(session, [], "said");
      expect(body.rows).toEqual([{ ...utf8mb4, collation: "utf8mb4_bin" }]);
      expect([await same("said"), await same("own")]).toEqual(["0", "1"]);
    }
  });

  test("one that the server does not know is refused, and the log says which setting", async () => {
    const answer = await ask(session, [], "unknown");
    expectProblem(answer, 503, "database_settings_refused");
    expect(JSON.stringify(answer.body)).not.toContain("atlantis");
    const [refused] = logged(general.gateway, "connection_refused");
    expect((way === "pool" ? refused : await lineOf(general.gateway, answer))?.reason).toMatch(
      /^1273 Unknown collation: 'utf8mb4_atlantis_ci'; change the account's collation to one that SHOW COLLATION/,
    );
  });

  test("texts are utf8mb4 in a database of another character set, too", async () => {
    for (let time = 0; time < 2; time++) {
      const { body: state } = await ask(session, [], "own", latin);
      expect(state.rows).toEqual([{ ...utf8mb4, collation: usual }]);
      const sql = "SELECT ? AS text, code FROM codes WHERE code = ?";
      const { body } = await ask(sql, ["🐘", "Zürich"], "own", latin);
      expect(body.rows).toEqual([{ text: "🐘", code: "Zürich" }]);
    }
  });

  test("another collation of the database is taken by the next login", async () => {
    const collation = async () => (await ask(session)).body.rows[0].collation;
    expect(await collation()).toBe("utf8mb4_general_ci");
    try {
      await administrator.query("ALTER DATABASE collated_general COLLATE utf8mb4_unicode_ci");
      // TiDB's sessions keep it from their login; through Hyperdrive that is the login of Hyperdrive's
      // connection.
      const remembers = way === "pool" || engine === "tidb";
      expect(await collation()).toBe(remembers ? "utf8mb4_general_ci" : "utf8mb4_unicode_ci");
      if (way === "pool") await general.gateway.sql({ account: "own" }, { role: "own", path: "/v1/drain" });
      else for (const standIn of general.standIns) standIn.forget();
      await expect.poll(collation).toBe("utf8mb4_unicode_ci");
    } finally {
      await administrator.query("ALTER DATABASE collated_general COLLATE utf8mb4_general_ci");
    }
  });
});

test.each([
  ["collated_general", "utf8mb4_general_ci"],
  ["collated_latin", usual],
])(
  "of %s it is known after a reset, too, which forgets @@collation_database on some servers",
  async (database, collation) => {
    const { administrator } = databaseServer();
    const options = connectionOptions(databaseServer(), administrator.user, administrator.password);
    const connection = await mysql.createConnection({ ...options, database });
    try {
      await connection.reset();
      const [rows] = await connection.query<RowDataPacket[]>(
        `SELECT ${dialectOf({ engine }).databaseCollation} AS c`,
      );
      expect(rows).toEqual([{ c: collation }]);
    } finally {
      await connection.end();
    }
  },
);
