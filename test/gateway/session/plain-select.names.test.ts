import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Engine } from "../../../servers/database/server.ts";
import { has } from "../support/features.ts";
import { databaseServer, engine } from "../support/harness.ts";
import { arePlain } from "./plain.ts";

/** What the server says of the names in SELECTs that look plain, before and after changes of the schema. */

let session: Connection;
let other: Connection;
beforeAll(async () => {
  session = await connectAdministrator(databaseServer());
  other = await connectAdministrator(databaseServer());
  for (const one of [session, other]) {
    await one.query("CREATE DATABASE IF NOT EXISTS plain_names");
    await one.query("USE plain_names");
  }
  const tables = [
    "base (id INT PRIMARY KEY, name VARCHAR(20))",
    "second (id INT)",
    "moved (id INT NOT NULL)",
  ];
  for (const table of tables) {
    await session.query(`DROP TABLE IF EXISTS ${table.split(" ")[0]}`);
    await session.query(`CREATE TABLE ${table}`);
  }
  await session.query("INSERT INTO base VALUES (1, 'one')");
});
afterAll(async () => {
  await session?.query("DROP DATABASE IF EXISTS plain_names");
  await session?.end();
  await other?.end();
});

async function isPlain(text: string): Promise<boolean | undefined> {
  return (await arePlain(session, text))[0];
}

/** Runs statements of another session, as an operator may at any time. */
async function change(...statements: string[]): Promise<void> {
  for (const sql of statements) await other.query(sql);
}

describe("plain is", () => {
  test.each([
    "SELECT 1",
    "SELECT NOW() FROM DUAL",
    "SELECT name FROM base WHERE id = ?",
    "SELECT b.name AS title, COUNT(*) AS n FROM base AS b LEFT JOIN second s ON s.id = b.id GROUP BY b.name",
    "SELECT x.n FROM (SELECT id AS n FROM second LIMIT ? OFFSET ?) x WHERE EXISTS (SELECT 1 FROM base)",
    "SELECT `name` FROM `base`",
  ])("%s", async (text) => {
    expect(await isPlain(text)).toBe(true);
  });

  test("a table with partitions", async () => {
    await change(
      "CREATE TABLE parts (id INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)",
    );
    expect(await isPlain("SELECT id FROM parts WHERE id > 5")).toBe(true);
  });

  test.skipIf(engine === "tidb").each(["MyISAM", "MEMORY", ...(engine === "mariadb" ? ["Aria"] : [])])(
    "a table of the engine %s",
    async (storage) => {
      await change(`CREATE TABLE stored_${storage} (id INT) ENGINE = ${storage}`);
      expect(await isPlain(`SELECT id FROM stored_${storage}`)).toBe(true);
    },
  );

  test("each of several statements by itself", async () => {
    await change("CREATE OR REPLACE VIEW seen AS SELECT 1 AS id");
    const texts = ["SELECT id FROM base", "SELECT id FROM seen", "SELECT id FROM missing", "SELECT 1"];
    expect(await arePlain(session, ...texts)).toEqual([true, false, false, true]);
  });
});

describe("not plain is", () => {
  test("a table that is missing", async () => {
    expect(await isPlain("SELECT id FROM missing")).toBe(false);
  });

  test("a view, wherever its name stands", async () => {
    await change("CREATE OR REPLACE VIEW seen AS SELECT 1 AS id");
    const texts = [
      "FROM seen",
      "FROM base, seen",
      "FROM base JOIN (second CROSS JOIN seen)",
      "FROM base AS seen",
    ];
    const selects = texts.map((text) => `SELECT 1 AS one ${text}`);
    selects.push(
      "SELECT seen.id FROM base",
      "SELECT id AS seen FROM base",
      "SELECT (SELECT id FROM seen) AS one FROM base",
    );
    expect(await arePlain(session, ...selects)).toEqual(selects.map(() => false));
  });

  test("a view whose table is gone", async () => {
    await change(
      "CREATE TABLE gone (id INT)",
      "CREATE VIEW broken AS SELECT id FROM gone",
      "DROP TABLE gone",
    );
    const texts = ["SELECT id FROM broken", "SELECT id AS broken FROM base", "SELECT id FROM base"];
    expect(await arePlain(session, ...texts)).toEqual([false, false, true]);
  });

  test("the name of a schema", async () => {
    expect(await isPlain("SELECT world.id FROM base AS world")).toBe(false);
  });

  test.runIf(has.sequences)("a sequence, also as a column or an alias", async () => {
    await change("CREATE SEQUENCE IF NOT EXISTS counter");
    const texts = ["SELECT 1 FROM counter", "SELECT 1 FROM base counter", "SELECT id AS counter FROM base"];
    expect(await arePlain(session, ...texts)).toEqual([false, false, false]);
  });

  test.runIf(has.storedPrograms)(
    "the name of a routine, and a function with the name of a native one",
    async () => {
      await change(
        "CREATE PROCEDURE act () SELECT 1",
        "CREATE FUNCTION `concat` () RETURNS INT DETERMINISTIC NO SQL RETURN 1",
      );
      try {
        const texts = [
          "SELECT id AS act FROM base",
          "SELECT CONCAT(name, 'x') AS v FROM base",
          "SELECT id FROM base",
        ];
        expect(await arePlain(session, ...texts)).toEqual([false, false, true]);
      } finally {
        await change("DROP PROCEDURE act", "DROP FUNCTION `concat`");
      }
    },
  );

  test.skipIf(engine === "tidb")("a table of an engine that is not on the list", async () => {
    await change("CREATE TABLE IF NOT EXISTS hole (id INT) ENGINE = MRG_MyISAM");
    expect(await isPlain("SELECT id FROM hole")).toBe(false);
  });

  test.runIf(engine === "mariadb")("a table with versions", async () => {
    await change("CREATE TABLE versioned (id INT) WITH SYSTEM VERSIONING");
    expect(await isPlain("SELECT id FROM versioned")).toBe(false);
  });
});

describe("a virtual column", () => {
  test.runIf(engine === "mariadb")("of MariaDB may set a user variable, and is not plain", async () => {
    // The session that opens the table: MariaDB sets the variable there, whichever session reads the column.
    await session.query(
      "CREATE TABLE setter (name VARCHAR(20), c VARCHAR(20) AS (@left := name) VIRTUAL, d VARCHAR(20) AS (@left) VIRTUAL)",
    );
    await session.query("INSERT INTO setter (name) VALUES ('left behind')");
    await session.query("SET @left = NULL");
    await session.query("SELECT c FROM setter");
    const [rows] = await session.query("SELECT @left AS value");
    expect(rows).toEqual([{ value: "left behind" }]);
    await session.query("SET @left = NULL");
    expect(await arePlain(session, "SELECT c FROM setter", "SELECT name FROM setter")).toEqual([
      false,
      false,
    ]);
  });

  test.runIf(engine === "tidb")("of TiDB may draw from a sequence, and is not plain", async () => {
    await change(
      "CREATE SEQUENCE IF NOT EXISTS drawn",
      "CREATE TABLE drawing (n INT, c BIGINT AS (NEXTVAL(drawn)) VIRTUAL)",
      "INSERT INTO drawing (n) VALUES (1)",
    );
    await session.query("SELECT c FROM drawing");
    const [rows] = await session.query("SELECT LASTVAL(drawn) IS NULL AS unknown");
    expect(rows).toEqual([{ unknown: 0 }]);
    expect(await arePlain(session, "SELECT c FROM drawing", "SELECT n FROM drawing")).toEqual([false, false]);
  });

  const harmful = [
    "@left := n",
    "LAST_INSERT_ID(n)",
    "GET_LOCK('left', 0)",
    "RELEASE_ALL_LOCKS()",
    "RAND()",
    "SLEEP(0)",
    "FOUND_ROWS()",
    "ROW_COUNT()",
    "BENCHMARK(1, n)",
    "@@sql_warnings",
    "LOAD_FILE('x')",
    "(SELECT 1)",
    "UUID_SHORT()",
    "own()",
  ];
  test.runIf(engine === "mysql").each(harmful)("of MySQL cannot have %s", async (expression) => {
    await change("DROP FUNCTION IF EXISTS own");
    await change("CREATE FUNCTION own () RETURNS INT DETERMINISTIC NO SQL RETURN 1");
    const made = other.query(`CREATE TABLE refused (n INT, c INT AS (${expression}) VIRTUAL)`);
    await expect(made).rejects.toMatchObject({
      message: expect.stringMatching(/generated column|refer|subquer|disallowed/i),
    });
    const byDefault = other.query(
      `CREATE TABLE refused (n INT DEFAULT (${expression}), c INT AS (DEFAULT(n)) VIRTUAL)`,
    );
    await expect(byDefault).rejects.toThrow();
  });

  test.runIf(engine === "mysql")("of MySQL is plain: it can have nothing with a side effect", async () => {
    await change("CREATE TABLE doubled (n INT, c INT AS (n * 2) VIRTUAL)");
    expect(await isPlain("SELECT c FROM doubled")).toBe(true);
  });

  test("that is stored is not evaluated by a SELECT, and is plain", async () => {
    await change("CREATE TABLE kept (n INT, c INT AS (n * 2) STORED)");
    expect(await isPlain("SELECT c FROM kept")).toBe(true);
  });
});

describe("a change of the schema is seen at once", () => {
  test("a base table that a view of the same name replaces", async () => {
    const text = "SELECT id FROM swapped WHERE id = ?";
    await change("CREATE TABLE swapped (id INT)");
    expect(await isPlain(text)).toBe(true);
    // A prepared statement is prepared again, without a word to its client.
    await session.execute(text, [1]);
    await change("RENAME TABLE swapped TO hidden", "CREATE VIEW swapped AS SELECT id FROM hidden");
    await session.execute(text, [1]);
    expect(await isPlain(text)).toBe(false);
    await change("DROP VIEW swapped", "RENAME TABLE hidden TO swapped");
    expect(await isPlain(text)).toBe(true);
    await change("DROP TABLE swapped");
    expect(await isPlain(text)).toBe(false);
  });

  const others: { name: string; engines: readonly Engine[]; sql: string; undo: string }[] = [
    {
      name: "a virtual column",
      engines: ["mariadb", "tidb"],
      sql: "ALTER TABLE second ADD COLUMN v INT AS (id + 1) VIRTUAL",
      undo: "ALTER TABLE second DROP COLUMN v",
    },
    {
      name: "another engine",
      engines: ["mariadb", "mysql"],
      sql: "ALTER TABLE moved ENGINE = CSV",
      undo: "ALTER TABLE moved ENGINE = InnoDB",
    },
    {
      name: "a schema with the name of an alias",
      engines: ["mariadb", "mysql", "tidb"],
      sql: "CREATE DATABASE plain_alias",
      undo: "DROP DATABASE plain_alias",
    },
  ];
  test.each(others.filter(({ engines }) => engines.includes(engine)))("$name", async ({ sql, undo }) => {
    const text = "SELECT plain_alias.id FROM second AS plain_alias, moved";
    expect(await isPlain(text)).toBe(true);
    await change(sql);
    try {
      expect(await isPlain(text)).toBe(false);
    } finally {
      await change(undo);
    }
    expect(await isPlain(text)).toBe(true);
  });
});
