import { describe, expect, test } from "vitest";
import { dialectOf } from "../../../../../src/db/mysql/engines/dialect-of.ts";
import { verifiedPlain } from "../../../../../src/db/mysql/engines/plain.ts";
import { limits } from "../../../../../src/limits.ts";
import type { PlainSelect } from "../../../../../src/sql/plain/plain-select.ts";

const select = (...names: string[]): PlainSelect => ({
  names: [...names, "id"],
  tables: names,
  functions: [],
});
const table = (name: string, type = "BASE TABLE", engine: string | null = "InnoDB") => {
  return { kind: "table", name, type, engine };
};
const other = (kind: string, name: string) => ({ kind, name, type: null, engine: null });

describe("a statement is verified", () => {
  test.each([
    ["when each of its tables is a base table", [select("a", "b")], [table("a"), table("b")], [true]],
    ["when it has no table", [select()], [], [true]],
    ["by itself", [select("a"), select("b"), select("a", "b")], [table("a")], [true, false, false]],
    [
      "when its table is listed without a virtual column",
      [select("a")],
      [{ ...table("a"), kind: "listed" }, other("columns", "a")],
      [true],
    ],
    ["with each known storage engine", [select("a")], [table("a", "BASE TABLE", "MyISAM")], [true]],
  ])("%s", (_, statements, rows, expected) => {
    expect(verifiedPlain(statements, rows)).toEqual(expected);
  });
});

describe("a statement is not verified", () => {
  test.each([
    ["when a table is found in other letters", [select("A")], [table("a")]],
    ["when a table is listed alone", [select("a")], [{ ...table("a"), kind: "listed" }]],
    ["when only the columns of a table are known", [select("a")], [other("columns", "a")]],
    ["when a table is not found", [select("a", "b")], [table("a")]],
    ["when a table is a view", [select("a")], [table("a", "VIEW", null)]],
    ["when a table is a sequence", [select("a")], [table("a", "SEQUENCE")]],
    ["when a table is of the server", [select("a")], [table("a", "SYSTEM VIEW", "MEMORY")]],
    ["when a table has another engine", [select("a")], [table("a", "BASE TABLE", "FEDERATED")]],
    ["when a table has no engine", [select("a")], [table("a", "BASE TABLE", null)]],
    ["when a table has a virtual column", [select("a")], [table("a"), other("virtual", "a")]],
    ["when another name is a view", [select("a")], [table("a"), table("id", "VIEW", null)]],
    ["when another name is a view in other letters", [select("a")], [table("a"), table("ID", "VIEW", null)]],
    [
      "when another name is a view with an accent",
      [select("a")],
      [table("a"), table("\u00edd", "VIEW", null)],
    ],
    ["when a name is a schema", [select("a")], [table("a"), other("schema", "id")]],
    ["when a name is a routine", [select("a")], [table("a"), other("routine", "id")]],
    [
      "when one of two things of that name is no table",
      [select("a")],
      [table("a"), table("A", "VIEW", null)],
    ],
    ["when the answer has a name that was not asked for", [select("a")], [table("a"), table("b")]],
    ["when the answer has a row without a name", [select("a")], [table("a"), { kind: "table", name: null }]],
    ["when the answer has a row of another form", [select("a")], [table("a"), {}]],
    ["when nothing is answered", [select("a")], []],
  ])("%s", (_, statements, rows) => {
    expect(verifiedPlain(statements, rows)).toEqual([false]);
  });

  test("when a stored function has the name of one that it calls", () => {
    const calls: PlainSelect = { names: ["a"], tables: ["a"], functions: ["CONCAT"] };
    expect(verifiedPlain([calls, select("a")], [table("a"), other("routine", "concat")])).toEqual([
      false,
      true,
    ]);
  });

  test("when an answer is not understood, nor is any other one", () => {
    expect(verifiedPlain([select("a"), select()], [table("a"), table("x")])).toEqual([false, false]);
  });

  test("beyond the bound of names, and is not asked about", () => {
    const wide = (letter: string): PlainSelect => {
      const names = Array.from({ length: limits.plainQuestionNames / 2 }, (_, i) => `${letter}${i}`);
      return { names, tables: [`${letter}0`], functions: [] };
    };
    const statements = [wide("a"), wide("b"), wide("c"), select()];
    const rows = ["a0", "b0"].map((name) => table(name));
    expect(verifiedPlain(statements, rows)).toEqual([true, true, false, false]);
    for (const engine of ["mysql", "mariadb", "tidb"] as const) {
      const question = dialectOf({ engine }).plainQuestion(statements);
      expect(question).toContain("'b0'");
      expect(question).not.toContain("'c0'");
    }
  });
});

describe.each(["mysql", "mariadb", "tidb"] as const)("the question of %s", (engine) => {
  const { plainQuestion } = dialectOf({ engine });

  test("is one statement that names the columns, also without a name", () => {
    const columns = "SELECT NULL AS kind, NULL AS name, NULL AS type, NULL AS engine FROM DUAL WHERE FALSE";
    expect(plainQuestion([])).toBe(columns);
    expect(plainQuestion([{ names: [], tables: [], functions: [] }])).toBe(columns);
    expect(plainQuestion([select("a")]).startsWith(`${columns} UNION ALL `)).toBe(true);
  });

  test("asks about each name once", () => {
    const question = plainQuestion([select("tab_a"), select("tab_a", "tab_b")]);
    const once = { names: ["tab_a", "id", "tab_b"], tables: ["tab_a", "tab_b"], functions: [] };
    expect(question).toBe(plainQuestion([once]));
  });
});
