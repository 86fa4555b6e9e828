import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { classify, StatementError } from "../../../src/sql/guard.ts";
import { lex } from "../../../src/sql/lexer.ts";
import { sqlish } from "../../statements/arbitrary.ts";

describe("two minus signs that would become a comment after cleaning", () => {
  test.each([
    "DELETE FROM notes WHERE id = 1--/**/1 AND author = 'me'",
    "SELECT 1--/* */2",
    "SELECT 1---/* */2",
    "SELECT 1--#x\n2",
    "SELECT 1--;",
    "SELECT 1 --; ",
    "SELECT 1--/**/",
    "SELECT 1--/**/;",
  ])("%s", (sql) => {
    expect(() => classify(sql)).toThrow(expect.objectContaining({ reason: "invalid_character" }));
  });

  test.each([
    ["SELECT 1--1", "SELECT 1--1"],
    ["SELECT 1-/**/-2", "SELECT 1- -2"],
    ["SELECT '--'/**/, `a-`", "SELECT '--' , `a-`"],
    ["SELECT 1 -- the rest\n, 2", "SELECT 1  \n, 2"],
  ])("%s is accepted", (sql, text) => {
    expect(classify(sql).text).toBe(text);
  });

  test("the cleaned text has the tokens that were judged", () => {
    const piece = fc.constantFrom(
      "-",
      "--",
      "/**/",
      "#x\n",
      "-- x\n",
      " ",
      "1",
      "'-'",
      "`-`",
      ",",
      "+",
      ";",
      "\n",
      "(",
      ")",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const sql = `SELECT 1${pieces.join("")}`;
        let text: string;
        try {
          text = classify(sql).text;
        } catch {
          return;
        }
        const words = (source: string, count: number) => {
          const tokens = lex(source);
          return Array.from({ length: count }, (_, at) => tokens.text(at));
        };
        const count = lex(text).length;
        expect(words(text, count)).toEqual(words(sql, count));
        const rest = lex(sql);
        expect(rest.length - count).toBe(rest.kind(rest.length - 1) === "semicolon" ? 1 : 0);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("for every text", () => {
  test("the guard answers or throws a StatementError, and accepts its own cleaned text", () => {
    fc.assert(
      fc.property(sqlish, (sql) => {
        const statement = judge(sql);
        if (statement === undefined) return;
        const again = classify(statement.text);
        expect(again).toEqual({
          ...statement,
          placeholders: statement.placeholders.map((it) => ({ ...it, sourceStart: it.start })),
        });
      }),
      { numRuns: 5000 },
    );
  });

  test("texts in quotes or comments do not change the answer", () => {
    const hidden = fc.constantFrom(
      "INTO OUTFILE",
      ";",
      ":=",
      "FOR UPDATE",
      "DROP TABLE t",
      "?",
      ":a",
      "'",
      "--",
      "#",
      "\n",
    );
    fc.assert(
      fc.property(fc.array(hidden), (parts) => {
        const text = parts.join(" ");
        const sql = `SELECT '${text.replaceAll("'", "''")}', \`${text}\` /* ${text} */ FROM t`;
        expect(judge(sql)).toMatchObject({ kind: "read", verb: "SELECT", placeholders: [] });
      }),
    );
  });

  test("repetition neither recurses nor is slow", () => {
    const pieces = [
      "EXPLAIN ",
      "(",
      "WITH a AS (b) ",
      "(WITH a AS (b) ",
      "DESC ",
      "CREATE PROCEDURE p() ",
      "CREATE OR REPLACE ",
    ];
    for (const piece of [...pieces, "SET NEW.a = 1, ", "a.b.c", "COMMENT x ", "FOR EACH ROW "]) {
      const started = performance.now();
      expect(judge(piece.repeat(20_000))).toBeUndefined();
      judge(`CREATE TRIGGER t FOR EACH ROW ${piece.repeat(20_000)}`);
      expect(performance.now() - started, piece).toBeLessThan(2_000);
    }
  });

  test("messages repeat no literal", () => {
    for (const sql of [
      "FOO 'secret'",
      "SET a = 'secret'",
      "SELECT 'secret",
      "SELECT 'secret' INTO @a",
      "secret",
      "CREATE secret",
    ]) {
      expect(() => classify(sql)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining("secret") }),
      );
    }
  });
});

function judge(sql: string): ReturnType<typeof classify> | undefined {
  try {
    return classify(sql);
  } catch (error) {
    if (error instanceof StatementError) return undefined;
    throw error;
  }
}
