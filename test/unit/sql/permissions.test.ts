import { describe, expect, test } from "vitest";
import type { Permission } from "../../../src/sql/permissions.ts";
import { classify } from "../../../src/sql/statement.ts";
import { acceptedShow } from "./show-table.ts";

/** Which permissions each statement needs. */
const table: Record<string, readonly string[]> = {
  read: [
    ...acceptedShow,
    "SELECT * FROM t",
    "EXPLAIN INSERT INTO t SELECT * FROM u",
    "EXPLAIN DELETE FROM t",
  ],
  write: [
    "INSERT INTO t VALUES (?)",
    "INSERT INTO t SET `select` = 1, t.select = 2",
    "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1",
    "REPLACE INTO t VALUES (1)",
    "UPDATE t SET a = 1, b = 2 WHERE c IN (3, 4)",
    "DELETE FROM t WHERE a = 1 AND b IN (1, 2) ORDER BY a, b",
  ],
  "read write": [
    "INSERT INTO t VALUES (1) RETURNING id",
    "DELETE FROM t RETURNING *",
    "INSERT INTO t SELECT * FROM u",
    "INSERT INTO t TABLE u",
    "INSERT INTO t VALUES ((SELECT 1))",
    "REPLACE INTO t WITH x AS (SELECT 1) SELECT * FROM x",
    "UPDATE t SET a = (SELECT MAX(b) FROM u)",
    "UPDATE t, u SET t.a = u.b",
    "UPDATE t JOIN u USING (id) SET t.a = u.b",
    "DELETE FROM t WHERE a IN (SELECT b FROM u)",
    "DELETE t FROM t, u WHERE t.a = u.a",
    "DELETE FROM t USING t JOIN u ON t.a = u.a",
    "WITH x AS (SELECT 1) DELETE FROM t",
    "CALL p()",
    "SELECT * FROM t FOR UPDATE",
    "SELECT * FROM t FOR SHARE",
    "SELECT * FROM t LOCK IN SHARE MODE",
    "TABLE t FOR UPDATE",
    "EXPLAIN SELECT * FROM t FOR UPDATE",
    "SELECT NEXT VALUE FOR s",
    "SELECT NEXTVAL(s)",
    "SELECT DEFAULT(n) FROM t",
  ],
  ddl: [
    "CREATE TABLE t (a INT DEFAULT (1 + 1), b INT DEFAULT (NEXT VALUE FOR s))",
    "CREATE TABLE t (a INT) PARTITION BY LIST (a) (PARTITION p VALUES IN (1))",
    "CREATE TABLE t (a INT) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (1))",
    "CREATE OR REPLACE TEMPORARY TABLE t LIKE u",
    "CREATE INDEX i ON t (a)",
    "CREATE FUNCTION f(a INT) RETURNS INT DETERMINISTIC RETURN a + 1",
    "CREATE DATABASE d",
    "ALTER TABLE t ADD COLUMN a INT, CONVERT TO CHARACTER SET utf8mb4",
    "ALTER EVENT e DISABLE",
    "DROP TABLE t",
    "DROP TRIGGER x",
    "DROP EVENT e",
    "RENAME TABLE t TO u",
    "TRUNCATE TABLE t",
  ],
  "read ddl": [
    "CREATE VIEW v AS SELECT * FROM t",
    "CREATE VIEW v AS TABLE t",
    "ALTER VIEW v AS SELECT 1",
    "CREATE PROCEDURE p() SELECT * FROM t",
    "CREATE PROCEDURE p() TABLE t",
    "CREATE FUNCTION f() RETURNS INT RETURN (SELECT MAX(a) FROM t)",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
  ],
  "write ddl": [
    "CREATE TABLE t VALUES ROW(1)",
    "CREATE TABLE t (a INT) AS VALUES ROW(1)",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t",
    "ALTER EVENT e DO UPDATE t SET a = 1",
    "CREATE PROCEDURE p() INSERT INTO t VALUES (1)",
    "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1",
    "CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW INSERT INTO log VALUES (1)",
    "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u",
    "ALTER TABLE t CONVERT TABLE u TO PARTITION p VALUES LESS THAN (1)",
  ],
  "read write ddl": [
    "CREATE TABLE t SELECT 1 AS a",
    "CREATE TABLE t (a INT) AS (SELECT * FROM u)",
    "CREATE OR REPLACE TABLE t AS WITH x AS (SELECT 1) SELECT * FROM x",
    "CREATE TABLE t TABLE u",
    "CREATE TEMPORARY TABLE t AS SELECT 1",
    "CREATE PROCEDURE p() CALL q()",
    "CREATE PROCEDURE p() SELECT * FROM t FOR UPDATE",
    "CREATE PROCEDURE p() INSERT INTO t SELECT * FROM u",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO INSERT INTO t SELECT * FROM u",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO CALL p()",
    "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET NEW.a = (SELECT MAX(b) FROM u)",
  ],
};

describe.each(Object.entries(table))("%s", (needs, statements) => {
  test.each(statements)("%s", (sql) => {
    expect(classify(sql).needs).toEqual(needs.split(" ") as Permission[]);
  });
});
