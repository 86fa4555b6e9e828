import { describe, expect, test } from "vitest";
import { classify, type StatementKind } from "../../../src/sql/statement.ts";

type Row = [sql: string, verb: string];

function accepts(kind: StatementKind, table: Row[]): void {
  test.each(table)("%s: %s", (sql, verb) => {
    expect(classify(sql)).toMatchObject({ kind, verb });
  });
}

describe("reads", () => {
  accepts("read", [
    ["SELECT 1", "SELECT"],
    ["select 1", "SELECT"],
    ["SeLeCt 1;", "SELECT"],
    [" \n\tSELECT 1 ; \n", "SELECT"],
    ["SELECT 1;-- x", "SELECT"],
    ["SELECT 1; /* done */ # really", "SELECT"],
    ["/* a */ -- b\n# c\nSELECT 1", "SELECT"],
    ["SELECT/**/1", "SELECT"],
    ["SELECT ';'", "SELECT"],
    ["SELECT ';', \"; DROP TABLE t\", `;`", "SELECT"],
    ["SELECT 'it''s; /*! DROP */'", "SELECT"],
    ["SELECT '\\'; DROP TABLE t; -- '", "SELECT"],
    ["SELECT 'INTO OUTFILE'", "SELECT"],
    ["SELECT `into` FROM t", "SELECT"],
    ["SELECT -- INTO OUTFILE 'x'\n1", "SELECT"],
    ["SELECT * FROM t WHERE a = ? AND b IN (?, ?) LIMIT ?", "SELECT"],
    ["SELECT replace(a, 'b', 'c'), insert(a, 1, 1, 'x') FROM t", "SELECT"],
    ["SELECT @@version, @a", "SELECT"],
    ["SELECT /*+ MAX_EXECUTION_TIME(1000) */ 1", "SELECT"],
    ["SELECT 1 FROM t USE INDEX FOR ORDER BY (i)", "SELECT"],
    ["SELECT * FROM t FOR SYSTEM_TIME AS OF '2026-01-01'", "SELECT"],
    ["SELECT intro, intonation FROM settings", "SELECT"],
    ["SELECT `for update`, 'lock in share mode' FROM t", "SELECT"],
    ["SELECT GET_LOCK('a', 1), SLEEP(1)", "SELECT"],
    ["SELECT a FROM 2fa_codes", "SELECT"],
    ["SELECT SUBSTRING(a FROM 1 FOR 2) FROM t", "SELECT"],
    ["SELECT 1 UNION SELECT 2", "SELECT"],
    ["(SELECT 1)", "SELECT"],
    ["((SELECT 1) UNION (SELECT 2)) LIMIT 1", "SELECT"],
    ["(TABLE t)", "TABLE"],
    ["(WITH x AS (SELECT 1) SELECT * FROM x)", "SELECT"],
    ["TABLE t ORDER BY a LIMIT 1", "TABLE"],
    ["VALUES ROW(1, 2), ROW(3, 4)", "VALUES"],
    ["WITH x AS (SELECT 1) SELECT * FROM x", "SELECT"],
    [
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT * FROM n",
      "SELECT",
    ],
    ["WITH a AS (SELECT ')'), `b` (c, d) AS (SELECT 1, 2) TABLE a", "TABLE"],
    ["WITH a AS (SELECT 1) (SELECT * FROM a)", "SELECT"],
    ["WITH update_ AS (SELECT 1) SELECT 1", "SELECT"],
    ["WITH RECURSIVE c AS (SELECT 1) CYCLE a, b RESTRICT SELECT 1", "SELECT"],
    ["WITH x AS (WITH y AS (SELECT 1) SELECT * FROM y) SELECT * FROM x", "SELECT"],
    ["SHOW TABLES", "SHOW"],
    ["SHOW CREATE TABLE t", "SHOW"],
    ["SHOW GRANTS", "SHOW"],
    ["DESCRIBE t", "DESCRIBE"],
    ["DESC db.t", "DESCRIBE"],
    ["DESC `t` 'a%'", "DESCRIBE"],
    ["DESCRIBE format", "DESCRIBE"],
    ["DESC plan", "DESCRIBE"],
    ["EXPLAIN t a", "EXPLAIN"],
    ["EXPLAIN SELECT 1", "EXPLAIN"],
    ["EXPLAIN FORMAT=JSON SELECT 1", "EXPLAIN"],
    ["EXPLAIN FORMAT = 'brief' SELECT 1", "EXPLAIN"],
    ["EXPLAIN EXTENDED SELECT 1", "EXPLAIN"],
    ["EXPLAIN (SELECT 1)", "EXPLAIN"],
    ["EXPLAIN WITH x AS (SELECT 1) SELECT * FROM x", "EXPLAIN"],
    ["EXPLAIN INSERT INTO t VALUES (1)", "EXPLAIN"],
    ["EXPLAIN UPDATE t SET a = 1", "EXPLAIN"],
    ["EXPLAIN DELETE FROM t", "EXPLAIN"],
    ["EXPLAIN REPLACE INTO t VALUES (1)", "EXPLAIN"],
    ["EXPLAIN FOR CONNECTION 12", "EXPLAIN"],
    ["EXPLAIN ANALYZE SELECT 1", "EXPLAIN"],
    ["EXPLAIN ANALYZE FORMAT=TREE SELECT 1", "EXPLAIN"],
    ["EXPLAIN ANALYZE TABLE t", "EXPLAIN"],
    ["DESC SELECT 1", "DESCRIBE"],
    ["ANALYZE SELECT 1", "ANALYZE"],
    ["ANALYZE FORMAT=JSON SELECT 1", "ANALYZE"],
  ]);
});

describe("writes", () => {
  accepts("write", [
    ["INSERT INTO t VALUES (1)", "INSERT"],
    ["INSERT t VALUES (1)", "INSERT"],
    ["INSERT IGNORE INTO t SELECT * FROM u", "INSERT"],
    ["INSERT LOW_PRIORITY IGNORE INTO t SET a = 1", "INSERT"],
    ["INSERT HIGH_PRIORITY INTO t () VALUES ()", "INSERT"],
    ["INSERT/* x */INTO t VALUES (';')", "INSERT"],
    ["INSERT /*+ NO_INDEX_MERGE(t) */ INTO t VALUES (1)", "INSERT"],
    ["INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = a + 1", "INSERT"],
    ["INSERT INTO t VALUES (1) RETURNING id", "INSERT"],
    ["INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x", "INSERT"],
    ["REPLACE INTO t VALUES (1)", "REPLACE"],
    ["REPLACE DELAYED INTO t VALUES (1)", "REPLACE"],
    ["UPDATE t SET a = 1 WHERE b = ?", "UPDATE"],
    ["DELETE FROM t WHERE a = ?", "DELETE"],
    ["DELETE FROM t RETURNING a", "DELETE"],
    ["WITH x AS (SELECT 1) DELETE FROM t WHERE a IN (SELECT * FROM x)", "DELETE"],
    ["WITH x AS (SELECT 1) UPDATE t SET a = 1", "UPDATE"],
    ["WITH `select` AS (SELECT 1) DELETE FROM t", "DELETE"],
    ["CALL p(1, ?)", "CALL"],
    ["SELECT * FROM t FOR UPDATE", "SELECT"],
    ["SELECT * FROM t FOR UPDATE SKIP LOCKED", "SELECT"],
    ["SELECT * FROM t FOR/**/SHARE OF t NOWAIT", "SELECT"],
    ["SELECT * FROM t LOCK IN SHARE MODE", "SELECT"],
    ["SELECT * FROM (SELECT * FROM t FOR UPDATE) x", "SELECT"],
    ["(SELECT * FROM t FOR UPDATE)", "SELECT"],
    ["WITH x AS (SELECT * FROM t FOR UPDATE) SELECT * FROM x", "SELECT"],
    ["TABLE t FOR UPDATE", "TABLE"],
    ["EXPLAIN SELECT * FROM t FOR UPDATE", "EXPLAIN"],
    ["EXPLAIN ANALYZE SELECT * FROM t FOR SHARE", "EXPLAIN"],
    ["SELECT NEXT VALUE FOR s", "SELECT"],
    ["SELECT NEXTVAL(s)", "SELECT"],
    ["SELECT setval(s, 1)", "SELECT"],
  ]);
});

describe("schema changes", () => {
  accepts("ddl", [
    ["CREATE TABLE t (a INT)", "CREATE"],
    ["CREATE TABLE t AS SELECT 1", "CREATE"],
    ["CREATE OR REPLACE TABLE t (a INT)", "CREATE"],
    ["CREATE TEMPORARY TABLE t (a INT)", "CREATE"],
    ["CREATE UNIQUE INDEX i ON t (a)", "CREATE"],
    ["CREATE FULLTEXT INDEX i ON t (a)", "CREATE"],
    ["CREATE SPATIAL INDEX i ON t (a)", "CREATE"],
    ["CREATE VIEW v AS SELECT 1", "CREATE"],
    ["CREATE OR REPLACE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW v AS SELECT 1", "CREATE"],
    ["CREATE SQL SECURITY DEFINER VIEW v AS SELECT 1", "CREATE"],
    ["CREATE DATABASE IF NOT EXISTS d", "CREATE"],
    ["CREATE SCHEMA d", "CREATE"],
    ["CREATE SEQUENCE s", "CREATE"],
    ["CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.b = 1, NEW.c = (SELECT 1, 2)", "CREATE"],
    ["CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW FOLLOWS u INSERT INTO log VALUES (NEW.id)", "CREATE"],
    ["CREATE TRIGGER t AFTER DELETE ON a FOR EACH ROW UPDATE c SET n = n - 1", "CREATE"],
    ["CREATE PROCEDURE p() SELECT 1", "CREATE"],
    [
      "CREATE PROCEDURE d.p(IN a INT, OUT b DECIMAL(10, 2)) READS SQL DATA SQL SECURITY INVOKER SELECT 1",
      "CREATE",
    ],
    ["CREATE PROCEDURE IF NOT EXISTS p() COMMENT 'x' NOT DETERMINISTIC INSERT INTO t VALUES (1)", "CREATE"],
    ["CREATE FUNCTION f(a INT) RETURNS INT DETERMINISTIC RETURN a + 1", "CREATE"],
    ["CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t", "CREATE"],
    ["ALTER TABLE t ADD COLUMN b INT", "ALTER"],
    ["ALTER TABLE t REORGANIZE PARTITION p INTO (PARTITION q VALUES LESS THAN (1))", "ALTER"],
    ["ALTER ONLINE IGNORE TABLE t DROP COLUMN b", "ALTER"],
    ["ALTER VIEW v AS SELECT 1", "ALTER"],
    ["ALTER DATABASE d CHARACTER SET utf8mb4", "ALTER"],
    ["ALTER EVENT e DISABLE", "ALTER"],
    ["ALTER EVENT e DO UPDATE t SET a = 1", "ALTER"],
    ["ALTER PROCEDURE p SQL SECURITY INVOKER", "ALTER"],
    ["DROP TABLE IF EXISTS t, u", "DROP"],
    ["DROP TEMPORARY TABLE t", "DROP"],
    ["DROP INDEX i ON t", "DROP"],
    ["DROP VIEW v", "DROP"],
    ["DROP DATABASE d", "DROP"],
    ["DROP PROCEDURE p", "DROP"],
    ["DROP TRIGGER t", "DROP"],
    ["RENAME TABLE a TO b", "RENAME"],
    ["TRUNCATE TABLE t", "TRUNCATE"],
    ["TRUNCATE t", "TRUNCATE"],
  ]);
});

describe("the text that travels", () => {
  const table: [string, string][] = [
    ["  SELECT 1 ;  ", "SELECT 1"],
    ["/* a */ SELECT 1 -- b", "SELECT 1"],
    ["SELECT/* a */1", "SELECT 1"],
    ["SELECT 1 -- a\n+ 2", "SELECT 1  \n+ 2"],
    ["SELECT /* a\nb\n*/ 1", "SELECT  \n\n 1"],
    ["SELECT /*+ BKA(t) */ 1", "SELECT /*+ BKA(t) */ 1"],
    ["SELECT '/* a */', \"-- b\", `# c`", "SELECT '/* a */', \"-- b\", `# c`"],
    ["SELECT ? /* ? */, :a # :b\n, :c", "SELECT ?  , :a  \n, :c"],
  ];
  test.each(table)("%j", (sql, expected) => {
    expect(classify(sql).text).toBe(expected);
  });

  test("keeps the placeholders' places in both texts", () => {
    const sql = "/* x */ SELECT :a /* ? */, ':b', ? /* y */ + :jwt.sub;";
    const { text, placeholders } = classify(sql);
    expect(placeholders.map(({ name }) => name)).toEqual(["a", null, "jwt.sub"]);
    expect(placeholders.map(({ start, end }) => text.slice(start, end))).toEqual([":a", "?", ":jwt.sub"]);
    expect(placeholders.map(({ sourceStart }) => sql.slice(sourceStart, sourceStart + 2))).toEqual([
      ":a",
      "? ",
      ":j",
    ]);
  });
});
