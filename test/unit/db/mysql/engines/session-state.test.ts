import { describe, expect, test } from "vitest";
import type { Engine } from "../../../../../src/config/schema.ts";
import { dialectOf } from "../../../../../src/db/mysql/engines/dialect-of.ts";
import { mariadb } from "../../../../../src/db/mysql/engines/mariadb.ts";
import { mysql } from "../../../../../src/db/mysql/engines/mysql.ts";
import {
  restingState,
  restoreStatements,
  setRole,
  writableState,
} from "../../../../../src/db/mysql/engines/session-state.ts";
import { tidb } from "../../../../../src/db/mysql/engines/tidb.ts";
import { transactionState } from "../../../../../src/db/mysql/engines/transaction.ts";
import { limits } from "../../../../../src/limits.ts";
import { account, engines } from "./sample-identity.ts";

describe("setRole", () => {
  test.each<[Engine, string | null, string]>([
    ["mysql", null, "SET ROLE NONE"],
    ["mariadb", null, "SET ROLE NONE"],
    ["tidb", "NONE", "SET ROLE NONE"],
    ["mysql", "", "SET ROLE NONE"],
    ["mysql", "analyst", "SET ROLE `analyst`"],
    ["mysql", "analyst@%", "SET ROLE `analyst`@`%`"],
    ["mysql", "analyst@localhost", "SET ROLE `analyst`@`localhost`"],
    ["tidb", "analyst@%", "SET ROLE `analyst`@`%`"],
    ["mariadb", "analyst", "SET ROLE `analyst`"],
    // A role of MariaDB has no host.
    ["mariadb", "analyst@%", "SET ROLE `analyst`"],
    // The form that CURRENT_ROLE() prints.
    ["mysql", "`analyst`@`%`", "SET ROLE `analyst`@`%`"],
    ["mysql", "`a`@`%`,`b`@`%`", "SET ROLE `a`@`%`,`b`@`%`"],
    ["mariadb", "a`b", "SET ROLE `a``b`"],
    ["mysql", "a; DROP TABLE t", "SET ROLE `a; DROP TABLE t`"],
  ])("on %s for %j is %s", (engine, role, sql) => {
    expect(setRole(dialectOf({ engine }), role)).toBe(sql);
  });
});

describe("the restore", () => {
  test.each<[Engine, string, string]>([
    ["mysql", "shop", "USE `shop`"],
    ["mysql", "my-shop", "USE `my-shop`"],
    ["tidb", "a`b", "USE `a``b`"],
    ["mysql", "`; DROP DATABASE x; --", "USE ```; DROP DATABASE x; --`"],
    ["mariadb", "shop", "EXECUTE IMMEDIATE 'USE `shop`';"],
    ["mariadb", "a`b'c\\", "EXECUTE IMMEDIATE 'USE `a``b''c\\\\`';"],
  ])("on %s goes back to %s", (engine, database, sql) => {
    expect(restoreStatements(dialectOf({ engine }), database, account(), false).before.at(-1)).toContain(sql);
  });

  test.each(engines)("on %s sets the resting state, in two statements with the database", (engine) => {
    const { before, after } = restoreStatements(dialectOf({ engine }), "shop", account(), false);
    expect(before).toHaveLength(2);
    expect(before[0]?.startsWith(restingState(dialectOf({ engine }), account()))).toBe(true);
    expect(after).toEqual([]);
  });

  test("on MariaDB sets the role of the session again", () => {
    const { before } = restoreStatements(mariadb, "shop", account(), false, "analyst");
    expect(before[0]).toBe("SET ROLE `analyst`");
    for (const engine of ["mysql", "tidb"] as const) {
      const other = restoreStatements(dialectOf({ engine }), "shop", account(), false, "`analyst`@`%`");
      expect(other.before).toHaveLength(2);
    }
  });

  test.each(engines)("on %s becomes read-only after the statements that write", (engine) => {
    const { before, after } = restoreStatements(dialectOf({ engine }), "shop", account(), true);
    expect(before.join()).not.toMatch(/read_only/);
    expect(after).toEqual(engine === "tidb" ? [] : ["SET SESSION TRANSACTION READ ONLY"]);
  });
});

describe("the resting state", () => {
  test.each(engines)(
    "of %s is set in one statement, with character set, time zone and sql_mode",
    (engine) => {
      const sql = restingState(dialectOf({ engine }), account());
      expect(sql).toMatch(
        /^SET NAMES utf8mb4, SESSION collation_connection = .*, SESSION time_zone = '\+00:00', SESSION sql_mode = '/,
      );
      expect(sql).not.toContain(";");
    },
  );

  test.each(engines)("of %s has a strict mode, and only modes that the statement guard knows", (engine) => {
    const modes =
      /sql_mode = '([^']*)'/.exec(restingState(dialectOf({ engine }), account()))?.[1]?.split(",") ?? [];
    expect(modes).toContain("STRICT_TRANS_TABLES");
    expect(modes).toContain("NO_ENGINE_SUBSTITUTION");
    for (const mode of [
      "ANSI_QUOTES",
      "NO_BACKSLASH_ESCAPES",
      "PIPES_AS_CONCAT",
      "IGNORE_SPACE",
      "ANSI",
      "ORACLE",
      "MSSQL",
    ]) {
      expect(modes).not.toContain(mode);
    }
  });

  test.each(engines)("of %s has the account's own modes and zone, also after a restore", (engine) => {
    const own = account({ sql_mode: ["STRICT_ALL_TABLES", "NO_ZERO_DATE"], time_zone: "Europe/Berlin" });
    const said = "SESSION time_zone = 'Europe/Berlin', SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE'";
    expect(restingState(dialectOf({ engine }), own)).toContain(said);
    for (const writes of [false, true])
      expect(restoreStatements(dialectOf({ engine }), "shop", own, writes).before[0]).toContain(said);
  });

  test("of TiDB ends a forgotten SELECT after the longest deadline, also after statements that write", () => {
    const limit = ", SESSION max_execution_time = 21000";
    for (const writes of [false, true])
      expect(restoreStatements(tidb, "shop", account(), writes).before[0]).toContain(limit);
    expect(restingState(tidb, account())).toContain(limit);
    for (const engine of ["mysql", "mariadb"] as const)
      expect(restingState(dialectOf({ engine }), account())).not.toMatch(/max_\w+_time/);
  });

  test("keeps the warnings for the gateway's answers, if a login may set this", () => {
    const kept = `, SESSION max_error_count = ${limits.warnings}`;
    expect(restingState(mariadb, account())).toContain(kept);
    expect(transactionState(mariadb, account(), 1)).toContain(kept);
    for (const writes of [false, true])
      expect(restoreStatements(mariadb, "shop", account(), writes).before[0]).toContain(kept);
    // On MySQL, most logins may not set it (error 1227), so each login would fail.
    expect(restingState(mysql, account())).not.toContain("max_error_count");
  });

  test("is read-only if the server enforces it", () => {
    expect(restingState(mysql, account())).toMatch(/, SESSION transaction_read_only = ON$/);
    expect(restingState(mariadb, account())).toMatch(/, SESSION tx_read_only = ON$/);
    expect(restingState(tidb, account())).not.toContain("read_only");
  });
});

describe("the writable state", () => {
  test("ends the read-only state until the restore", () => {
    expect(writableState(mysql)).toBe("SET SESSION TRANSACTION READ WRITE");
    expect(writableState(mariadb)).toBe("SET SESSION TRANSACTION READ WRITE");
  });

  test("is TiDB's only one", () => {
    expect(writableState(tidb)).toBeUndefined();
  });
});
