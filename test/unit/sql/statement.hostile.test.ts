import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lex } from "../../../src/sql/lexer.ts";
import { classify, StatementError } from "../../../src/sql/statement.ts";
import { sqlish } from "./arbitrary.ts";

function refuses(reason: string, table: string[]): void {
  test.each(table)(`${reason}: %j`, (sql) => {
    expect(() => classify(sql)).toThrow(expect.objectContaining({ name: "StatementError", reason }));
  });
}

describe("nothing, or more than one", () => {
  refuses("empty", ["", " \n", ";", "-- SELECT 1", "/* SELECT 1 */ ;", "#"]);
  refuses("multiple_statements", [
    "SELECT 1; SELECT 2",
    "SELECT 1;;",
    "; SELECT 1",
    "SELECT 1; -- x\nDROP TABLE t",
    "SELECT 1;/**/DROP TABLE t;",
    "SELECT ''; DROP TABLE t; -- '",
    'SELECT "";DROP TABLE t',
    "SELECT ``;DROP TABLE t",
    "SELECT '\\\\'; DROP TABLE t; -- '",
    "SELECT 'a''';DROP TABLE t",
    "CREATE PROCEDURE p() BEGIN SELECT 1; END",
    "BEGIN; DELETE FROM t; COMMIT",
    "SELECT 1 -- ;\n; SELECT 2",
  ]);
});

describe("code in comments", () => {
  refuses("executable_comment", [
    "/*!50000 DROP*/ TABLE t",
    "SELECT 1 /*! INTO OUTFILE '/tmp/x' */",
    "SELECT /*!99999 1 */",
    "SELECT 1 /*!*/",
    "/*! SELECT */ 1",
    "SELECT 1 /*!50000 /*!50000 UNION */ SELECT 2 */",
    "SELECT 1 /*M!100100 INTO @a */",
    "SELECT 1 /*T! INTO OUTFILE 'x' */",
    "SELECT 1 /*T![ttl] FOR UPDATE */",
    "SELECT 1; /*! DROP TABLE t */",
    "SELECT 1 /* */ /*! ; */",
    "INSERT /*!INTO*/ t VALUES (1)",
  ]);
  // A comment separates words, so that a split keyword is two names.
  refuses("unknown_statement", [
    "SEL/**/ECT 1",
    "DR/* */OP TABLE t",
    "/* SELECT */ 1",
    "IN/**/SERT INTO t VALUES (1)",
  ]);
  refuses("not_allowed", [
    "SELECT 1 IN/**/TO/**/ OUTFILE 'x' INTO @a",
    "SELECT 1 INTO/**/OUTFILE 'x'",
    "SELECT 1/**/INTO/**/@a",
    "SELECT 1 -- x\nINTO OUTFILE 'x'",
    "SELECT /*+ SET_VAR(sql_mode = ANSI_QUOTES) */ 1",
    "SELECT /*+ bka(t) set_var(a=1) */ 1",
    "SELECT /*+ RESOURCE_GROUP(g) */ 1",
  ]);
});

describe("files and variables", () => {
  refuses("not_allowed", [
    "SELECT 1 INTO OUTFILE '/tmp/x'",
    "SELECT 1 into outfile '/tmp/x'",
    "SELECT 1 INTO DUMPFILE '/tmp/x'",
    "SELECT 1 INTO @a",
    "SELECT 1 INTO a",
    "SELECT 1 INTO @a, @b FROM t",
    "SELECT a INTO @a FROM t FOR UPDATE",
    "(SELECT 1 INTO @a)",
    "(SELECT 1) UNION (SELECT 2 INTO @a)",
    "(SELECT 1) UNION (SELECT 2) INTO OUTFILE 'x'",
    "SELECT (SELECT 1 INTO @a)",
    "SELECT * FROM (SELECT 1 INTO @a) x",
    "TABLE t INTO OUTFILE 'x'",
    "VALUES ROW(1) INTO OUTFILE 'x'",
    "WITH x AS (SELECT 1 INTO @a) SELECT 1",
    "WITH x AS (SELECT 1) SELECT 1 INTO OUTFILE 'x'",
    "INSERT INTO t SELECT 1 INTO @a",
    "INSERT INTO t SELECT 1 INTO OUTFILE 'x'",
    "INSERT t SELECT 1 INTO OUTFILE 'x'",
    "REPLACE t SELECT 1 INTO @a",
    "SELECT t.insert INTO OUTFILE 'x' FROM t",
    "SELECT t.replace INTO OUTFILE 'x' FROM t",
    "SELECT 1 ignore INTO @a",
    "UPDATE t SET a = (SELECT 1 INTO @b)",
    "CREATE TABLE t AS SELECT 1 INTO OUTFILE 'x'",
    "CREATE VIEW v AS SELECT 1 INTO @a",
    "EXPLAIN SELECT 1 INTO @a",
    "EXPLAIN ANALYZE SELECT 1 INTO OUTFILE 'x'",
    "SHOW TABLES INTO OUTFILE 'x'",
    "CALL p() INTO @a",
    "SELECT @a := 1",
    "SELECT 1 WHERE (@a:=1)",
    "UPDATE t SET a = @b := 1",
    "INSERT INTO t VALUES (@a := 1)",
    "SELECT @'a' := 1",
    "CALL p(@a := 1)",
  ]);
});

describe("statements that are not for callers", () => {
  refuses("not_allowed", [
    "CALL sys.execute_prepared_stmt('x')",
    "CALL `SYS` . `ps_setup_save`(1)",
    "CALL mysql.AddGeometryColumn('', '', 't', 'g', 1)",
  ]);
  refuses("not_allowed", [
    ..."SET a = 1|SET @a = 1|SET GLOBAL x = 1|SET NAMES gbk|SET PASSWORD = 'x'|SET ROLE r".split("|"),
    ..."SET STATEMENT max_statement_time = 0 FOR SELECT 1|SET TRANSACTION READ WRITE|SET DEFAULT ROLE r TO u".split(
      "|",
    ),
    ..."USE d|BEGIN|BEGIN NOT ATOMIC SELECT 1|START TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT s|RELEASE SAVEPOINT s".split(
      "|",
    ),
    ..."XA START 'x'|PREPARE s FROM 'x'|EXECUTE s|EXECUTE IMMEDIATE 'DROP TABLE t'|DEALLOCATE PREPARE s".split(
      "|",
    ),
    ..."LOCK TABLES t WRITE|UNLOCK TABLES|HANDLER t OPEN|DO SLEEP(1)|DO RELEASE_LOCK('a')|KILL 1|KILL QUERY 1".split(
      "|",
    ),
    ..."LOAD DATA LOCAL INFILE 'x' INTO TABLE t|LOAD XML INFILE 'x' INTO TABLE t|IMPORT TABLE FROM 'x'".split(
      "|",
    ),
    ..."IMPORT INTO t FROM 's3://b'|GRANT ALL ON *.* TO u|REVOKE ALL ON *.* FROM u|SHUTDOWN|RESTART|CLONE LOCAL".split(
      "|",
    ),
    ..."FLUSH PRIVILEGES|RESET QUERY CACHE|CHANGE MASTER TO MASTER_HOST = 'x'|START REPLICA|STOP SLAVE".split(
      "|",
    ),
    ..."BINLOG 'x'|PURGE BINARY LOGS TO 'x'|INSTALL PLUGIN p SONAME 'x'|UNINSTALL COMPONENT 'x'".split("|"),
    ..."DELIMITER //|SIGNAL SQLSTATE '45000'|RESIGNAL|GET DIAGNOSTICS @a = NUMBER|BACKUP STAGE START".split(
      "|",
    ),
    ..."BACKUP DATABASE d TO 's3://b'|OPTIMIZE TABLE t|REPAIR TABLE t|CHECK TABLE t|CHECKSUM TABLE t".split(
      "|",
    ),
    ..."CACHE INDEX t IN k|ADMIN SHOW DDL|FLASHBACK CLUSTER TO TIMESTAMP 'x'|TRACE SELECT 1".split("|"),
    ..."ANALYZE TABLE t|ANALYZE LOCAL TABLE t|ANALYZE INSERT INTO t VALUES (1)|ANALYZE UPDATE t SET a = 1".split(
      "|",
    ),
    ..."EXPLAIN ANALYZE UPDATE t SET a = 1|EXPLAIN ANALYZE DELETE FROM t|EXPLAIN ANALYZE INSERT INTO t VALUES (1)".split(
      "|",
    ),
    ..."EXPLAIN ANALYZE WITH x AS (SELECT 1) DELETE FROM t|DESC ANALYZE DELETE FROM t|EXPLAIN CALL p()".split(
      "|",
    ),
    ..."EXPLAIN FORMAT=JSON ANALYZE DELETE FROM t|IF 1 THEN SELECT 1|WHILE 1 DO SELECT 1|FOR i IN 1..2 DO SELECT i".split(
      "|",
    ),
  ]);
});

describe("objects that are not for callers", () => {
  refuses("not_allowed", [
    ..."CREATE USER u|ALTER USER u IDENTIFIED BY 'x'|DROP USER u|RENAME USER u TO v|CREATE ROLE r|DROP ROLE r".split(
      "|",
    ),
    ..."CREATE OR REPLACE USER u|CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'x')|DROP SERVER s".split(
      "|",
    ),
    ..."CREATE TABLESPACE t ADD DATAFILE 'x'|CREATE UNDO TABLESPACE t ADD DATAFILE 'x'|ALTER INSTANCE RELOAD TLS".split(
      "|",
    ),
    ..."CREATE LOGFILE GROUP g ADD UNDOFILE 'x'|CREATE RESOURCE GROUP g TYPE = USER|ALTER RESOURCE GROUP g".split(
      "|",
    ),
    ..."CREATE SPATIAL REFERENCE SYSTEM 4120|CREATE OR REPLACE SPATIAL REFERENCE SYSTEM 4120|DROP PREPARE s".split(
      "|",
    ),
    ..."CREATE GLOBAL BINDING FOR SELECT 1 USING SELECT 1|CREATE PLACEMENT POLICY p|CREATE LIBRARY l".split(
      "|",
    ),
    ..."CREATE DEFINER = root@localhost VIEW v AS SELECT 1|CREATE DEFINER=CURRENT_USER PROCEDURE p() SELECT 1".split(
      "|",
    ),
    ..."CREATE OR REPLACE ALGORITHM = MERGE DEFINER = 'root'@'%' SQL SECURITY DEFINER VIEW v AS SELECT 1".split(
      "|",
    ),
    ..."CREATE DEFINER = u TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.b = 1|ALTER DEFINER = u EVENT e DISABLE".split(
      "|",
    ),
    ..."CREATE AGGREGATE FUNCTION f RETURNS INTEGER SONAME 'x'|CREATE FUNCTION f RETURNS STRING SONAME 'x'".split(
      "|",
    ),
  ]);
  refuses("unknown_statement", [
    "CREATE",
    "CREATE 1",
    "CREATE `TABLE` t",
    "DROP 'x'",
    "CREATE FOO f",
    "RENAME VIEW a TO b",
  ]);
});

describe("stored programs that do what a caller may not", () => {
  refuses("not_allowed", [
    "CREATE PROCEDURE p() GRANT ALL ON *.* TO u",
    "CREATE PROCEDURE p() SET GLOBAL x = 1",
    "CREATE PROCEDURE p() SET sql_mode = ''",
    "CREATE PROCEDURE p() SET NEW.a = 1, sql_mode = ''",
    "CREATE PROCEDURE p() COMMENT 'SELECT 1' SET @a = 1",
    "CREATE PROCEDURE p() READS SQL DATA EXECUTE IMMEDIATE 'x'",
    "CREATE PROCEDURE p() SELECT 1 INTO OUTFILE 'x'",
    "CREATE PROCEDURE p(OUT a INT) SELECT 1 INTO a",
    "CREATE PROCEDURE p()",
    "CREATE PROCEDURE p() BEGIN END",
    "CREATE PROCEDURE p() LOAD DATA INFILE 'x' INTO TABLE t",
    "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET @a = 1",
    "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.b = 1, @@global.x = 1",
    "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.b = (1, 2), PASSWORD = 'x'",
    "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW PRECEDES u SET GLOBAL x = 1",
    "CREATE TRIGGER t BEFORE INSERT ON a",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO GRANT ALL ON *.* TO u",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SET GLOBAL x = 1",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO KILL 1",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO",
    "ALTER EVENT e DO FLUSH PRIVILEGES",
    "CREATE FUNCTION f() RETURNS INT SET GLOBAL x = 1",
    "CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS 'return 1'",
    "CREATE FUNCTION d.return() RETURNS STRING SONAME 'x'",
  ]);
  refuses("unknown_statement", [
    "CREATE PROCEDURE p() DROP TABLE t",
    "CREATE PROCEDURE p() CREATE USER u",
    "CREATE PROCEDURE p( SELECT 1",
    "CREATE EVENT do ON SCHEDULE EVERY 1 DAY DO GRANT ALL ON *.* TO u",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO ALTER USER u IDENTIFIED BY 'x'",
  ]);
});

describe("not known", () => {
  refuses("unknown_statement", [
    "FOO",
    "1",
    "'SELECT'",
    "`SELECT` 1",
    "@a",
    "?",
    ":a",
    "(",
    "()",
    "(((",
    ") SELECT 1",
    "(INSERT INTO t VALUES (1))",
    "(DELETE FROM t)",
    "(SHOW TABLES)",
    "(CREATE TABLE t (a INT))",
    "\u017fELECT 1",
    "SELECT\u0301 1",
    "ＳＥＬＥＣＴ 1",
    "SELECT1",
    "SELECT_1",
    "WITH",
    "WITH x",
    "WITH x AS",
    "WITH x AS SELECT 1",
    "WITH x AS (SELECT 1",
    "WITH x AS (SELECT 1)",
    "WITH x AS (SELECT 1),",
    "WITH x AS (SELECT 1), SELECT 1",
    "WITH x AS (SELECT 1) INSERT INTO t SELECT 1",
    "WITH x AS (SELECT 1) DROP TABLE t",
    "WITH x AS (SELECT 1) (DELETE FROM t)",
    "WITH x AS (SELECT 1) SET @a = 1",
    "WITH x AS (SELECT 1) WITH y AS (SELECT 1) SELECT 1",
    "WITH 'x' AS (SELECT 1) SELECT 1",
    "EXPLAIN EXPLAIN SELECT 1",
    "EXPLAIN INTO @a FORMAT=JSON SELECT 1",
    "EXPLAIN EXPLORE 'SELECT 1'",
    "EXPLAIN 'digest'",
    "EXPLAIN DROP TABLE t",
    "EXPLAIN CREATE TABLE t (a INT)",
    "DESCRIBE a.b.c.d e",
    "HELP 'x'",
    "PRAGMA x",
    "COPY t TO 'x'",
    "MERGE INTO t",
  ]);
});

describe("what the servers would read differently", () => {
  refuses("invalid_character", [
    "SELECT\u00a01",
    "SELECT 1\u2028INTO OUTFILE 'x'",
    "SELECT\u200b 1",
    "\ufeffSELECT 1",
    "SELECT 1\0",
    "SELECT 1 -- \0\n INTO OUTFILE 'x'",
    "SELECT --\u0001 1\n INTO OUTFILE 'x'",
    "SELECT \\NINTO OUTFILE 'x'",
    "SELECT 1.0INTO OUTFILE 'x'",
    "SELECT 1e0INTO OUTFILE 'x'",
    "SELECT 0x1INTO OUTFILE 'x'",
    "SELECT 1 FROM t ORDER BY.5INTO OUTFILE 'x'",
    "SELECT $$'$$ INTO OUTFILE 'x' -- '",
    "SELECT $a$'$a$ INTO OUTFILE 'x' -- '",
    "SELECT /*+ QB_NAME(`*/`) */ 1 INTO OUTFILE 'x' -- `",
    "SELECT ?INTO OUTFILE 'x'",
    "SELECT [a] FROM t",
    "SELECT '\ud83d'",
  ]);
  refuses("unterminated", [
    "SELECT '",
    "SELECT 'a\\' FROM t",
    'SELECT "a\\"',
    "SELECT `a",
    "SELECT 1 /*",
    "SELECT 1 /* a * /",
    "SELECT 'a' 'b",
    "SELECT /*+ BKA(t)",
  ]);
});

describe("two minus signs that would become a comment when what follows is taken away", () => {
  test.each([
    "DELETE FROM notes WHERE id = 1--/**/1 AND author = 'me'",
    "SELECT 1--/* */2",
    "SELECT 1---/* */2",
    "SELECT 1--#x\n2",
    "SELECT 1--;",
    "SELECT 1 --; ",
    "SELECT 1--/**/",
    "SELECT 1--/**/;",
  ])("%s", (sql) => {
    expect(() => classify(sql)).toThrow(expect.objectContaining({ reason: "invalid_character" }));
  });

  test.each([
    ["SELECT 1--1", "SELECT 1--1"],
    ["SELECT 1-/**/-2", "SELECT 1- -2"],
    ["SELECT '--'/**/, `a-`", "SELECT '--' , `a-`"],
    ["SELECT 1 -- the rest\n, 2", "SELECT 1  \n, 2"],
  ])("%s is none of them", (sql, text) => {
    expect(classify(sql).text).toBe(text);
  });

  test("the text that travels has the tokens that were judged", () => {
    const piece = fc.constantFrom(
      "-",
      "--",
      "/**/",
      "#x\n",
      "-- x\n",
      " ",
      "1",
      "'-'",
      "`-`",
      ",",
      "+",
      ";",
      "\n",
      "(",
      ")",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const sql = `SELECT 1${pieces.join("")}`;
        let text: string;
        try {
          text = classify(sql).text;
        } catch {
          return;
        }
        const words = (source: string, count: number) => {
          const tokens = lex(source);
          return Array.from({ length: count }, (_, at) => tokens.text(at));
        };
        const count = lex(text).length;
        expect(words(text, count)).toEqual(words(sql, count));
        const rest = lex(sql);
        expect(rest.length - count).toBe(rest.kind(rest.length - 1) === "semicolon" ? 1 : 0);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("for every text", () => {
  test("the guard answers or throws a StatementError, and its answer stands when asked again", () => {
    fc.assert(
      fc.property(sqlish, (sql) => {
        const statement = judge(sql);
        if (statement === undefined) return;
        const again = classify(statement.text);
        expect(again).toEqual({
          ...statement,
          placeholders: statement.placeholders.map((it) => ({ ...it, sourceStart: it.start })),
        });
      }),
      { numRuns: 5000 },
    );
  });

  test("no text in quotes or comments changes the answer", () => {
    const hidden = fc.constantFrom(
      "INTO OUTFILE",
      ";",
      ":=",
      "FOR UPDATE",
      "DROP TABLE t",
      "?",
      ":a",
      "'",
      "--",
      "#",
      "\n",
    );
    fc.assert(
      fc.property(fc.array(hidden), (parts) => {
        const text = parts.join(" ");
        const sql = `SELECT '${text.replaceAll("'", "''")}', \`${text}\` /* ${text} */ FROM t`;
        expect(judge(sql)).toMatchObject({ kind: "read", verb: "SELECT", placeholders: [] });
      }),
    );
  });

  test("repetition neither recurses nor takes long", () => {
    const pieces = [
      "EXPLAIN ",
      "(",
      "WITH a AS (b) ",
      "(WITH a AS (b) ",
      "DESC ",
      "CREATE PROCEDURE p() ",
      "CREATE OR REPLACE ",
    ];
    for (const piece of [...pieces, "SET NEW.a = 1, ", "a.b.c", "COMMENT x ", "FOR EACH ROW "]) {
      const started = performance.now();
      expect(judge(piece.repeat(20_000))).toBeUndefined();
      judge(`CREATE TRIGGER t FOR EACH ROW ${piece.repeat(20_000)}`);
      expect(performance.now() - started, piece).toBeLessThan(2_000);
    }
  });

  test("messages repeat no literal", () => {
    for (const sql of [
      "FOO 'secret'",
      "SET a = 'secret'",
      "SELECT 'secret",
      "SELECT 'secret' INTO @a",
      "secret",
      "CREATE secret",
    ]) {
      expect(() => classify(sql)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining("secret") }),
      );
    }
  });
});

function judge(sql: string): ReturnType<typeof classify> | undefined {
  try {
    return classify(sql);
  } catch (error) {
    if (error instanceof StatementError) return undefined;
    throw error;
  }
}
