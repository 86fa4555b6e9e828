import { describe, expect, test } from "vitest";
import { runsNothingWhenPrepared } from "../../../src/sql/prepared-ahead.ts";

describe("PREPARE runs no part of", () => {
  test.each([
    "SELECT 1",
    "SELECT name FROM countries WHERE code = ?",
    "select count(*), max(c.area) from countries as c where (c.code in (?, ?) or not (c.name like ?)) group by (c.code)",
    "SELECT a.id FROM cities AS a JOIN cities AS b USING (id) WHERE (a.id, b.id) IN ((1, 2)) LIMIT 3 FOR UPDATE",
    "INSERT INTO notes (city_id, body) VALUES (?, ?), (1, 'GET_LOCK(') ON DUPLICATE KEY UPDATE body = VALUES(body)",
    "INSERT INTO world.notes (body) SELECT name FROM countries WHERE code = ?",
    "INSERT INTO `world`.`get_lock` (body) VALUES (?)",
    "UPDATE notes SET body = CONCAT(body, ?) WHERE id = ?",
    "DELETE FROM notes WHERE id = ?",
    "REPLACE INTO notes (id) VALUES (1)",
  ])("%s", (sql) => expect(runsNothingWhenPrepared(sql)).toBe(true));
});

describe("PREPARE may run a part of", () => {
  test.each([
    "SELECT GET_LOCK('x', 30)",
    "SELECT get_lock ('x', 30)",
    "SELECT `GET_LOCK`('x', 30)",
    "SELECT `count`(1)",
    "SELECT IF(GET_LOCK('x', 0), 1, 2)",
    "SELECT LAST_INSERT_ID(42)",
    "SELECT SLEEP(?)",
    "SELECT world.f(1)",
    "SELECT code FROM countries WHERE code = (SELECT MAX(code) FROM countries)",
    "SELECT ((SELECT 1))",
    "SELECT (WITH a AS (SELECT 1) SELECT * FROM a)",
    "SELECT (TABLE numbers)",
    "SELECT (VALUES ROW(1))",
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "EXPLAIN SELECT 1",
    "SHOW TABLES",
    "TABLE numbers",
    "ALTER TABLE notes ADD x INT",
    "INSERT INTO notes (body) VALUES (GET_LOCK('x', 0))",
    "INSERT notes (body) VALUES (1)",
    "",
    "SELECT 'not closed",
  ])("%s", (sql) => expect(runsNothingWhenPrepared(sql)).toBe(false));
});
