import { expect, test } from "vitest";
import { typeWarnings } from "../../../../cli/check/type-warnings.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";
import type { Kind } from "../../../../src/db/mysql/values/derived-types.ts";

/** @returns the line and a short form of the message of each warning */
function warn(text: string, ...kinds: Kind[]): string[] {
  const warnings = typeWarnings({ name: "q.sql", text }, parseQuery("q.sql", text), kinds);
  return warnings.map(({ file, line, message }) => {
    expect(file).toBe("q.sql");
    const says = message.includes("meets text:")
      ? "meets text"
      : message.includes("for text")
        ? "taken for text"
        : message.includes("a date")
          ? "date"
          : "number";
    const advice = /(?:Declare it as|Use another \w+ there, declared as) [\w, ]+/.exec(message)?.[0];
    return `${line} ${says} ${advice}`;
  });
}

const numbers = ["integer", "number", "decimal", "boolean"];
const texts = ["string", "date", "datetime"];
const one = (type: string, condition: string) =>
  `-- A query.\n-- @param v ${type} required\nSELECT 1 FROM t WHERE ${condition}`;

test.each(numbers)("%s", (type) => {
  for (const kind of ["integer", "decimal", "double", "other"] as const) {
    expect(warn(one(type, "c = :v"), kind)).toEqual([]);
  }
  for (const condition of ["c = :v", "c <> :v", "c IN (:v, 1)", "c > :v", "c BETWEEN :v AND 'x'"]) {
    expect(warn(one(type, condition), "text")).toEqual(["2 meets text Declare it as string"]);
  }
  for (const condition of ["c = IF(d, :v, 'a')", "c = (SELECT :v)", "c = CASE WHEN d THEN :v END"]) {
    expect(warn(one(type, condition), "text")).toEqual([
      "2 taken for text Declare it as string, or say with CAST",
    ]);
  }
  for (const condition of [":v IS NULL", "c = CONCAT(:v, 'x')", "c = CAST(:v AS SIGNED)", "c LIKE :v"]) {
    expect(warn(one(type, condition), "text")).toEqual([]);
  }
  expect(warn(one(type, "c = :v"), "date")).toEqual(["2 date Declare it as date, datetime or string"]);
});

test.each(texts)("%s", (type) => {
  for (const kind of ["text", "date", "other"] as const) {
    expect(warn(one(type, "c = :v"), kind)).toEqual([]);
  }
  expect(warn(one(type, "c = :v"), "integer")).toEqual(["2 number Declare it as integer"]);
  expect(warn(one(type, "c > :v"), "decimal")).toEqual(["2 number Declare it as decimal"]);
  expect(warn(one(type, "c < :v + 1e0"), "double")).toEqual(["2 number Declare it as number"]);
  expect(warn(one(type, "c = CAST(:v AS SIGNED)"), "integer")).toEqual([]);
});

test("a value that is only stored or shown gives no warning", () => {
  const text = "-- @param v integer required\nINSERT INTO t (a, b) SELECT :v, b FROM t WHERE b = 1";
  expect(warn(text, "text")).toEqual([]);
  expect(warn("-- @param v integer\nINSERT INTO t (a) VALUES (:v)", "text")).toEqual([]);
});

test("lists", () => {
  expect(warn(one("integer[]", "c IN (:v)").replace(" required", ""), "text")).toEqual([
    "2 meets text Declare it as string",
  ]);
  expect(warn(one("string[]", "c IN (:v)").replace(" required", ""), "integer")).toEqual([
    "2 number Declare it as integer",
  ]);
});

test("claims: a declared one has its type, an undeclared one the type beside it", () => {
  const text = `-- @claim uid integer
-- @claim tenant "https://example.com/tenant-id" string
SELECT 1 FROM t WHERE a = :jwt.uid AND b = :jwt.tenant AND c = :jwt.sub AND d = :jwt.sub`;
  expect(warn(text, "text", "integer", "integer", "text")).toEqual([
    "1 meets text Declare it as string",
    "2 number Declare it as integer",
  ]);
});

test("a parameter beside text and beside a number fits neither", () => {
  const text = one("integer", "(:v IS NULL OR a = :v) AND b = :v");
  expect(warn(text, "text", "integer", "text")).toEqual([
    "2 meets text Use another parameter there, declared as string",
  ]);
  // A value of any type can be compared with NULL.
  expect(warn(text, "text", "text", "text")).toEqual(["2 meets text Declare it as string"]);
  const other = one("string", "a = :v AND b = :v");
  expect(warn(other, "integer", "text")).toEqual([
    "2 number Use another parameter there, declared as integer",
  ]);
});

test("each parameter is named with its line, once for each mismatch", () => {
  const text = `-- @param a integer required
--
-- @param b string required
SELECT 1 FROM t WHERE c = :a AND d > :a AND e > :a AND f = :b AND g = :b`;
  expect(warn(text, "text", "text", "date", "integer", "integer")).toEqual([
    "1 meets text Declare it as string",
    "1 date Declare it as date, datetime or string",
    "3 number Declare it as integer",
  ]);
});

test("if fewer types arrive than placeholders, only this is reported", () => {
  const text = one("integer", "c = :v AND d = :v");
  expect(typeWarnings({ name: "q.sql", text }, parseQuery("q.sql", text), ["text"])).toEqual([
    {
      file: "q.sql",
      line: 3,
      column: 1,
      message: expect.stringMatching(/^the declared types were not compared: /),
    },
  ]);
});

test("messages quote only the declaration", () => {
  const text = "-- @param v string default \"secret\"\nSELECT 1 FROM t WHERE c = :v AND d = 'hidden'";
  const [warning] = typeWarnings({ name: "q.sql", text }, parseQuery("q.sql", text), ["integer"]);
  expect(warning?.message).toMatch(/^:v is declared string /);
  expect(warning?.message).not.toMatch(/secret|hidden/);
});
