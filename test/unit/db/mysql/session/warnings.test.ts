import { describe, expect, test } from "vitest";
import type { Engine } from "../../../../../src/config/schema.ts";
import type { Row } from "../../../../../src/db/mysql/driver/commands.ts";
import { dialectOf } from "../../../../../src/db/mysql/engines/dialect-of.ts";
import { WarnedStatements } from "../../../../../src/db/mysql/session/warned-statements.ts";
import { readWarnings } from "../../../../../src/db/mysql/session/warnings.ts";
import { limits } from "../../../../../src/limits.ts";
import { bindJsonValue } from "../../../../../src/sql/bind-values.ts";

const row = (Code: number, Message: string, Level = "Warning"): Row => ({
  Level,
  Code: String(Code),
  Message,
});
const truncated = (type: string, value = "abc") => row(1292, `Truncated incorrect ${type} value: '${value}'`);
const plan = row(1105, "skip prepared plan-cache: get a TableDual plan");

/** Facts about a statement with these parameters; by default one without a declared type. */
function about(engine: Engine, author: "caller" | "operator", ...params: unknown[]) {
  const dialect = dialectOf({ engine });
  return { dialect, author, values: (params.length > 0 ? params : [0]).map((value) => bindJsonValue(value)) };
}

describe("the command", () => {
  test("is bounded by LIMIT, and on TiDB, without a LIMIT there, by a new variable", () => {
    expect(dialectOf({ engine: "mysql" }).warningsQuestion(0)).toBe("SHOW WARNINGS LIMIT 64");
    expect(dialectOf({ engine: "mariadb" }).warningsQuestion(1)).toBe("SHOW WARNINGS LIMIT 64");
    const counted = "(@tidegate_warnings_7 := IFNULL(@tidegate_warnings_7, 0) + 1) <= 65";
    expect(dialectOf({ engine: "tidb" }).warningsQuestion(7)).toBe(`SHOW WARNINGS WHERE ${counted}`);
    expect(dialectOf({ engine: "tidb" }).warningsQuestion(8)).not.toContain("warnings_7");
  });
});

describe("warnings", () => {
  const rows = [
    truncated("DOUBLE", "secret"),
    row(1449, "The user specified as a definer ('x'@'10.0.0.1') does not exist", "Note"),
    row(1449, "The user specified as a definer (`x`@`%`) does not exist", "Note"),
  ];

  test("of a caller's own statement are reported unchanged, without the login's name", () => {
    expect(readWarnings(rows, 3, about("mysql", "caller")).warnings).toEqual([
      { level: "Warning", code: 1292, message: "Truncated incorrect DOUBLE value: 'secret'" },
      { level: "Note", code: 1449, message: "The user specified as a definer ('…') does not exist" },
      { level: "Note", code: 1449, message: "The user specified as a definer ('…') does not exist" },
    ]);
  });

  test("of a saved query quote nothing, because it may have read rows that it does not show", () => {
    const { warnings } = readWarnings(rows, 3, about("mysql", "operator"));
    expect(warnings?.map(({ message }) => message)).toEqual([
      "Truncated incorrect DOUBLE value: '…'",
      "The user specified as a definer ('…') does not exist",
      "The user specified as a definer ('…') does not exist",
    ]);
  });

  test("do not include TiDB's notes about plans, at any position", () => {
    const nothing = { warningCount: 1, warnings: [], conversion: "none" };
    expect(readWarnings([plan], 1, about("tidb", "caller"))).toEqual(nothing);
    const divided = row(1365, "Division by 0");
    for (const both of [
      [plan, divided],
      [divided, plan],
    ]) {
      expect(readWarnings(both, 2, about("tidb", "caller")).warnings).toMatchObject([{ code: 1365 }]);
    }
  });

  test("are reported up to a bound, without TiDB's notes about plans", () => {
    const many = Array(limits.warnings + 1).fill(row(1365, "Division by 0"));
    expect(readWarnings(many, 70_000, about("tidb", "caller")).warnings).toHaveLength(limits.warnings);
    expect(readWarnings([plan, ...many.slice(1)], 70_000, about("tidb", "caller")).warnings).toHaveLength(
      limits.warnings,
    );
  });

  test("that the server refuses to show are null", () => {
    expect(readWarnings([], 2, about("tidb", "caller"))).toEqual({
      ...{ warningCount: 2, warnings: null, conversion: "unread" },
    });
  });
});

describe("a value without a declared type was converted", () => {
  const told = (engine: Engine, params: unknown[], rows: Row[], count = rows.length) =>
    readWarnings(rows, count, about(engine, "operator", ...params)).conversion;

  test.each(["mysql", "mariadb", "tidb"] as const)("a number, by every type that %s converted", (engine) => {
    const deprecated = row(1287, "deprecated");
    for (const type of ["DOUBLE", "DECIMAL", "INTEGER", "FLOAT", "datetime", "date", "time"]) {
      expect(told(engine, [0], [deprecated, truncated(type)]), type).toBe("number");
      expect(told(engine, ["x", true], [truncated(type), deprecated]), type).toBe("number");
    }
    expect(told(engine, [0, "abc"], [truncated("CHAR(3)"), truncated("BINARY(2)")])).toBe("none");
    expect(told(engine, [0], [row(1366, "Incorrect DOUBLE value: 'abc'")])).toBe("none");
    expect(told(engine, [0], [row(1292, "in words of another language")])).toBe("number");
  });

  test("but not if TiDB says DECIMAL for a number that it has rounded", () => {
    expect(told("tidb", [0], [truncated("DECIMAL", "-1.239")])).toBe("none");
    for (const text of ["5x", "1.2.3x", "", "abc"]) {
      expect(told("tidb", [0], [truncated("DECIMAL", text)]), text).toBe("number");
    }
  });

  test.each([
    ["6-4f3a", "6-4f3a"],
    ["6-4F3A", "6-4f3a"],
    ["6-4f3a", "x6-4f3ay"],
    ["6-4f3a", "6-4f"],
    ["6-4f3a".repeat(40), "6-4f3a".repeat(10)],
    ["", ""],
    ["  ", " "],
    ["ä", "other"],
    ["it's", "it's"],
  ])("a text, if the server's quote can be from it: %j, %j", (text, quoted) => {
    for (const engine of ["mysql", "mariadb", "tidb"] as const)
      expect(told(engine, [text], [truncated("DECIMAL", "abc"), truncated("DECIMAL", quoted)])).toBe("text");
    const column = row(1292, `Truncated incorrect INTEGER value: '${quoted}' for column 'a' at row 1`);
    expect(told("mariadb", [text], [column])).toBe("text");
  });

  test("a text, but not if the server quotes another text, which it has read", () => {
    expect(told("mariadb", ["NZ"], [truncated("DOUBLE", "abc")])).toBe("none");
    expect(told("mariadb", [""], [truncated("DOUBLE", "abc")])).toBe("none");
    expect(told("mariadb", ["NZ"], [truncated("DOUBLE", "")])).toBe("none");
    expect(told("tidb", ["2026-01-01x"], [row(1105, "Incorrect datetime value: '2026-01-01x'")])).toBe(
      "text",
    );
    expect(told("tidb", ["2026-01-01x"], [plan])).toBe("none");
    const empty = row(1105, "skip prepared plan-cache: '' may be converted to INT");
    expect(told("tidb", [""], [empty])).toBe("text");
    expect(told("tidb", ["6"], [row(1105, "skip prepared plan-cache: '6' may be converted to INT")])).toBe(
      "none",
    );
  });

  test("nothing, if every type is declared", () => {
    const declared = [{ type: "INTEGER", value: 0 }, { type: "VARCHAR", value: "abc" }, null];
    expect(told("mysql", declared, [truncated("DOUBLE")])).toBe("none");
    expect(told("mysql", declared, [truncated("DOUBLE")], 70)).toBe("none");
  });

  test("is unknown, if there are more warnings than were read", () => {
    for (const value of [0, "x"]) {
      expect(told("mysql", [value], [row(1365, "Division by 0")], 2)).toBe("unread");
      expect(told("tidb", [value], [plan], 3)).toBe("unread");
      expect(told("tidb", [value], [], 1)).toBe("unread");
    }
    expect(told("mysql", [0], [truncated("DOUBLE")], 2)).toBe("number");
  });
});

describe("the memory of statements with warnings", () => {
  test("keeps a statement until it gives no warning, for a bounded number", () => {
    const warned = new WarnedStatements();
    warned.note("a", true);
    expect([warned.has("a"), warned.has("b")]).toEqual([true, false]);
    for (let i = 1; i < limits.warnedStatements; i++) warned.note(`s${i}`, true);
    warned.note("a", true);
    warned.note("one more", true);
    expect([warned.has("a"), warned.has("s1"), warned.has("s2")]).toEqual([true, false, true]);
    warned.note("a", false);
    expect(warned.has("a")).toBe(false);
  });

  test("does not keep a text that is too long", () => {
    const warned = new WarnedStatements();
    const long = "x".repeat(limits.hotStatementCharacters + 1);
    warned.note(long, true);
    expect(warned.has(long)).toBe(false);
  });
});
