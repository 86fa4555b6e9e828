// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a Data App writes its placeholders so.
import { describe, expect, test } from "vitest";
import type { Statement } from "../../../../cli/import/pieces.ts";
import { cut, usedDatabase } from "../../../../cli/import/pieces.ts";

const texts = ({ statements }: ReturnType<typeof cut>) =>
  statements.map(({ pieces }) => pieces.map(({ text }) => text).join(""));

describe("a file of SQL", () => {
  test("is cut at semicolons outside of quotes and comments", () => {
    const script = cut("SELECT ';', \";\", `;` /* ; */ FROM t; -- ;\nSELECT 2; # ;");
    expect(texts(script)).toEqual(["SELECT ';', \";\", `;` /* ; */ FROM t", "SELECT 2"]);
    expect(script.comments).toEqual([";", ";"]);
  });

  test.each([
    ["doubled quotes", "SELECT 'it''s;'"],
    ["backslashes", "SELECT 'it\\';'"],
    ["a dash that begins no comment", "SELECT 1--1"],
    ["a quote that has no end", "SELECT 'a; b"],
  ])("knows %s", (_, sql) => {
    expect(texts(cut(sql))).toEqual([sql]);
  });

  test("gives the line of each statement, and the comments around them", () => {
    const { statements, comments } = cut("/* one\n*/\nUSE a;\n\n-- two\nSELECT 1 -- in\n + 1 -- three\n;");
    expect(statements.map(({ line }) => line)).toEqual([3, 6]);
    expect(comments).toEqual(["one", "two", "three"]);
    expect(texts({ statements, comments })[1]?.trim()).toBe("SELECT 1 -- in\n + 1");
  });

  test("may have nothing", () => {
    expect(cut(" \n;; -- x\n")).toEqual({ statements: [], comments: ["x"] });
  });
});

test.each([
  ["USE shop", "shop"],
  ["use `my shop`", "my shop"],
  ["USE`a``b`", "a`b"],
  ["\nUSE /* this */ shop ", "shop"],
  ["SELECT 1", undefined],
  ["USE shop SELECT 1", undefined],
  ["USER", undefined],
])("%j uses the database %s", (sql, database) => {
  expect(usedDatabase(cut(sql).statements[0] as Statement)).toBe(database);
});
