import { describe, expect, test } from "vitest";
import { classify } from "../../../src/sql/guard.ts";
import * as vocabulary from "../../../src/sql/keywords.ts";
import { accepted, refused } from "../../statements/statement-table.ts";

describe("the table", () => {
  test.each(accepted.map(([kind, verb, sql]) => ({ kind, verb, sql })))(
    "$kind $verb: $sql",
    ({ kind, verb, sql }) => {
      expect(classify(sql)).toMatchObject({ kind, verb });
    },
  );

  test.each(refused)("%s: %j", (reason, sql) => {
    expect(() => classify(sql)).toThrow(expect.objectContaining({ name: "StatementError", reason }));
  });

  test("has no statement twice, and enough of each kind", () => {
    const all = [...accepted.map(([, , sql]) => sql), ...refused.map(([, sql]) => sql)];
    expect(all.filter((sql, i) => all.indexOf(sql) !== i)).toEqual([]);
    const kinds = Object.groupBy(accepted, ([kind]) => kind);
    for (const rows of [kinds.read, kinds.write, kinds.ddl]) expect(rows?.length).toBeGreaterThan(30);
    expect(refused.length).toBeGreaterThan(450);
    expect(all.length).toBeGreaterThan(700);
  });

  test("has every word that is never accepted", () => {
    const statements = refused.flatMap(([reason, sql]) => (reason === "not_allowed" ? [sql] : []));
    const verbs = statements.map((sql) => /^\w+/.exec(sql)?.[0]);
    expect([...vocabulary.refused.keys()].filter((word) => !verbs.includes(word))).toEqual([]);
    const objects = statements.filter((sql) => /^(?:CREATE|ALTER|DROP|RENAME) /.test(sql)).join(" ");
    const missing = [...vocabulary.refusedObjects.keys()].filter(
      (word) => !objects.split(/\W/).includes(word),
    );
    expect(missing).toEqual([]);
  });
});

describe("RETURNING", () => {
  test.each([
    "INSERT INTO t (a) VALUES (?) RETURNING id, a",
    "INSERT INTO t SET a = 1 RETURNING *",
    "INSERT INTO t SELECT * FROM u RETURNING (SELECT MAX(b) FROM v)",
    "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 2 RETURNING id;",
    "REPLACE INTO t VALUES (1)\nreturning id",
    "DELETE FROM t WHERE a = 'returning' /* RETURNING */ Returning a",
    "DELETE FROM t WHERE a = 1.5 RETURNING a",
    "DELETE FROM t WHERE t.returning = 1 RETURNING 1",
    "DELETE FROM t WHERE a = :returning RETURNING/**/a",
    "DELETE FROM t WHERE b = `returning`RETURNING b",
  ])("is in %s", (sql) => {
    expect(classify(sql)).toMatchObject({ kind: "write", returning: true });
  });

  test.each([
    "INSERT INTO t (a, b) VALUES ('it''s RETURNING a', \"RETURNING\")",
    "INSERT INTO t VALUES ('\\' RETURNING a')",
    "INSERT INTO `returning` (`returning`, returning) VALUES (1, 2)",
    "INSERT INTO t VALUES (1) -- RETURNING a",
    "INSERT INTO t VALUES (1) # RETURNING a",
    "INSERT /* RETURNING a */ INTO t VALUES (1)",
    "INSERT /*+ NO_MERGE(RETURNING) */ INTO t VALUES (1)",
    "INSERT INTO t VALUES (:returning, @returning, @@returning, _returning, returning_id)",
    "REPLACE INTO t SET t.returning = 1",
    "UPDATE t SET t . returning = 1",
    "DELETE FROM shop.returning",
    "CALL p() RETURNING",
    "SELECT 1 AS returning FOR UPDATE",
    "SELECT returning FROM t",
    "EXPLAIN DELETE FROM t RETURNING a",
    "CREATE PROCEDURE p() INSERT INTO t VALUES (1) RETURNING a",
  ])("is not in %s", (sql) => {
    expect(classify(sql).returning).toBe(false);
  });

  test("may not write a file or a variable", () => {
    for (const into of ["OUTFILE '/tmp/a'", "DUMPFILE '/tmp/a'", "@a", "a"]) {
      const sql = `DELETE FROM t RETURNING a INTO ${into}`;
      expect(() => classify(sql)).toThrow(expect.objectContaining({ reason: "not_allowed" }));
    }
  });
});

describe("the cleaned text", () => {
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

  test("keeps the placeholders' offsets in both texts", () => {
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

describe("statements in which a server may only warn of a conversion", () => {
  test.each([
    ["SELECT 1 FROM t WHERE a = ?", "read"],
    ["UPDATE t SET a = ?", "change"],
    ["INSERT INTO t VALUES (?)", undefined],
    ["INSERT INTO t SELECT ?", "change"],
    ["INSERT INTO t VALUES (?) ON DUPLICATE KEY UPDATE a = a = ?", "change"],
    ["UPDATE IGNORE t SET a = ?", "ignore"],
    ["UPDATE t IGNORE INDEX (i) SET a = ?", "change"],
    ["INSERT IGNORE INTO t VALUES (?, 'x', NULL), (:a, 1, DEFAULT)", undefined],
    ["INSERT IGNORE t (a, b) VALUE (?, TRUE);", undefined],
    ["INSERT IGNORE INTO t VALUES (a = ?)", "ignore"],
    ["INSERT IGNORE INTO t VALUES (IF(?, 1, 2))", "ignore"],
    ["INSERT IGNORE INTO t VALUES (?) ON DUPLICATE KEY UPDATE a = VALUES(a)", "ignore"],
    ["INSERT IGNORE INTO t VALUES (?) RETURNING a = ?", "ignore"],
    ["INSERT IGNORE INTO t SET a = ?", "ignore"],
    ["INSERT IGNORE INTO t SELECT 1 FROM u WHERE a = ? UNION VALUES (?)", "ignore"],
    ["CREATE TABLE t AS SELECT ?", "ddl"],
    ["CALL p(?)", undefined],
  ])("%s", (sql, lenient) => {
    expect(classify(sql).lenient).toBe(lenient);
  });
});
