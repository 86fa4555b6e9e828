import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { has } from "../support/features.ts";
import { engine } from "../support/harness.ts";

/**
 * The objects that the trial of the guard makes on each engine, and the state that it compares afterwards.
 */

export const scratch = "guard_fuzz";

const timer = engine === "mariadb" ? "max_statement_time" : "max_execution_time";
/** The time limit of a statement on trial. The trial's own queries have no limit. */
export const bounded = `SET SESSION ${timer} = ${engine === "mariadb" ? 2 : 2_000}`;
export const unbounded = `SET SESSION ${timer} = 0`;

/** MySQL and MariaDB write no file here (secure_file_priv); TiDB writes it if it may. */
export const outfile = join(tmpdir(), `guard-fuzz-${randomBytes(6).toString("hex")}`);

const programs = [
  "CREATE PROCEDURE p() DELETE FROM t",
  "CREATE FUNCTION sneak() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO t VALUES (99, 'x'); RETURN 1; END",
];

const sequences = [
  "CREATE SEQUENCE seq NOCACHE",
  "CREATE TABLE d (n INT DEFAULT (NEXT VALUE FOR seq))",
  "CREATE VIEW sneak_view AS SELECT NEXT VALUE FOR seq AS n",
  "INSERT INTO d VALUES (1)",
];

/** Creates the scratch schema again, over a connection that accepts several statements at once. */
export async function makeScratch(connection: Connection): Promise<void> {
  const statements = [
    unbounded,
    `DROP DATABASE IF EXISTS ${scratch}`,
    "DROP USER IF EXISTS guard_fuzz",
    `CREATE DATABASE ${scratch}`,
    `USE ${scratch}`,
    "CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(20))",
    "INSERT INTO t VALUES (1, 'x'), (2, 'yy')",
    "CREATE TABLE u (a INT)",
    "INSERT INTO u VALUES (1)",
    ...(has.storedPrograms ? programs : []),
    ...(has.sequences ? sequences : []),
    "SET @canary = 'alive'",
  ];
  await connection.query(statements.join(";\n"));
}

export async function dropScratch(connection: Connection): Promise<void> {
  await connection.query(`DROP DATABASE IF EXISTS ${scratch}`);
  await connection.query("DROP USER IF EXISTS guard_fuzz");
}

const sequence = {
  mysql: "SELECT 'there are none'",
  mariadb: `SELECT next_not_cached_value FROM ${scratch}.seq`,
  tidb: `SHOW TABLE ${scratch}.seq NEXT_ROW_ID`,
}[engine];

/**
 * Rows by checksum, objects and accounts by number, and all state of the server, of a sequence or of the
 * session that a statement may set.
 */
export async function stateOf(connection: Connection): Promise<string> {
  const accounts = engine === "mariadb" ? "mysql.global_priv" : "mysql.user";
  const [answers] = await connection.query<RowDataPacket[][]>(`${unbounded};
    ${sequence};
    SELECT
    (SELECT COUNT(*) FROM information_schema.TABLES) AS tables_,
    (SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '${scratch}') AS columns_,
    (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = '${scratch}') AS routines,
    (SELECT COUNT(*) FROM information_schema.EVENTS) AS events,
    (SELECT COUNT(*) FROM information_schema.TRIGGERS) AS triggers,
    (SELECT COUNT(*) FROM mysql.user) AS users,
    DATABASE() AS current, @canary AS canary, @@SESSION.sql_mode AS mode, @@SESSION.autocommit AS autocommit,
    CONCAT_WS('|', @@GLOBAL.max_connections, @@GLOBAL.read_only, @@GLOBAL.general_log, @@GLOBAL.sql_mode,
      @@GLOBAL.event_scheduler, @@GLOBAL.local_infile) AS globals;
    ${bounded}`);
  const names = [`${scratch}.t`, `${scratch}.u`, accounts, "world.notes"];
  return JSON.stringify([await checksums(connection, names), answers[1], answers[2]]);
}

/**
 * @returns the checksum of every table by schema and name, except those that the server itself keeps
 * writing to
 */
export async function allChecksums(connection: Connection): Promise<Record<string, string>> {
  const own = `stat|gtid|_log$${engine === "tidb" ? "|tidb|gc_|dist_framework|analyze|request_unit" : ""}`;
  const [tables] = await connection.query<RowDataPacket[]>(`SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name
    FROM information_schema.TABLES
    WHERE TABLE_TYPE = 'BASE TABLE' AND LOWER(TABLE_SCHEMA) NOT IN ('performance_schema', 'information_schema')
      AND NOT (TABLE_SCHEMA = 'mysql' AND TABLE_NAME REGEXP '${own}')`);
  return await checksums(
    connection,
    tables.map(({ db, name }) => `${db}.${name}`),
  );
}

/** @param names as "schema.table"; the checksum of a missing table says that it is missing */
async function checksums(connection: Connection, names: readonly string[]): Promise<Record<string, string>> {
  await connection.query(unbounded);
  const found = await (engine === "tidb" ? ofRows(connection, names) : ofTables(connection, names));
  await connection.query(bounded);
  return found;
}

async function ofTables(connection: Connection, names: readonly string[]): Promise<Record<string, string>> {
  const [rows] = await connection.query<RowDataPacket[]>(`CHECKSUM TABLE ${names.map(quoted).join(", ")}`);
  return Object.fromEntries(rows.map(({ Table, Checksum }) => [String(Table), String(Checksum)]));
}

/**
 * TiDB has no CHECKSUM TABLE. Its ADMIN CHECKSUM TABLE answers only ones when TiDB stores the data itself
 * (unistore).
 */
async function ofRows(connection: Connection, names: readonly string[]): Promise<Record<string, string>> {
  const [columns] = await connection.query<RowDataPacket[]>(
    "SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS name, COLUMN_NAME AS col FROM information_schema.COLUMNS WHERE CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) IN (?)",
    [names],
  );
  const byTable = Map.groupBy(columns, ({ name }) => String(name));
  const questions = [...byTable].map(([name, of]) => {
    const values = of.map(({ col }) => `IFNULL(MD5(\`${col}\`), '-')`).join(", ");
    return `SELECT '${name}' AS name, CONCAT(COUNT(*), ':', BIT_XOR(CRC32(CONCAT_WS('|', ${values})))) AS sum FROM ${quoted(name)}`;
  });
  const [rows] = await connection.query<RowDataPacket[]>(questions.join(" UNION ALL "));
  const sums = new Map(rows.map(({ name, sum }) => [String(name), String(sum)]));
  return Object.fromEntries(names.map((name) => [name, sums.get(name) ?? "null"]));
}

function quoted(name: string): string {
  return name
    .split(".")
    .map((part) => `\`${part}\``)
    .join(".");
}
