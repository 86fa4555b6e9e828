import { describe, expect, test } from "vitest";
import type { Account } from "../../../../../src/config/config.ts";
import type { Cluster } from "../../../../../src/config/schema.ts";
import { isHyperdriveError, preparationError } from "../../../../../src/db/hyperdrive/errors.ts";
import { mariadb } from "../../../../../src/db/mysql/engines/mariadb.ts";
import { mysql } from "../../../../../src/db/mysql/engines/mysql.ts";
import { tidb } from "../../../../../src/db/mysql/engines/tidb.ts";
import {
  beginTransaction,
  transactionProof,
  transactionState,
  verifyTransaction,
} from "../../../../../src/db/mysql/engines/transaction.ts";
import { TidegateError } from "../../../../../src/errors.ts";

const cluster = { engine: "mysql", database: "shop" } as Cluster;
const account = {
  ...{ name: "reader", user: "gw_reader", acts_as: "reader@%", time_zone: "+00:00" },
} as Account;

/** A server's answer to the proof when all settings are right. */
const good: Record<string, string | null> = {
  ...{ login: "gw_reader@192.0.2.1", current: "reader@%", proxy: "'gw_reader'@'%'", db: "shop" },
  ...{ version: "9.7.4", sql_mode: mysql.defaultSqlMode, time_zone: "+00:00" },
  ...{ character_set_client: "utf8mb4", character_set_connection: "utf8mb4" },
  ...{ character_set_results: "utf8mb4", collation_connection: "utf8mb4_0900_ai_ci" },
  ...{ packet: "67108864", wanted: "utf8mb4_0900_ai_ci" },
};

function refusal(change: Record<string, string | null>, of: Partial<Cluster> = {}): string | undefined {
  try {
    verifyTransaction({ ...good, ...change }, account, { ...cluster, ...of });
    return undefined;
  } catch (cause) {
    expect(cause).toMatchObject({ code: "database_identity_wrong" });
    return (cause as TidegateError).operator;
  }
}

describe("the proof of a transaction", () => {
  test("asks for every setting that it checks", () => {
    const asked = [...transactionProof(mysql, account).matchAll(/ AS (\w+)/g)].map(([, name]) => name);
    expect(asked.toSorted()).toEqual(Object.keys(good).toSorted());
  });

  test("holds if all settings are right, with the modes in any order", () => {
    expect(refusal({})).toBeUndefined();
    expect(refusal({ sql_mode: mysql.defaultSqlMode.split(",").reverse().join(",") })).toBeUndefined();
  });

  test.each([
    ["another login", { login: "gw_writer@192.0.2.1" }, /^USER\(\) must be "gw_reader" but is "gw_writer"/],
    ["no mapping", { current: "gw_reader@%", proxy: null }, /CURRENT_USER\(\) must be "reader@%"/],
    ["another database", { db: "mysql" }, /DATABASE\(\) must be "shop" but is "mysql"/],
    ["another engine", { version: "10.11.18-MariaDB" }, /engine must be "mysql" but is "mariadb"/],
    [
      "NO_BACKSLASH_ESCAPES",
      { sql_mode: `${mysql.defaultSqlMode},NO_BACKSLASH_ESCAPES` },
      /^@@sql_mode must/,
    ],
    ["ANSI_QUOTES", { sql_mode: `${mysql.defaultSqlMode},ANSI_QUOTES` }, /^@@sql_mode must/],
    ["a mode that is missing", { sql_mode: "ONLY_FULL_GROUP_BY" }, /^@@sql_mode must/],
    ["another character set", { character_set_client: "gbk" }, /@@character_set_client must be "utf8mb4"/],
    [
      "another collation",
      { collation_connection: "utf8mb4_bin" },
      /^@@collation_connection must be "utf8mb4_0900_ai_ci" but is "utf8mb4_bin"/,
    ],
    [
      "a collation that is none",
      { collation_connection: "latin1_bin", wanted: "latin1_bin" },
      /^@@collation_connection must be a utf8mb4 one/,
    ],
    ["a database that is not shown", { wanted: null }, /^@@collation_connection must be "null"/],
    ["another zone", { time_zone: "SYSTEM" }, /@@time_zone must be "\+00:00" but is "SYSTEM": SET was/],
    ["no answer", { login: null, current: null, db: null }, /USER\(\) must be "gw_reader"/],
  ] as [string, Record<string, string | null>, RegExp][])("does not hold with %s", (_, change, reason) => {
    expect(refusal(change)).toMatch(reason);
  });
});

test("the proof holds for the account's modes and zone, as the server writes the zone's name", () => {
  const own = { ...account, sql_mode: ["STRICT_ALL_TABLES", "NO_ZERO_DATE"], time_zone: "Europe/Berlin" };
  const row = { ...good, sql_mode: "NO_ZERO_DATE,STRICT_ALL_TABLES", time_zone: "europe/berlin" };
  expect(() => verifyTransaction(row, own, cluster)).not.toThrow();
  expect(() => verifyTransaction({ ...row, time_zone: "+00:00" }, own, cluster)).toThrow(TidegateError);
  expect(() => verifyTransaction({ ...row, sql_mode: good.sql_mode ?? null }, own, cluster)).toThrow();
  const chosen = { ...own, collation: "utf8mb4_bin" };
  expect(() => verifyTransaction({ ...row, wanted: "utf8mb4_bin" }, chosen, cluster)).toThrow();
  const heeded = { ...row, wanted: "utf8mb4_bin", collation_connection: "utf8mb4_bin" };
  expect(() => verifyTransaction(heeded, chosen, cluster)).not.toThrow();
  expect(transactionProof(mysql, chosen)).toMatch(/, 'utf8mb4_bin' AS wanted$/);
  expect(transactionState(mysql, chosen, 1)).toMatch(/^SET NAMES utf8mb4 COLLATE utf8mb4_bin, /);
  expect(transactionState(mysql, own, 1)).toContain(
    "SESSION time_zone = 'Europe/Berlin', SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE'",
  );
});

describe("a transaction", () => {
  test("is READ ONLY unless the statement writes; TiDB has no READ ONLY", () => {
    expect(beginTransaction(mysql, false)).toBe("START TRANSACTION READ ONLY");
    expect(beginTransaction(mariadb, true)).toBe("START TRANSACTION");
    expect(beginTransaction(tidb, false)).toBe("START TRANSACTION");
  });

  test("sets its state for itself only, and the server's own deadline", () => {
    expect(transactionState(mysql, account, 1500)).toMatch(/, SESSION max_execution_time = 1500$/);
    expect(transactionState(mariadb, account, 1500)).toMatch(/, SESSION max_statement_time = 1.5$/);
    for (const dialect of [mysql, mariadb, tidb])
      expect(transactionState(dialect, account, 1)).not.toMatch(/read_only/);
  });
});

describe("errors before the statement are not the caller's", () => {
  const error = (errno: number | undefined, message: string) =>
    Object.assign(new Error(message), errno === undefined ? {} : { errno });

  test.each([
    [1105, "Failed to acquire a connection from the pool.", "database_unreachable"],
    [1105, "Server connection attempt failed: connection_refused", "database_unreachable"],
    [undefined, "closed", "database_unreachable"],
    [1193, "Unknown system variable 'server_uid'", "database_identity_wrong"],
    [1298, "Unknown or incorrect time zone: 'Nowhere'", "database_settings_refused"],
    [1053, "Server shutdown in progress", "database_unavailable"],
    [1064, "You have an error in your SQL syntax", "database_unreachable"],
  ])("%s %s: %s", (errno, message, code) => {
    expect(preparationError(error(errno, message))).toMatchObject({ code });
  });

  test("a TidegateError stays unchanged", () => {
    const ours = new TidegateError("connection_lost");
    expect(preparationError(ours)).toBe(ours);
  });

  test("a server's own message is not read as Hyperdrive's", () => {
    expect(isHyperdriveError(error(1105, "Internal error."))).toBe(true);
    expect(isHyperdriveError(error(2013, "Lost connection to server during query"))).toBe(true);
    expect(isHyperdriveError(error(1815, "Internal error: nothing of Hyperdrive's"))).toBe(false);
    expect(isHyperdriveError(error(1062, "Duplicate entry 'Internal error.' for key"))).toBe(false);
  });
});
