import { describe, expect, test } from "vitest";
import { warningsQuestion } from "../../../src/db/mysql/dialect.ts";
import type { Row } from "../../../src/db/mysql/steps.ts";
import { WarnedStatements } from "../../../src/db/mysql/warned-statements.ts";
import { readWarnings } from "../../../src/db/mysql/warnings.ts";
import { limits } from "../../../src/limits.ts";

const row = (Code: number, Message: string, Level = "Warning"): Row => ({
  Level,
  Code: String(Code),
  Message,
});
const truncated = (type: string, value = "abc") => row(1292, `Truncated incorrect ${type} value: '${value}'`);
const plan = row(1105, "skip prepared plan-cache: get a TableDual plan");

describe("the question", () => {
  test("is bounded by LIMIT, and on TiDB, which has none, by a variable that is new", () => {
    expect(warningsQuestion("mysql", 0)).toBe("SHOW WARNINGS LIMIT 64");
    expect(warningsQuestion("mariadb", 1)).toBe("SHOW WARNINGS LIMIT 64");
    const counted = "(@tidegate_warnings_7 := IFNULL(@tidegate_warnings_7, 0) + 1) <= 65";
    expect(warningsQuestion("tidb", 7)).toBe(`SHOW WARNINGS WHERE ${counted}`);
    expect(warningsQuestion("tidb", 8)).not.toContain("warnings_7");
  });
});

describe("warnings", () => {
  const rows = [
    truncated("DOUBLE", "secret"),
    row(1449, "The user specified as a definer ('x'@'10.0.0.1') does not exist", "Note"),
    row(1449, "The user specified as a definer (`x`@`%`) does not exist", "Note"),
  ];

  test("of a caller's own statement are told as they are, but for whose login it is", () => {
    expect(readWarnings(rows, 3, "mysql", "caller").warnings).toEqual([
      { level: "Warning", code: 1292, message: "Truncated incorrect DOUBLE value: 'secret'" },
      { level: "Note", code: 1449, message: "The user specified as a definer ('…') does not exist" },
      { level: "Note", code: 1449, message: "The user specified as a definer ('…') does not exist" },
    ]);
  });

  test("of a saved query quote nothing: it may have read rows that it does not show", () => {
    const { warnings } = readWarnings(rows, 3, "mysql", "operator");
    expect(warnings?.map(({ message }) => message)).toEqual([
      "Truncated incorrect DOUBLE value: '…'",
      "The user specified as a definer ('…') does not exist",
      "The user specified as a definer ('…') does not exist",
    ]);
  });

  test("are none where TiDB only tells of its plans, wherever it does", () => {
    const nothing = { warningCount: 1, warnings: [], textsAsNumbers: "no" };
    expect(readWarnings([plan], 1, "tidb", "caller")).toEqual(nothing);
    const divided = row(1365, "Division by 0");
    for (const both of [
      [plan, divided],
      [divided, plan],
    ]) {
      expect(readWarnings(both, 2, "tidb", "caller").warnings).toMatchObject([{ code: 1365 }]);
    }
  });

  test("are told up to a bound, TiDB's plans apart", () => {
    const many = Array(limits.warnings + 1).fill(row(1365, "Division by 0"));
    expect(readWarnings(many, 70_000, "tidb", "caller").warnings).toHaveLength(limits.warnings);
    expect(readWarnings([plan, ...many.slice(1)], 70_000, "tidb", "caller").warnings).toHaveLength(
      limits.warnings,
    );
  });

  test("that the server refuses to tell are null", () => {
    expect(readWarnings([], 2, "tidb", "caller")).toEqual({
      ...{ warningCount: 2, warnings: null, textsAsNumbers: "unread" },
    });
  });
});

describe("a text was taken for a number", () => {
  const told = (engine: "mysql" | "mariadb" | "tidb", rows: Row[], count = rows.length) =>
    readWarnings(rows, count, engine, "operator").textsAsNumbers;

  test.each([
    ["mysql", ["DOUBLE", "DECIMAL"], ["INTEGER", "FLOAT", "datetime"]],
    ["mariadb", ["DOUBLE", "DECIMAL"], ["INTEGER", "datetime"]],
    // What TiKV has evaluated says INTEGER.
    ["tidb", ["DOUBLE", "DECIMAL", "INTEGER", "FLOAT"], ["datetime", "time"]],
  ] as const)("in the words of %s", (engine, yes, no) => {
    const deprecated = row(1287, "deprecated");
    for (const type of yes) expect(told(engine, [deprecated, truncated(type)]), type).toBe("yes");
    for (const type of no) expect(told(engine, [truncated(type), deprecated]), type).toBe("no");
    expect(told(engine, [row(1366, "Incorrect DOUBLE value: 'abc'")])).toBe("no");
  });

  test("but not where TiDB says DECIMAL of a number that it has rounded", () => {
    expect(told("tidb", [truncated("DECIMAL", "-1.239")])).toBe("no");
    for (const text of ["5x", "1.2.3x", "", "abc"]) {
      expect(told("tidb", [truncated("DECIMAL", text)]), text).toBe("yes");
    }
  });

  test("is not known, where there are more warnings than were read", () => {
    expect(told("mysql", [row(1365, "Division by 0")], 2)).toBe("unread");
    expect(told("tidb", [plan], 3)).toBe("unread");
    expect(told("tidb", [], 1)).toBe("unread");
    expect(told("mysql", [truncated("DOUBLE")], 2)).toBe("yes");
  });
});

describe("which statements have warned", () => {
  test("is remembered until one does not, for a bounded number", () => {
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

  test("is not, of a text that is too long to be kept", () => {
    const warned = new WarnedStatements();
    const long = "x".repeat(limits.hotStatementCharacters + 1);
    warned.note(long, true);
    expect(warned.has(long)).toBe(false);
  });
});
