import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpolate } from "../../../../../src/db/mysql/engines/interpolate.ts";
import type { BoundValue } from "../../../../../src/sql/bound-value.ts";
import { classify } from "../../../../../src/sql/guard.ts";
import { sqlish } from "../../../../statements/arbitrary.ts";

const written = (value: BoundValue) => interpolate("SELECT ? AS v", [value]).slice("SELECT  ".length, -6);

describe("a value is written with its type", () => {
  const table: [BoundValue, string][] = [
    [{ type: "string", value: "it's" }, "'it\\'s'"],
    [{ type: "string", value: '\\\0\n\r\t\b\u001a"' }, `'\\\\\\0\\n\\r\\t\\b\\Z\\"'`],
    [{ type: "string", value: "ä😀?" }, "'ä😀?'"],
    [{ type: "string", value: "" }, "''"],
    [{ type: "date", value: "2026-02-28" }, "'2026-02-28'"],
    [{ type: "datetime", value: "2026-02-28 10:00:00" }, "'2026-02-28 10:00:00'"],
    // MariaDB reads an integer of few digits as INT.
    [{ type: "integer", value: 5 }, "000000000005"],
    [{ type: "integer", value: -5 }, "(-000000000005)"],
    [{ type: "integer", value: 18446744073709551615n }, "18446744073709551615"],
    // Without an exponent it would be a DECIMAL.
    [{ type: "number", value: 1.5 }, "1.5e0"],
    [{ type: "number", value: 5 }, "5e0"],
    [{ type: "number", value: -1e-7 }, "(-1e-7)"],
    [{ type: "number", value: 1e300 }, "1e+300"],
    [{ type: "number", value: -0 }, "(-0e0)"],
    [{ type: "decimal", value: "1.10" }, "1.10"],
    // After a point, TiDB reads a keyword as a name.
    [{ type: "decimal", value: "5" }, "(5.)"],
    [{ type: "decimal", value: "-5" }, "(-5.)"],
    [{ type: "decimal", value: "-0.5" }, "(-0.5)"],
    [{ type: "boolean", value: true }, "TRUE"],
    [{ type: "boolean", value: false }, "FALSE"],
    [{ type: "binary", value: "AP8=" }, "x'00ff'"],
    [{ type: "binary", value: "" }, "x''"],
    [{ type: "null", value: null }, "NULL"],
    [{ type: "string", value: null }, "NULL"],
  ];
  test.each(table.map(([value, text]) => ({ value, text })))("$value.type: $text", ({ value, text }) => {
    expect(written(value)).toBe(text);
  });
});

const one: BoundValue = { type: "integer", value: 1 };
const text: BoundValue = { type: "string", value: "x" };

describe("a literal stays separate from all tokens beside the placeholder", () => {
  test.each([
    ["SELECT?", one, "SELECT 000000000001 "],
    // With a space, it would be a comment (`-- `).
    ["SELECT 5--?", one, "SELECT 5--000000000001 "],
    ["SELECT 5-?", { type: "integer", value: -1 }, "SELECT 5-(-000000000001) "],
    // Without a space, N'x' and 'a''x' would be one token.
    ["SELECT N?", text, "SELECT N 'x' "],
    ["SELECT 'a'?", text, "SELECT 'a' 'x' "],
    ["SELECT ?'a'", text, "SELECT  'x' 'a'"],
    ["SELECT '?', `?`, \"?\", ?", text, "SELECT '?', `?`, \"?\",  'x' "],
  ] as const)("%s", (sql, value, expected) => {
    expect(interpolate(sql, [value])).toBe(expected);
  });

  test("the content of a value is not parsed: a ? in it is not a placeholder", () => {
    expect(interpolate("SELECT ?, ?", [{ type: "string", value: "?" }, one])).toBe(
      "SELECT  '?' ,  000000000001 ",
    );
  });

  test.each([[[]], [[one, one]]])("if values and placeholders differ, nothing is sent: %j", (values) => {
    // Without values the text stays as it is, and the server refuses the ?.
    if (values.length === 0) expect(interpolate("SELECT ?", values)).toBe("SELECT ?");
    else expect(() => interpolate("SELECT ?", values)).toThrow(expect.objectContaining({ code: "internal" }));
  });
});

describe("for any statement and any values", () => {
  const value: fc.Arbitrary<BoundValue> = fc.oneof(
    fc.oneof(sqlish, fc.string({ unit: "binary" })).map((v) => ({ type: "string" as const, value: v })),
    fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n).map((v) => ({ type: "integer" as const, value: v })),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((v) => ({ type: "number" as const, value: v })),
    fc.boolean().map((v) => ({ type: "boolean" as const, value: v })),
    fc.base64String().map((v) => ({ type: "binary" as const, value: v })),
    fc.constant({ type: "null" as const, value: null }),
  );
  const around = fc.constantFrom("SELECT ", "SELECT 5-", "SELECT 5--", "SELECT 'a'", "SELECT N", "SELECT t.");

  test("the guard sees the same statement, and no placeholder", () => {
    fc.assert(
      fc.property(around, value, value, (head, a, b) => {
        const sql = `${head}?, ?, 'end' FROM t`;
        const judged = classify(interpolate(classify(sql).text, [a, b]));
        expect(judged).toMatchObject({ kind: "read", verb: "SELECT", placeholders: [] });
        expect(judged.text.endsWith(", 'end' FROM t")).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("a string is read back by the rules of SQL's strings", () => {
    const unescaped = (literal: string) =>
      literal.slice(1, -1).replace(/\\(.)/gs, (_, c: string) => {
        const named: Record<string, string> = { 0: "\0", n: "\n", r: "\r", t: "\t", b: "\b", Z: "\u001a" };
        return named[c] ?? c;
      });
    fc.assert(
      fc.property(fc.oneof(sqlish, fc.string({ unit: "binary" })), (v) => {
        expect(unescaped(written({ type: "string", value: v }))).toBe(v);
      }),
    );
  });
});
