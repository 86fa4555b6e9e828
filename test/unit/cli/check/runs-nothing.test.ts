import { expect, test } from "vitest";
import { explainsAlone, preparesAlone } from "../../../../cli/check/runs-nothing.ts";

const hidden = { views: new Set(["recent_notes"]), schemas: new Set(["other"]), subqueries: false };

/** Whether TiDB's PREPARE, and EXPLAIN of MySQL, MariaDB and TiDB run nothing, as measured on the servers. */
test.each<[string, string]>([
  ["SELECT a FROM t WHERE b = 5 ORDER BY c LIMIT 5", "yes yes yes yes"],
  ["INSERT INTO t (a, b) VALUES (1, UPPER('x')), (2, NOW())", "yes yes yes yes"],
  ["UPDATE t SET a = COALESCE(b, 1) WHERE c IN (1, 2)", "yes yes yes yes"],
  ["SELECT a FROM t WHERE b = SLEEP(1)", "no no no no"],
  ["SELECT a FROM t WHERE b = GET_LOCK('x', 1)", "no no no no"],
  ["SELECT a FROM t WHERE b = stored(1)", "no no no no"],
  ["SELECT a FROM t WHERE b = s.LOWER(1)", "no no no no"],
  ["SELECT a FROM t WHERE b = `lower`(1)", "no no no no"],
  ["SELECT a FROM t WHERE b = (@x := 1)", "no no no no"],
  ["SELECT a FROM recent_notes", "yes no no no"],
  ["SELECT a FROM `Recent_Notes` AS r", "yes no no no"],
  ["SELECT a FROM other.t", "yes no no no"],
  ["SELECT a FROM t WHERE b = (SELECT MAX(c) FROM u)", "no no yes yes"],
  ["SELECT a, (SELECT COUNT(*) FROM u) AS n FROM t", "no no yes yes"],
  ["SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u)", "no no yes yes"],
  ["INSERT INTO t (a) VALUES ((SELECT MAX(c) FROM u))", "no no yes yes"],
  ["SELECT a FROM t WHERE b IN (SELECT c FROM u)", "yes yes yes yes"],
  ["SELECT a FROM t WHERE b > ALL (SELECT c FROM u)", "yes yes yes yes"],
  ["SELECT a FROM (SELECT b, MAX(c) AS a FROM u GROUP BY b) AS x", "yes yes yes yes"],
  ["SELECT a FROM (SELECT MAX(c) AS a FROM u) AS x", "yes no yes yes"],
  ["SELECT a FROM (SELECT c AS a FROM u LIMIT 1) AS x", "yes no yes yes"],
  ["SELECT a FROM (SELECT 1 AS a) AS x", "yes no yes yes"],
  ["WITH x AS (SELECT c FROM u) SELECT c FROM x", "yes yes yes yes"],
  ["WITH x AS (SELECT MAX(c) AS c FROM u) SELECT c FROM x", "yes no yes yes"],
  ["(SELECT a FROM t) UNION ALL (SELECT b FROM u)", "yes yes yes yes"],
  ["INSERT INTO t (a) SELECT b FROM u WHERE c > 5", "yes yes yes yes"],
  ["INSERT INTO t (a, b) VALUES (1, DEFAULT)", "no yes yes no"],
  ["UPDATE t SET b = DEFAULT WHERE a = 1", "no yes yes no"],
  ["CALL p()", "no no no no"],
  ["SHOW TABLES", "no no no no"],
])("%s", (sql, expected) => {
  const says = [
    preparesAlone(sql),
    ...(["mysql", "mariadb", "tidb"] as const).map((engine) => explainsAlone(sql, engine, hidden)),
  ];
  expect(says.map((alone) => (alone ? "yes" : "no")).join(" ")).toBe(expected);
});

test("a TiDB that does not know the variable runs subqueries", () => {
  const old = { ...hidden, subqueries: true };
  expect(explainsAlone("SELECT a FROM t WHERE b = (SELECT MAX(c) FROM u)", "tidb", old)).toBe(false);
  expect(explainsAlone("SELECT a FROM t WHERE b IN (SELECT c FROM u)", "tidb", old)).toBe(true);
});
