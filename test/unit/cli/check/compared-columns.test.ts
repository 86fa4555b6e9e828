import { expect, test } from "vitest";
import { comparedColumns, comparedKinds } from "../../../../cli/check/compared-columns.ts";
import { tablesOf } from "../../../../cli/check/tables.ts";
import { lex } from "../../../../src/sql/lexer.ts";

test.each<[string, string]>([
  ["SELECT * FROM a", "a"],
  ["SELECT * FROM `A B` AS x, s.b y, c WHERE d = 1 GROUP BY e, f ORDER BY g, h", "a b=x, b=y, c"],
  ["SELECT * FROM a LEFT JOIN b AS z ON z.i = a.i, c", "a, b=z, c"],
  ["SELECT * FROM (SELECT i, j FROM a, b) AS d JOIN (c CROSS JOIN e) USING (i, j)", "a, b, c, e"],
  ["SELECT a, (SELECT b, c FROM t), d FROM u", "t, u"],
  ["WITH x AS (SELECT a FROM t) SELECT * FROM x", "t, x"],
  ["INSERT INTO t (a, b) SELECT c, d FROM u WHERE e IN (1, 2)", "t, u"],
  ["INSERT IGNORE INTO s.t VALUES (1, 2)", "t"],
  ["UPDATE LOW_PRIORITY t AS x, u SET x.a = 1, u.b = 2", "t=x, u"],
  ["DELETE FROM t WHERE a = 1 LIMIT 3", "t"],
])("the tables of %s", (sql, expected) => {
  const tables = tablesOf(lex(sql)).map(({ name, alias }) => (name === alias ? name : `${name}=${alias}`));
  expect(tables.join(", ")).toBe(expected);
});

test.each<[string, string]>([
  ["c = ?", "c"],
  ["t.c <> ?", "t.c"],
  ["s.`T`.`C d` >= ?", "t.c d"],
  ["? <=> c", "c"],
  ["? < t.c AND d = ?", "t.c, d"],
  ["(c = ?)", "c"],
  ["c IN (?, 5, ?)", "c, c"],
  ["c NOT IN (?)", "c"],
  ["c BETWEEN ? AND ?", "c, c"],
  ["t.c NOT BETWEEN 1 AND ?", "t.c"],
  ["CASE WHEN c = ? THEN 1 ELSE 2 END = ?", "c, -"],
  ["c + 1 = ?", "-"],
  ["LOWER(c) = ?", "-"],
  ["c = ? + 1", "-"],
  ["? + 1 = c", "-"],
  ["? = c + 1", "-"],
  ["c LIKE ?", "-"],
  ["? IS NULL OR c = ?", "-, c"],
  ["(c, d) = (?, ?)", "-, -"],
  ["c = 'x' AND ? = 5", "-"],
  ["c COLLATE utf8mb4_bin = ?", "-"],
])("the column beside a placeholder: %s", (condition, expected) => {
  const columns = comparedColumns(`SELECT a FROM t WHERE ${condition}`);
  const texts = columns.map((one) => (one ? [one.table, one.column].filter(Boolean).join(".") : "-"));
  expect(texts.join(", ")).toBe(expected);
});

test("an assignment is no comparison", () => {
  expect(comparedColumns("UPDATE t SET c = ? WHERE d = ?")).toEqual([
    undefined,
    { table: undefined, column: "d" },
  ]);
  expect(comparedColumns("INSERT INTO t (c) VALUES (?)")).toEqual([undefined]);
});

test("the kind is that of the column, if only one is meant", () => {
  const columns = [
    { table: "T", column: "id", type: "bigint" },
    { table: "T", column: "Name", type: "varchar" },
    { table: "T", column: "at", type: "datetime" },
    { table: "u", column: "id", type: "char" },
    { table: "u", column: "price", type: "decimal" },
    { table: "u", column: "size", type: "double" },
    { table: "v", column: "name", type: "int" },
  ];
  const kinds = (sql: string) => comparedKinds(sql, columns);
  expect(
    kinds("SELECT 1 FROM t AS a JOIN u ON price > ? AND size > ? WHERE a.id = ? AND name = ? AND at > ?"),
  ).toEqual([...["decimal", "double", "integer", "text", "other"]]);
  // Both tables have it, with different types.
  expect(kinds("SELECT 1 FROM t JOIN u WHERE id = ? AND u.id = ? AND x.id = ? AND gone = ?")).toEqual([
    ...["other", "text", "other", "other"],
  ]);
});
