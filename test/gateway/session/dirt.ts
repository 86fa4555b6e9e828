import type { Engine } from "../../../servers/database/server.ts";
import { has } from "../support/features.ts";

/** A change that a caller can leave in a session, and how the next caller would see it. */
export interface Dirt {
  name: string;
  /** Default: MySQL and MariaDB. */
  engine?: Engine;
  /** A caller's own statement, or the body of a procedure that a caller calls. */
  sql?: string;
  call?: string;
  /** The query whose result differs between a fresh session and a dirty one. */
  look: string;
}

const isolation = {
  mysql: "@@transaction_isolation",
  mariadb: "@@tx_isolation",
  tidb: "@@transaction_isolation",
};

/** Statements that the session remembers. Callers may not send SHOW PROFILES. */
export const profiled = "SELECT COUNT(DISTINCT QUERY_ID) AS n FROM information_schema.PROFILING";

/** Session variables that a procedure sets; test/gateway/session/restore.test.ts has all others. */
function variables(engine: Engine): Record<string, string> {
  return {
    time_zone: "'+05:00'",
    autocommit: "0",
    [isolation[engine].slice(2)]: "'SERIALIZABLE'",
    lock_wait_timeout: "77",
    innodb_lock_wait_timeout: "77",
    wait_timeout: "7777",
    net_read_timeout: "77",
    ...(engine === "mariadb" ? { max_statement_time: "77" } : { max_execution_time: "7777" }),
    group_concat_max_len: "77",
    max_join_size: "7777777",
    foreign_key_checks: "0",
    unique_checks: "0",
    sql_safe_updates: "1",
    sql_auto_is_null: "1",
    auto_increment_increment: "7",
    div_precision_increment: "7",
    default_week_format: "3",
    lc_time_names: "'fr_FR'",
    optimizer_switch: "'index_merge=off'",
    insert_id: "77",
    timestamp: "1000000000",
    completion_type: "1",
  };
}

/** @returns every kind of dirt on an engine; without procedures, those that a caller's statement can leave */
export function kindsOfDirt(engine: Engine): Dirt[] {
  const kinds: Dirt[] = [
    { name: "a user variable", call: "SET @leak = 1", look: "SELECT @leak AS leak" },
    {
      name: "a temporary table",
      call: "CREATE TEMPORARY TABLE leak (n INT)",
      look: "CALL handoff.look_temporary()",
    },
    {
      name: "a lock",
      sql: "SELECT GET_LOCK('leak', 0)",
      look: "SELECT IS_FREE_LOCK('leak') AS free",
    },
    {
      name: "a lock that was taken twice",
      sql: "SELECT GET_LOCK('leak', 0), GET_LOCK('leak', 0)",
      look: "SELECT IS_FREE_LOCK('leak') AS free",
    },
    { name: "a role", call: "SET ROLE leak_role", look: "SELECT CURRENT_ROLE() AS role" },
    {
      name: "the current database",
      // MySQL has no USE in a procedure: see test/gateway/session/restore.test.ts.
      engine: "mariadb",
      call: "EXECUTE IMMEDIATE 'USE world'",
      look: "SELECT DATABASE() AS db, @@collation_database AS collation",
    },
    {
      name: "an open transaction",
      call: "START TRANSACTION WITH CONSISTENT SNAPSHOT",
      look: "CALL handoff.look_transaction()",
    },
    {
      name: "uncommitted rows",
      call: "START TRANSACTION; INSERT INTO entries VALUES (1)",
      look: "SELECT COUNT(*) AS n FROM handoff.entries",
    },
    {
      name: "rows of an XA transaction",
      call: "XA START 'leak'; INSERT INTO entries VALUES (1)",
      look: "SELECT COUNT(*) AS n FROM handoff.entries",
    },
    {
      name: "a prepared name",
      call: "PREPARE leak FROM 'SELECT 1 AS leak'",
      look: "CALL handoff.look_prepared()",
    },
    {
      name: "LAST_INSERT_ID()",
      sql: "SELECT LAST_INSERT_ID(42)",
      look: "SELECT LAST_INSERT_ID() AS id, @@last_insert_id AS variable, @@identity AS identity",
    },
    {
      name: "FOUND_ROWS()",
      sql: "SELECT n FROM handoff.numbers LIMIT 5",
      look: "SELECT FOUND_ROWS() AS found",
    },
    {
      name: "FOUND_ROWS() without LIMIT",
      sql: "SELECT SQL_CALC_FOUND_ROWS n FROM handoff.numbers LIMIT 5",
      look: "SELECT FOUND_ROWS() AS found",
    },
    {
      name: "ROW_COUNT()",
      call: "INSERT INTO entries VALUES (1), (2), (3); DELETE FROM entries",
      look: "SELECT ROW_COUNT() AS n",
    },
    // MySQL shows none of these to a prepared statement: see test/gateway/session/restore.test.ts.
    { name: "warnings", engine: "mariadb", sql: "SELECT CAST('leak' AS SIGNED)", look: "SHOW WARNINGS" },
    {
      name: "the number of warnings",
      engine: "mariadb",
      sql: "SELECT CAST('leak' AS SIGNED)",
      look: "SELECT @@warning_count AS n",
    },
    {
      name: "the diagnostics area",
      engine: "mariadb",
      sql: "SELECT CAST('leak' AS SIGNED)",
      look: "CALL handoff.look_diagnostics()",
    },
    {
      name: "errors",
      engine: "mariadb",
      sql: "SELECT leak FROM handoff.numbers",
      look: "SHOW ERRORS",
    },
    {
      name: "profiles",
      call: "SET SESSION profiling = 1; SELECT 'a secret' AS n; SET SESSION profiling = 0",
      look: profiled,
    },
    {
      name: "profiling that goes on",
      call: "SET SESSION profiling = 1; SELECT 'a secret' AS n",
      look: profiled,
    },
    {
      name: "the optimizer's trace",
      engine: "mysql",
      call: "SET SESSION optimizer_trace = 'enabled=on'; SELECT n FROM numbers WHERE n = 3",
      look: "SELECT COUNT(*) AS traces FROM information_schema.OPTIMIZER_TRACE WHERE QUERY LIKE '%numbers%'",
    },
    {
      name: "the last value of a sequence",
      engine: "mariadb",
      call: "DO NEXTVAL(counter)",
      look: "SELECT LASTVAL(handoff.counter) IS NULL AS clean",
    },
    {
      name: "the state of a package",
      engine: "mariadb",
      call: "CALL keep_in_package()",
      look: "CALL handoff.look_package()",
    },
    ...Object.entries(variables(engine)).map(([name, value]) => ({
      name: `@@${name}`,
      call: `SET SESSION ${name} = ${value}`,
      // The time of day changes by itself.
      look: name === "timestamp" ? "SELECT @@timestamp < 1500000000 AS old" : `SELECT @@${name} AS value`,
    })),
  ];
  const byCaller = ({ call, look }: Dirt) => call === undefined && !look.startsWith("CALL");
  return kinds.filter((kind) => (kind.engine ?? engine) === engine && (has.storedPrograms || byCaller(kind)));
}
