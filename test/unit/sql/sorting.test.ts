import { describe, expect, test } from "vitest";
import { StatementError } from "../../../src/sql/errors.ts";
import { classify } from "../../../src/sql/guard.ts";

describe("a parameter to sort by is refused", () => {
  const table = [
    "SELECT a FROM t ORDER BY ?",
    "SELECT a FROM t ORDER BY :name",
    "select a from t order by ? desc",
    "SELECT a FROM t ORDER BY ? ASC LIMIT 5",
    "SELECT a FROM t ORDER /* x */ BY /* y */ ?;",
    "SELECT a FROM t ORDER BY (?)",
    "SELECT a FROM t ORDER BY ((?)) DESC",
    "SELECT a FROM t ORDER BY a, ?",
    "SELECT a FROM t ORDER BY FIELD(a, 1), ?, b",
    "SELECT a FROM t ORDER BY ?, a",
    "SELECT a FROM t ORDER BY -?",
    "SELECT a FROM t ORDER BY ? + 0",
    "SELECT a FROM t ORDER BY 1 + :n",
    "SELECT a FROM t ORDER BY ? = ?",
    "SELECT a FROM t ORDER BY ? IS NOT NULL",
    "SELECT a FROM t ORDER BY ? COLLATE utf8mb4_bin",
    "SELECT a FROM t ORDER BY BINARY ?",
    "SELECT a FROM t ORDER BY CAST(? AS DECIMAL(10, 2))",
    "SELECT a FROM t ORDER BY CONVERT(? USING utf8mb4)",
    "SELECT a FROM t ORDER BY CONCAT('`', ?, '`')",
    "SELECT a FROM t ORDER BY coalesce(?, 'a')",
    "SELECT a FROM t ORDER BY (SELECT ?)",
    "SELECT COUNT(*) FROM t GROUP BY ?",
    "SELECT COUNT(*) FROM t GROUP BY a, ? WITH ROLLUP",
    "SELECT COUNT(*) FROM t GROUP BY ROLLUP (a, ?)",
    "SELECT COUNT(*) FROM t GROUP BY ROLLUP (?)",
    "SELECT COUNT(*) FROM t GROUP BY ? HAVING COUNT(*) > 1",
    "SELECT COUNT(*) FROM t GROUP BY ? ORDER BY a",
    "SELECT COUNT(*) FROM t GROUP BY a ORDER BY ?",
    "SELECT a FROM t UNION SELECT b FROM u ORDER BY ?",
    "(SELECT a FROM t ORDER BY ?) UNION (SELECT 1)",
    "SELECT * FROM (SELECT a FROM t ORDER BY ? LIMIT 2) x",
    "SELECT * FROM t WHERE a IN (SELECT b FROM u GROUP BY ?)",
    "WITH x AS (SELECT a FROM t ORDER BY ? LIMIT 1) SELECT * FROM x",
    "SELECT GROUP_CONCAT(a ORDER BY ?) FROM t",
    "SELECT GROUP_CONCAT(DISTINCT a ORDER BY ? DESC SEPARATOR ', ') FROM t",
    "SELECT ROW_NUMBER() OVER (ORDER BY ?) FROM t",
    "SELECT ROW_NUMBER() OVER (PARTITION BY ? ORDER BY a) FROM t",
    "SELECT SUM(a) OVER (PARTITION BY a ORDER BY ? ROWS UNBOUNDED PRECEDING) FROM t",
    "SELECT SUM(a) OVER w FROM t WINDOW w AS (PARTITION BY a ORDER BY ?)",
    "SELECT a FROM t ORDER BY ? FOR UPDATE",
    "SELECT a FROM t ORDER BY b IN (SELECT c FROM u ORDER BY ?)",
    "TABLE t ORDER BY ?",
    "UPDATE t SET a = 1 ORDER BY ? LIMIT 1",
    "DELETE FROM t ORDER BY ? LIMIT 1",
    "DELETE FROM t ORDER BY ? RETURNING a",
    "INSERT INTO t SELECT a FROM u ORDER BY ? LIMIT 1 ON DUPLICATE KEY UPDATE a = 1",
    "INSERT INTO t SELECT a FROM u GROUP BY ? ON DUPLICATE KEY UPDATE a = 1",
    "EXPLAIN SELECT a FROM t ORDER BY ?",
  ];
  test.each(table)("%s", (sql) => {
    expect(() => classify(sql)).toThrow(expect.objectContaining({ reason: "sorted_by_parameter" }));
  });

  test("and the error has its position and advice", () => {
    const sql = "SELECT a FROM t WHERE b = ?\nORDER BY a, (? )";
    try {
      classify(sql);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(StatementError);
      expect(sql.slice((error as StatementError).offset)).toBe("? )");
      expect((error as StatementError).message).toMatch(/^A parameter is a value, .* with CASE\.$/);
    }
  });
});

describe("an item that differs between rows is accepted", () => {
  test.each([
    "SELECT a FROM t ORDER BY a LIMIT ?",
    "SELECT a FROM t ORDER BY a LIMIT ? OFFSET ?",
    "SELECT a FROM t ORDER BY a LIMIT ?, ?",
    "SELECT a FROM t ORDER BY FIELD(a, ?)",
    "SELECT a FROM t ORDER BY FIELD(a, ?, ?), b DESC",
    "SELECT a FROM t ORDER BY a = ?",
    "SELECT a FROM t ORDER BY ? = a DESC",
    "SELECT a FROM t ORDER BY `a` + ?",
    "SELECT a FROM t ORDER BY ABS(a - ?)",
    "SELECT a FROM t ORDER BY ? - offset",
    "SELECT a FROM t ORDER BY ? = t.offset",
    "SELECT a FROM t ORDER BY date = ?, time = ?",
    "SELECT a FROM t ORDER BY RAND(?)",
    "SELECT a FROM t ORDER BY CASE ? WHEN 'a' THEN a WHEN 'b' THEN b END",
    "SELECT a FROM t ORDER BY CASE WHEN ? THEN a ELSE b END DESC",
    "SELECT a FROM t ORDER BY IF(?, a, b)",
    "SELECT a FROM t ORDER BY a COLLATE utf8mb4_bin = ?",
    "SELECT a FROM t ORDER BY (SELECT MAX(c) FROM u WHERE u.a = t.a AND c > ?)",
    "SELECT a FROM t ORDER BY b IN (?, ?)",
    "SELECT a FROM t ORDER BY MATCH (a) AGAINST (?) DESC",
    "SELECT a FROM t ORDER BY '?', a",
    "SELECT a, ? AS n FROM t ORDER BY n",
    "SELECT a + ? AS n, COUNT(*) FROM t GROUP BY n HAVING COUNT(*) > ? ORDER BY n",
    "SELECT YEAR(a + INTERVAL ? DAY), COUNT(*) FROM t GROUP BY YEAR(a + INTERVAL ? DAY)",
    "SELECT GROUP_CONCAT(a ORDER BY b SEPARATOR ?) FROM t WHERE c = ?",
    "SELECT SUM(a) OVER (PARTITION BY b ORDER BY c ROWS BETWEEN ? PRECEDING AND CURRENT ROW) FROM t",
    "SELECT COUNT(*) FROM t GROUP BY ROLLUP (a, b + ?)",
    "SELECT 1 FROM t USE INDEX FOR ORDER BY (i) WHERE a = ?",
    "SELECT * FROM (SELECT a FROM t ORDER BY a LIMIT ?) x WHERE a = ?",
    "SELECT a FROM t GROUP BY a UNION SELECT ?",
    "INSERT INTO t SELECT a FROM u ORDER BY a ON DUPLICATE KEY UPDATE a = ?",
    "UPDATE t SET a = ? WHERE b = ? ORDER BY b LIMIT ?",
    "SELECT 1 ORDER BY 1",
  ])("%s", (sql) => {
    expect(() => classify(sql)).not.toThrow();
  });
});

test("a deep statement is judged in time linear in its length", () => {
  const depth = 20_000;
  const sql = `SELECT 1 ORDER BY ${"(SELECT a ORDER BY ".repeat(depth)}b${")".repeat(depth)}`;
  expect(() => classify(sql)).not.toThrow();
});
