import type { Connection } from "mysql2/promise";
import { connect } from "../../../servers/database/connection.ts";
import { has } from "../support/features.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { databaseServer, engine, issuers, read, startGateway } from "../support/harness.ts";
import { createLogin, password } from "../support/logins.ts";
import type { Dirt } from "./dirt.ts";

/** An account with one connection whose callers may call procedures, and a database with these procedures. */

const user = "gw_isolation";

/** Columns that show the dirt of a session. */
const state =
  "@mark AS mark, FOUND_ROWS() AS found, LAST_INSERT_ID() AS id, @@time_zone AS zone, @@group_concat_max_len AS length, IS_FREE_LOCK('soil') AS free, CURRENT_ROLE() AS role, (SELECT COUNT(*) FROM handoff.entries) AS uncommitted, CONNECTION_ID() AS connection";

/**
 * The dirt that a caller can leave without a procedure; test/gateway/session/restore.test.ts has the rest.
 */
export const soiledByQuery = ["found", "id", "free"];

/** Two statements that show the state of the session before them, and then dirty it. */
export const soiling = {
  query: `SELECT ${state}, ? AS echo, ${has.storedPrograms ? "handoff.soil(?)" : "GET_LOCK('soil', ? * 0)"} AS soiled, LAST_INSERT_ID(?) AS next FROM handoff.numbers LIMIT ?`,
  call: "CALL handoff.soil_all(?)",
};

const tables = [
  "CREATE TABLE numbers (n INT PRIMARY KEY)",
  "INSERT INTO numbers VALUES (1), (2), (3), (4), (5), (6), (7)",
  "CREATE TABLE entries (n INT) ENGINE = InnoDB",
];

/** Callers may not SET, PREPARE or LOCK. Procedures do it for them, with the caller's rights. */
const programs = [
  "CREATE PROCEDURE look_prepared() SQL SECURITY INVOKER EXECUTE leak",
  // Outside a transaction each statement is its own transaction, so the savepoint is gone before it is
  // used.
  "CREATE PROCEDURE look_transaction() SQL SECURITY INVOKER BEGIN SAVEPOINT leak; ROLLBACK TO SAVEPOINT leak; SELECT 1 AS open; END",
  "CREATE PROCEDURE look_temporary() SQL SECURITY INVOKER SELECT COUNT(*) AS n FROM leak",
  "CREATE PROCEDURE look_diagnostics() SQL SECURITY INVOKER BEGIN GET DIAGNOSTICS @n = NUMBER; SELECT @n AS n; END",
  // Leaves an open cursor, and a handler that has handled an error.
  "CREATE PROCEDURE leave_cursor() SQL SECURITY INVOKER BEGIN DECLARE found INT; DECLARE leak CURSOR FOR SELECT n FROM numbers ORDER BY n; DECLARE CONTINUE HANDLER FOR SQLEXCEPTION SET @handled = 1; OPEN leak; FETCH leak INTO found; SIGNAL SQLSTATE '45000'; SELECT found, @handled AS handled; END",
  "CREATE PROCEDURE fail() SQL SECURITY INVOKER SIGNAL SQLSTATE '45000'",
  "CREATE FUNCTION soil(mark INT) RETURNS INT NOT DETERMINISTIC READS SQL DATA SQL SECURITY INVOKER BEGIN SET @mark = mark, SESSION time_zone = '+05:00', SESSION group_concat_max_len = 5000 + mark; DO GET_LOCK('soil', 0); RETURN 1; END",
  `CREATE PROCEDURE soil_all(mark INT) SQL SECURITY INVOKER MODIFIES SQL DATA BEGIN SELECT ${state}, mark AS echo FROM numbers LIMIT 1; CREATE TEMPORARY TABLE soiled (n INT); PREPARE soiled FROM 'SELECT 1'; SET ROLE leak_role; SET autocommit = 0; INSERT INTO entries VALUES (mark); DO soil(mark), LAST_INSERT_ID(mark); END`,
  ...(engine === "mariadb" ? ["CREATE SEQUENCE counter", ...packageWithState()] : []),
];

/**
 * Packages as in Oracle keep their variables for the session. They can be created and called only in this
 * mode.
 */
function packageWithState(): string[] {
  return [
    "SET SESSION sql_mode = 'ORACLE'",
    "CREATE PACKAGE memory AS FUNCTION kept RETURN INT; PROCEDURE keep(v INT); END",
    "CREATE PACKAGE BODY memory AS x INT := 0; FUNCTION kept RETURN INT AS BEGIN RETURN x; END; PROCEDURE keep(v INT) AS BEGIN x := v; END; END",
    "CREATE PROCEDURE keep_in_package() AS BEGIN memory.keep(42); END",
    "CREATE PROCEDURE look_package() AS BEGIN SELECT memory.kept() AS kept; END",
    "SET SESSION sql_mode = DEFAULT",
  ];
}

/** Creates database, login and roles again, and a procedure for each kind of dirt that needs one. */
export async function prepareIsolation(administrator: Connection, kinds: readonly Dirt[]): Promise<void> {
  await dropIsolation(administrator);
  // Another character set than the server's: after a reset, the character set of the database is wrong
  // here.
  await administrator.query("CREATE DATABASE handoff CHARACTER SET latin1");
  await administrator.query("USE handoff");
  for (const sql of has.storedPrograms ? [...tables, ...programs] : tables) await administrator.query(sql);
  for (const [at, { call }] of kinds.entries()) {
    if (call === undefined) continue;
    await administrator.query(
      `CREATE PROCEDURE dirty_${at}() SQL SECURITY INVOKER MODIFIES SQL DATA BEGIN ${call}; END`,
    );
  }
  await createLogin(administrator, user, "IDENTIFIED BY SECRET REQUIRE SSL");
  await administrator.query(`GRANT ALL ON handoff.* TO ${user}`);
  for (const role of ["leak_role", "kept_role"]) {
    await administrator.query(`CREATE ROLE ${role}`);
    await administrator.query(`GRANT ${role} TO ${user}`);
  }
}

/** Restores the server's original state. */
export async function dropIsolation(administrator: Connection): Promise<void> {
  await administrator.query("DROP DATABASE IF EXISTS handoff");
  await administrator.query(`DROP USER IF EXISTS ${user}`);
  await administrator.query("DROP ROLE IF EXISTS leak_role, kept_role");
}

/** @returns the statement with which a caller dirties the session */
export function dirtying(kinds: readonly Dirt[], kind: Dirt): string {
  return kind.sql ?? `CALL handoff.dirty_${kinds.indexOf(kind)}()`;
}

/** The account from Node. It shows that dirt stays without a restore. */
export async function connectAsCaller(): Promise<Connection> {
  const connection = await connect(databaseServer(), user, password);
  await connection.query("USE handoff");
  return connection;
}

export interface Callers {
  gateway: Gateway;
  /** @returns the sum of a metric's samples with this label in their text */
  metric(name: string, label?: string): Promise<number>;
  /**
   * Asks as one of the account's callers: `sql:read`, `sql:write`, and `sql:server` to see the session's
   * state at the server.
   */
  ask(subject: string, sql: string, params?: unknown[]): Promise<Answer>;
}

/** @param account changes to a plain login with one connection */
export async function startCallers(
  account: Record<string, unknown> = {},
  cluster: Record<string, unknown> = {},
): Promise<Callers> {
  const isolated = { user, password: "ANALYST_PASSWORD", connections_per_shard: 1, ...account };
  const allow = ["sql:read", "sql:write", "sql:server", "metrics"];
  const gateway = await startGateway({
    cluster: { database: "handoff", ...cluster },
    accounts: { isolated },
    grants: [{ issuer: issuers.remote, account: "isolated", allow }],
  });
  const tokens = new Map<string, Promise<string>>();
  const tokenOf = (sub: string) => {
    const token = tokens.get(sub) ?? gateway.token({ sub });
    tokens.set(sub, token);
    return token;
  };
  return {
    gateway,
    async metric(name, label = "") {
      const headers = { authorization: `Bearer ${await tokenOf("an operator")}` };
      const text = await (await gateway.fetch("/metrics", { headers })).text();
      const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) && line.includes(label));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
    },
    async ask(subject, sql, params = []) {
      const authorization = `Bearer ${await tokenOf(subject)}`;
      const headers = { authorization, "content-type": "application/json" };
      const body = JSON.stringify({ sql, params });
      return await read(await gateway.fetch("/v1/sql", { method: "POST", headers, body }));
    },
  };
}
