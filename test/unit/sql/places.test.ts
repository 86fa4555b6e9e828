import { describe, expect, test } from "vitest";
import { bindJsonValue } from "../../../src/sql/bind-values.ts";
import { compareAloud } from "../../../src/sql/compare-aloud.ts";
import { placesOf } from "../../../src/sql/places.ts";

describe("the place of a placeholder", () => {
  test.each([
    ["SELECT 1 FROM t WHERE a = ?", "equality"],
    ["SELECT 1 FROM t WHERE ? <> a", "equality"],
    ["SELECT 1 FROM t WHERE a != ? AND b <=> ?", "equality equality"],
    ["SELECT 1 FROM t WHERE a = (?) OR (a = ((?)))", "equality equality"],
    ["SELECT 1 FROM t WHERE a = ? COLLATE utf8mb4_bin", "equality"],
    ["SELECT 1 FROM t WHERE a = BINARY ?", "equality"],
    ["SELECT 1 FROM t WHERE a IN (?, ?) AND b NOT IN (?)", "equality equality equality"],
    ["SELECT 1 FROM t WHERE (a, b) = (?, ?)", "equality equality"],
    ["SELECT 1 FROM t WHERE (?, ?) = (a, b)", "equality equality"],
    ["SELECT 1 FROM t WHERE (a, b) IN ((?, ?), (?, ?))", "equality equality equality equality"],
    ["UPDATE t SET a = ?, t.b = (?) WHERE c = ?", "assigned assigned equality"],
    ["UPDATE t, u SET t.a = b = ?, c = (d = ?), e = IF(f = ?, 1, 2)", "equality equality equality"],
    ["UPDATE t SET a = ? + 1, b = ? = c", "other equality"],
    ["INSERT INTO t SET a = ?, b = ?", "assigned assigned"],
    ["SELECT 1 FROM t WHERE NOT a = ?", "equality"],
    ["SELECT IF(a = ?, 1, 0) FROM t", "equality"],
    ["SELECT a = ? FROM t ORDER BY b = ?", "equality equality"],
    [
      "SELECT 1 FROM t WHERE a LIKE ? AND b NOT LIKE ? AND c RLIKE ? AND ? REGEXP d",
      "pattern pattern pattern pattern",
    ],
    ["SELECT 1 FROM t WHERE a < ? OR ? >= a", "order order"],
    ["SELECT 1 FROM t WHERE a BETWEEN ? AND ? AND b = ?", "order order equality"],
    ["SELECT 1 FROM t WHERE ? NOT BETWEEN a AND b", "order"],
    ["SELECT 1 FROM t WHERE a BETWEEN IF(x AND y, 1, 2) AND ?", "order"],
    ["SELECT 1 FROM t WHERE (a, b) > (?, ?)", "order order"],
    ["SELECT GREATEST(a, ?), LEAST(?, b) FROM t", "order order"],
    ["INSERT INTO t VALUES (?, ?), (?, ?)", "assigned assigned assigned assigned"],
    ["INSERT INTO t (a) VALUES ROW(?), ROW(?)", "assigned assigned"],
    ["REPLACE INTO t VALUE (1, ?) ", "assigned"],
    ["INSERT INTO t VALUES (?) ON DUPLICATE KEY UPDATE a = ?, b = b + ?", "assigned assigned other"],
    ["INSERT INTO t VALUES (CONCAT(?, 'x'), (?), ? + 1)", "text assigned other"],
    ["SELECT CONCAT('a', ?), lower(?), SUBSTRING(? FROM 2)", "text text other"],
    ["SELECT ?, ? AS a, ? b, DISTINCT_x FROM t", "value value value"],
    ["SELECT DISTINCT ? FROM t", "value"],
    ["SELECT (?)", "value"],
    ["INSERT INTO t SELECT ?, a FROM t", "value"],
    ["SELECT JSON_OBJECT('a', ?), JSON_ARRAY(?), JSON_ARRAYAGG(?) FROM t", "value value value"],
    ["SELECT CAST(? AS SIGNED), CONVERT(?, CHAR), CONVERT(? USING utf8mb4)", "value value value"],
    ["SELECT ? UNION SELECT ?", "column column"],
    ["SELECT a, ? AS k FROM t HAVING f(a) = k AND COUNT(*) > ?", "column order"],
    ["SELECT ?, (SELECT 1 FROM t HAVING COUNT(*) > 1)", "value"],
    ["SELECT (SELECT ?)", "column"],
    ["SELECT 1 FROM t WHERE a = (SELECT ?)", "column"],
    ["SELECT 1 FROM t WHERE a = ANY (SELECT ? FROM t)", "column"],
    ["WITH c AS (SELECT ? AS a, b FROM t) SELECT a FROM c", "column"],
    ["SELECT * FROM (SELECT 1 AS x, ? AS a) t", "column"],
    ["SELECT * FROM (VALUES ROW(?)) t", "other"],
    ["VALUES ROW(?)", "other"],
    ["SELECT ? + 1, -?, CASE WHEN a THEN ? END, IF(a, ?, ?) FROM t", "other other other other other"],
    [
      "SELECT 1 FROM t WHERE a = ? + 1 AND b =-? AND COALESCE(a, ?) = 1 OR c = 2 * ?",
      "other other other other",
    ],
    ["SELECT 1 FROM t WHERE ? IN (a, b) OR ? NOT IN (?, ?)", "searched searched equality equality"],
    [
      "SELECT 1 FROM t WHERE (? IS NULL OR a = ?) AND ? IS NOT NULL AND ? IS TRUE",
      "value equality value other",
    ],
    ["SELECT 1 FROM t LIMIT ? OFFSET ?", "other other"],
    ["SELECT 1 FROM t WHERE ?", "other"],
    ["SELECT CASE a WHEN ? THEN 1 END FROM t", "other"],
    ["CALL p(?, (?), LOWER(?), ? + 1)", "assigned assigned text other"],
  ])("%s", (sql, places) => {
    expect(placesOf(sql).join(" ")).toBe(places);
  });
});

describe("a value that MariaDB looks up without a warning is put in a function", () => {
  const aloud = (sql: string, ...params: unknown[]) =>
    compareAloud(
      sql,
      params.map((value) => bindJsonValue(value)),
    );

  test("a text, and a fraction", () => {
    expect(aloud("SELECT 1 FROM t WHERE a = ? AND b <=> ?", "6x", 6.5)).toBe(
      "SELECT 1 FROM t WHERE a = CONCAT(?) AND b <=> (? + 0)",
    );
    expect(aloud("SELECT 1 FROM t WHERE a IN (?)", "6x")).toBe("SELECT 1 FROM t WHERE a IN (CONCAT(?))");
    expect(aloud("SELECT 1 FROM t WHERE a = (SELECT ?)", "6x")).toBe(
      "SELECT 1 FROM t WHERE a = (SELECT CONCAT(?))",
    );
  });

  test("no value that is compared one by one, is declared, or has another type", () => {
    for (const [sql, ...params] of [
      ["SELECT 1 FROM t WHERE a IN (?, ?)", "a", "b"],
      ["SELECT 1 FROM t WHERE a = ?", { type: "VARCHAR", value: "6x" }],
      ["SELECT 1 FROM t WHERE a = ? OR a = ? OR a = ?", 6, true, null],
      ["SELECT ? FROM t WHERE a > ? LIMIT ?", "a", "b", "c"],
      ["INSERT INTO t VALUES (?)", "a"],
      ["SELECT 1 FROM t WHERE a LIKE ?", "a"],
    ] as [string, ...unknown[]][])
      expect(aloud(sql, ...params), sql).toBe(sql);
  });

  test("once", () => {
    const once = aloud("SELECT 1 FROM t WHERE a = ?", "6x");
    expect(aloud(once, "6x")).toBe(once);
  });
});

test("places are found in time linear in the text, and without recursion", () => {
  const count = 65_535;
  const marks = Array(count).fill("?").join();
  expect(placesOf(`SELECT 1 FROM t WHERE (${marks}) = (SELECT 1)`)).toEqual(Array(count).fill("equality"));
  const nested = `SELECT 1 FROM t WHERE ${"(".repeat(count)}a${" AND ?)".repeat(count)}`;
  expect(placesOf(nested)).toEqual(Array(count).fill("other"));
  expect(placesOf(`SELECT 1 FROM t WHERE ? ${"NOT ".repeat(count)}LIKE a`)).toEqual(["other"]);
});
