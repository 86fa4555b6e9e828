import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { StatementError } from "../../../src/sql/errors.ts";
import { classify } from "../../../src/sql/guard.ts";
import * as vocabulary from "../../../src/sql/keywords.ts";

/** docs/reference/statements.md must agree with the guard. */
const document = readFileSync(
  join(import.meta.dirname, "..", "..", "..", "docs", "reference", "statements.md"),
  "utf8",
);

const lines = [...document.matchAll(/```sql ([a-z ]+)\n([\s\S]*?)```/g)].flatMap(
  ([, kind = "", block = ""]) =>
    block
      .trim()
      .split("\n")
      .map((sql) => ({ kind, sql })),
);

/** @returns the permissions, or "never" */
function kindOf(sql: string): string {
  try {
    return classify(sql).needs.join(" ");
  } catch (error) {
    if (error instanceof StatementError) return "never";
    throw error;
  }
}

describe("docs/reference/statements.md", () => {
  test("has each permission alone, combinations, and refused statements", () => {
    const kinds = [
      "read",
      "read server",
      "read write",
      "write",
      "ddl",
      "write ddl",
      "read ddl",
      "read write ddl",
    ];
    expect(new Set(lines.map(({ kind }) => kind))).toEqual(new Set([...kinds, "never"]));
  });

  test.each(lines)("$kind: $sql", ({ kind, sql }) => {
    expect(kindOf(sql)).toBe(kind);
  });

  test("names every kind of object for ddl", () => {
    // TABLES and SCHEMA are synonyms of two others.
    const objects = [...vocabulary.schemaObjects].filter((word) => word !== "TABLES" && word !== "SCHEMA");
    const words = document.split(/\W+/);
    expect(objects.filter((word) => !words.includes(word))).toEqual([]);
  });
});
