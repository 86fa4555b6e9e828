import { describe, expect, test } from "vitest";
import { questions } from "../../../src/introspection/statements.ts";

const engines = ["mysql", "mariadb", "tidb"] as const;
const everything = { database: undefined, table: undefined };

describe.each(engines)("the questions for %s", (engine) => {
  test("are one statement per part, without the server's own databases", () => {
    const asked = questions(engine, everything);
    expect(asked.map(({ part }) => part)).toEqual([
      ...["databases", "tables", "columns", "indexParts", "foreignKeyColumns", "foreignKeyRules"],
      ...(engine === "mariadb" ? ["jsonChecks"] : []),
    ]);
    for (const { sql, values } of asked) {
      expect(sql).toMatch(/^SELECT [^?;]+ FROM information_schema\.[A-Z_]+ WHERE [^?;]*NOT IN \([^?;]*\)$/);
      expect(sql).toContain("'performance_schema'");
      expect(sql.includes("'metrics_schema'")).toBe(engine === "tidb");
      expect(values).toEqual([]);
    }
  });

  test("have names as values, never in the text", () => {
    const names = { database: "da'ta", table: "ta`ble" };
    for (const { part, sql, values } of questions(engine, names)) {
      const wanted = part === "databases" ? ["da'ta"] : ["da'ta", "ta`ble"];
      expect(values).toEqual(wanted.map((value) => ({ type: "string", value })));
      expect(sql.split("?")).toHaveLength(wanted.length + 1);
      expect(sql).not.toMatch(/da'ta|ta`ble/);
    }
  });

  test("may be limited to a table of any database", () => {
    const byTable = questions(engine, { ...everything, table: "t" });
    expect(byTable.map(({ values }) => values.length)).toEqual([0, ...Array(byTable.length - 1).fill(1)]);
  });
});
