import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { StatementError } from "../../../src/sql/errors.ts";
import { classify } from "../../../src/sql/statement.ts";
import * as vocabulary from "../../../src/sql/vocabulary.ts";

/** docs/statements.md says what the guard says. */
const document = readFileSync(join(import.meta.dirname, "..", "..", "..", "docs", "statements.md"), "utf8");

const lines = [...document.matchAll(/```sql (\w+)\n([\s\S]*?)```/g)].flatMap(([, kind = "", block = ""]) =>
  block
    .trim()
    .split("\n")
    .map((sql) => ({ kind, sql })),
);

/** @returns the kind, or "never" */
function kindOf(sql: string): string {
  try {
    return classify(sql).kind;
  } catch (error) {
    if (error instanceof StatementError) return "never";
    throw error;
  }
}

describe("docs/statements.md", () => {
  test("has the three kinds, and what is never accepted", () => {
    expect(new Set(lines.map(({ kind }) => kind))).toEqual(new Set(["read", "write", "ddl", "never"]));
  });

  test.each(lines)("$kind: $sql", ({ kind, sql }) => {
    expect(kindOf(sql)).toBe(kind);
  });

  test("names every object that ddl may be about", () => {
    // TABLES and SCHEMA are other words for two of them.
    const objects = [...vocabulary.schemaObjects].filter((word) => word !== "TABLES" && word !== "SCHEMA");
    const words = document.split(/\W+/);
    expect(objects.filter((word) => !words.includes(word))).toEqual([]);
  });
});
