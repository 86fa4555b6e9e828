import type { Connection, RowDataPacket } from "mysql2/promise";
import { engine } from "../support/harness.ts";

/** The time, a counter of the server, and random values: they differ between two looks. */
const restless = new Set(["timestamp", "statement_id", "rand_seed1", "rand_seed2"]);

/**
 * These would end or disturb the test itself: no memory left, other transactions' ids, another thread's
 * name.
 */
const leftAlone = new Set([
  "max_session_mem_used",
  "gtid_next",
  "pseudo_thread_id",
  "debug",
  "debug_sync",
  "sql_log_bin",
]);

/**
 * TiDB lists the server's own variables among those of a session, and `SET SESSION` changes them for all
 * sessions.
 */
const serversOwn =
  "SELECT VARIABLE_NAME AS name FROM information_schema.VARIABLES_INFO WHERE VARIABLE_SCOPE NOT LIKE '%SESSION%'";

/** @returns every session variable that must not change */
export async function sessionVariables(connection: Connection): Promise<Map<string, string>> {
  const [rows] = await connection.query<RowDataPacket[]>("SHOW SESSION VARIABLES");
  const [others] = engine === "tidb" ? await connection.query<RowDataPacket[]>(serversOwn) : [[]];
  const leftOut = new Set(others.map(({ name }) => name));
  const all = rows.map((row) => [String(row.Variable_name), String(row.Value)] as const);
  return new Map(all.filter(([name]) => !restless.has(name) && !leftOut.has(name)));
}

/** Sets each session variable to another value, if the server allows it. */
export async function changeEveryVariable(connection: Connection): Promise<void> {
  for (const [name, value] of await sessionVariables(connection)) {
    if (leftAlone.has(name)) continue;
    // A limit of one millisecond would end the test's own queries.
    for (const candidate of name === "max_execution_time" ? ["7777777"] : othersThan(value)) {
      const done = await connection.query(`SET SESSION ${name} = ${candidate}`).then(
        () => true,
        () => false,
      );
      if (done && (await sessionVariables(connection)).get(name) !== value) break;
    }
  }
}

function othersThan(value: string): string[] {
  if (value === "ON" || value === "OFF") return [value === "ON" ? "OFF" : "ON"];
  if (/^-?\d+$/.test(value)) {
    const number = BigInt(value);
    return [number + 1n, number + 4096n, number > 4096n ? number - 4096n : 1n, number - 1n].map(String);
  }
  if (/^-?\d+\.\d+$/.test(value)) return [`${Number(value) + 1}`, `${Number(value) / 2}`];
  return [
    "'latin1'",
    "'latin1_bin'",
    "'+05:00'",
    "'ANSI'",
    "'fr_FR'",
    "'MyISAM'",
    "'MINIMAL'",
    "'SERIALIZABLE'",
    "'FORCED'",
    "'ALL'",
    "'NOBLOB'",
    "'index_merge=off'",
    "'enabled=on'",
    "'two'",
    "1",
  ];
}
