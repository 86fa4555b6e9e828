import { describe, expect, test } from "vitest";
import { collationDifference } from "../../../../../src/db/mysql/engines/collation.ts";
import { dialectOf } from "../../../../../src/db/mysql/engines/dialect-of.ts";
import type { Identity } from "../../../../../src/db/mysql/engines/identity.ts";
import { restoreStatements, setNames } from "../../../../../src/db/mysql/engines/session-state.ts";

const engines = ["mysql", "mariadb", "tidb"] as const;

describe("a session's collation", () => {
  test.each(engines)("is asked from %s if the account names none", (engine) => {
    const dialect = dialectOf({ engine });
    const question = dialect.databaseCollation;
    expect(setNames(dialect, {})).toBe(`SET NAMES utf8mb4, SESSION collation_connection = ${question}`);
    // The server reads this question with its default sql_mode, which is unknown.
    expect(question).not.toMatch(/["\\;]|\|\|/);
  });

  test("is the account's own, on every engine", () => {
    for (const engine of engines)
      expect(setNames(dialectOf({ engine }), { collation: "utf8mb4_bin" })).toBe(
        "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
      );
  });

  test("that the login has found is restored by its name", () => {
    const settings = { time_zone: "+00:00", longestDeadlineMs: 1 };
    const { collation }: Pick<Identity, "collation"> = { collation: "utf8mb4_general_ci" };
    for (const engine of engines)
      for (const writes of [false, true])
        expect(
          restoreStatements(dialectOf({ engine }), "shop", { ...settings, collation }, writes).before[0],
        ).toMatch(/^SET NAMES utf8mb4 COLLATE utf8mb4_general_ci, /);
  });

  test.each(["utf8mb4_bin", "utf8mb4_0900_ai_ci", "utf8mb4_uca1400_nopad_as_cs", "utf8mb4_zh_0900_as_cs"])(
    "may be %s",
    (found) => {
      expect(collationDifference({}, found)).toBeUndefined();
      expect(collationDifference({ collation: found }, found)).toBeUndefined();
      expect(collationDifference({ collation: "utf8mb4_la" }, found)).toBe(
        `@@collation_connection must be "utf8mb4_la" but is "${found}"`,
      );
    },
  );

  test.each([
    ...["", "undefined", "null", "binary", "latin1_swedish_ci", "utf8mb3_general_ci", "gbk_bin"],
    ...["utf8mb4_", "utf8mb4_x'", "utf8mb4_bin, SESSION sql_mode = ''", "utf8mb4_bin\n", "UTF8MB4_BIN"],
  ])("is never %j", (found) => {
    expect(collationDifference({}, found)).toMatch(/^@@collation_connection must be a utf8mb4 one/);
    expect(collationDifference({ collation: found }, found)).toBeDefined();
  });
});
