import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StatementError } from "../../../src/sql/errors.ts";
import { lex } from "../../../src/sql/lexer.ts";
import { sqlish } from "../../statements/arbitrary.ts";

/** @returns `kind:text` of each token */
function read(sql: string): string[] {
  const tokens = lex(sql);
  return Array.from({ length: tokens.length }, (_, at) => `${tokens.kind(at)}:${tokens.text(at)}`);
}

function reason(sql: string): string {
  try {
    lex(sql);
  } catch (error) {
    if (error instanceof StatementError) return error.reason;
    throw error;
  }
  return "accepted";
}

describe("tokens", () => {
  const table: [string, string[]][] = [
    ["", []],
    [" \t\r\n\v\f", []],
    ["SELECT 1", ["word:SELECT", "number:1"]],
    ["a.b.c", ["word:a", "dot:.", "word:b", "dot:.", "word:c"]],
    ["naïve 列 a$b _x", ["word:naïve", "word:列", "word:a$b", "word:_x"]],
    ["2fa_codes 1e 9est", ["word:2fa_codes", "word:1e", "word:9est"]],
    [
      "1 007 1.5 1. .5 1e5 1E+5 1.5e-3 1.e5",
      ["1", "007", "1.5", "1.", ".5", "1e5", "1E+5", "1.5e-3", "1.e5"].map(number),
    ],
    [
      "0x1F 0XAB 0b01 x'1f' X'1F' b'01' B''",
      ["0x1F", "0XAB", "0b01", "x'1f'", "X'1F'", "b'01'", "B''"].map(number),
    ],
    ["1e+x", ["word:1e", "operator:+", "word:x"]],
    ["N'a' n'b'", ["string:N'a'", "string:n'b'"]],
    ["_utf8mb4'a' _latin1 x'61'", ["word:_utf8mb4", "string:'a'", "word:_latin1", "number:x'61'"]],
    ["'it''s' 'it\\'s' '\\\\'", ["string:'it''s'", "string:'it\\'s'", "string:'\\\\'"]],
    ['"say ""x""" "\\""', ['string:"say ""x"""', 'string:"\\""']],
    ["'a' 'b'", ["string:'a'", "string:'b'"]],
    ["'\0'", ["string:'\0'"]],
    ["`a``b` `\\` ``", ["identifier:`a``b`", "identifier:`\\`", "identifier:``"]],
    ["'/*' \"--\" `#`", ["string:'/*'", 'string:"--"', "identifier:`#`"]],
    ["@a @a.b$c @'x y' @\"z\" @`w`", ["@a", "@a.b$c", "@'x y'", '@"z"', "@`w`"].map(user)],
    ["@@x @@global.x @@`y`", ["system_variable:@@x", "system_variable:@@global.x", "system_variable:@@`y`"]],
    ["? ?", ["positional:?", "positional:?"]],
    ["(?,?)", ["open:(", "positional:?", "comma:,", "positional:?", "close:)"]],
    [":name :jwt.sub :a.5", ["named::name", "named::jwt.sub", "named::a", "number:.5"]],
    [":jwt.app.tenant", ["named::jwt.app.tenant"]],
    ["a:b", ["word:a", "named::b"]],
    ["=:a -:b", ["operator:=", "named::a", "operator:-", "named::b"]],
    [":= :1 : ::a", ["assign::=", "operator::", "number:1", "operator::", "operator::", "named::a"]],
    ["5--1", ["number:5", "operator:-", "operator:-", "number:1"]],
    ["a->'$.x'", ["word:a", "operator:-", "operator:>", "string:'$.x'"]],
    ["a<=>b", ["word:a", "operator:<", "operator:=", "operator:>", "word:b"]],
    [";", ["semicolon:;"]],
    ["{d '2026-01-01'}", ["operator:{", "word:d", "string:'2026-01-01'", "operator:}"]],
    ["t.1", ["word:t", "number:.1"]],
    ["'😀' `😀`", ["string:'😀'", "identifier:`😀`"]],
  ];
  test.each(table)("%j", (sql, expected) => {
    expect(read(sql)).toEqual(expected);
  });

  function number(text: string): string {
    return `number:${text}`;
  }
  function user(text: string): string {
    return `user_variable:${text}`;
  }
});

describe("comments", () => {
  const table: [string, string[]][] = [
    ["a-- b", ["word:a"]],
    ["a--", ["word:a"]],
    ["a--\tb\nc", ["word:a", "word:c"]],
    ["a -- 'x\nb", ["word:a", "word:b"]],
    ["a -- x\rb", ["word:a"]],
    ["a--b", ["word:a", "operator:-", "operator:-", "word:b"]],
    ["a # 'x\nb", ["word:a", "word:b"]],
    ["a#b", ["word:a"]],
    ["a/* ' ; */b", ["word:a", "word:b"]],
    ["a/**/b", ["word:a", "word:b"]],
    ["a/* /* */b", ["word:a", "word:b"]],
    ["a/* -- */b", ["word:a", "word:b"]],
    ["a/*/ b */c", ["word:a", "word:c"]],
    ["a/***/b", ["word:a", "word:b"]],
    ["a/*M*/ /*T b*/", ["word:a"]],
    ["a # /*! x */\n-- /*! y */\nb", ["word:a", "word:b"]],
    ["a */ b", ["word:a", "operator:*", "operator:/", "word:b"]],
    ["/*+ MAX_EXECUTION_TIME(1000) */ a", ["word:a"]],
    ["//* x */a", ["operator:/", "word:a"]],
  ];
  test.each(table)("%j", (sql, expected) => {
    expect(read(sql)).toEqual(expected);
  });

  test("are kept separately from hints", () => {
    expect(lex("a /* b */ /*+ c */ # d").gaps).toEqual([
      { kind: "comment", start: 2, end: 9 },
      { kind: "hint", start: 10, end: 18 },
      { kind: "comment", start: 19, end: 22 },
    ]);
  });
});

describe("refused", () => {
  const table: [string, string][] = [
    ["'a", "unterminated"],
    ["'a\\'", "unterminated"],
    ["'a''", "unterminated"],
    ['"a', "unterminated"],
    ["`a", "unterminated"],
    ["`a``", "unterminated"],
    ["'\\", "unterminated"],
    ["@'a", "unterminated"],
    ["@`a", "unterminated"],
    ["/* a", "unterminated"],
    ["/*/", "unterminated"],
    ["/*+/", "unterminated"],
    ["/*+ a", "unterminated"],
    ["/*! SELECT 1 */", "executable_comment"],
    ["/*!50000 a */", "executable_comment"],
    ["/*!*/", "executable_comment"],
    ["/*!", "executable_comment"],
    ["/*M! a */", "executable_comment"],
    ["/*m! a */", "executable_comment"],
    ["/*M!100500 a */", "executable_comment"],
    ["/*T! a */", "executable_comment"],
    ["/*T![auto_rand] a */", "executable_comment"],
    ["a\0", "invalid_character"],
    ["-- \0", "invalid_character"],
    ["# \0\nb", "invalid_character"],
    ["/* \0 */", "invalid_character"],
    ["`\0`", "invalid_character"],
    ["--\u0001 a", "invalid_character"],
    ["a\u0008b", "invalid_character"],
    ["a\u007f", "invalid_character"],
    ["a\u00a0b", "invalid_character"],
    ["a \u2003 b", "invalid_character"],
    ["a\u200bb", "invalid_character"],
    ["\ufeffSELECT", "invalid_character"],
    ["a\u3000b", "invalid_character"],
    ["a\u0085b", "invalid_character"],
    ["😀", "invalid_character"],
    ["\ud83d", "invalid_character"],
    ["'\ud83d'", "invalid_character"],
    ["\\N", "invalid_character"],
    ["[a]", "invalid_character"],
    ["$a", "invalid_character"],
    ["$$ a $$", "invalid_character"],
    ["1.5INTO", "invalid_character"],
    ["1.INTO", "invalid_character"],
    [".5INTO", "invalid_character"],
    ["t.5INTO", "invalid_character"],
    ["1e5INTO", "invalid_character"],
    ["0x1FINTO", "invalid_character"],
    ["0b01INTO", "invalid_character"],
    ["0x1F.a", "invalid_character"],
    ["0b01.5", "invalid_character"],
    ["x'zz'", "invalid_character"],
    ["b'012'", "invalid_character"],
    ["x'41", "invalid_character"],
    ["?a", "invalid_character"],
    ["?1", "invalid_character"],
    [":a$b", "invalid_character"],
    [":aé", "invalid_character"],
    ["@", "invalid_character"],
    ["@ a", "invalid_character"],
    ["@é", "invalid_character"],
    ["@aé", "invalid_character"],
    ["@@", "invalid_character"],
    ["@@'a'", "invalid_character"],
    ["/*+ QB_NAME(`*/`) */", "invalid_character"],
    ["/*+ ' */", "invalid_character"],
    ['/*+ " */', "invalid_character"],
  ];
  test.each(table)("%j: %s", (sql, expected) => {
    expect(reason(sql)).toBe(expected);
  });

  test("with the offset of the fault", () => {
    expect(() => lex("SELECT 'a")).toThrow(expect.objectContaining({ offset: 7 }));
    expect(() => lex("SELECT a\u00a0b")).toThrow(expect.objectContaining({ offset: 8 }));
  });
});

describe("for every text", () => {
  test("tokens, gaps and white space cover it in order, or a StatementError is thrown", () => {
    fc.assert(
      fc.property(sqlish, (sql) => {
        if (reason(sql) !== "accepted") return;
        const tokens = lex(sql);
        const spans = [
          ...tokens.gaps,
          ...Array.from({ length: tokens.length }, (_, at) => ({
            start: tokens.start(at),
            end: tokens.end(at),
          })),
        ].sort((a, b) => a.start - b.start);
        let covered = 0;
        for (const { start, end } of spans) {
          expect(sql.slice(covered, start)).toMatch(/^[ \t\n\v\f\r]*$/);
          expect(end).toBeGreaterThan(start);
          covered = end;
        }
        expect(sql.slice(covered)).toMatch(/^[ \t\n\v\f\r]*$/);
      }),
      { numRuns: 2000 },
    );
  });

  test("a quoted text is one token, with any content", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const quoted = `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
        expect(read(`a ${quoted} b`)).toEqual(["word:a", `string:${quoted}`, "word:b"]);
      }),
    );
  });

  test("the time is linear in the length", () => {
    const nasty = ["(", "''", "/**/", "1.", "@a", ":a", "a.", "`a`", "-- \n", "0x", "--"];
    for (const piece of nasty) {
      const started = performance.now();
      reason(`${piece} `.repeat(50_000));
      expect(performance.now() - started, piece).toBeLessThan(2_000);
    }
  });
});
