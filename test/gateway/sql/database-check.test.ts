import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { databaseServer, engine, server } from "../support/harness.ts";
import { check, giveSecrets, runCheck } from "./database-check.ts";

/** npm run check -- --env NAME --database: the answers of a real server that prepares the saved queries. */

const derives = engine === "mysql";

let administrator: Connection;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  // TiDB guesses 10,000 rows for each table that was never analyzed.
  if (engine === "tidb") await administrator.query("ANALYZE TABLE world.cities, world.countries");
});
afterAll(() => administrator?.end());

describe("what the server says", () => {
  // The hook's result takes the secrets away again.
  beforeAll(giveSecrets);

  test.runIf(derives)("declared types against the derived ones, with file and line", async () => {
    const { mistakes, warnings, untried } = await check({
      texts: `-- Numbers beside text.
-- @param a integer required
-- @param b boolean default false
-- @param c decimal[]
-- @claim uid number
SELECT code FROM countries WHERE code = :a AND name > :b AND region IN (:c) AND code3 = IF(area_km2 > 1, :jwt.uid, '')`,
      numbers: `-- Texts beside numbers.
-- @param a string required
-- @param b string required
-- @claim uid string
SELECT id FROM cities WHERE id = :a AND latitude = :b AND population < :jwt.uid AND country_code <> :jwt.sub`,
      dates: `-- @param since integer required
-- @param name string required
SELECT id FROM notes WHERE created_at > :since AND body LIKE :name`,
      good: `-- @param a integer default null
-- @param b string required
SELECT id, CONCAT(:a, '') FROM cities WHERE (:a IS NULL OR id = :a) AND name = :b`,
    });
    expect(untried).toEqual([]);
    expect(mistakes).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^queries\/dates\.sql:1:11: :since is declared integer where the server takes a date/,
      ),
      expect.stringMatching(/^queries\/numbers\.sql:2:11: :a is declared string .* Declare it as integer: /),
      expect.stringMatching(
        /^queries\/numbers\.sql:3:11: :b is declared string .* Declare it as (decimal|number): /,
      ),
      expect.stringMatching(
        /^queries\/numbers\.sql:4:11: :jwt\.uid is declared string .* Declare it as integer: /,
      ),
      expect.stringMatching(
        /^queries\/texts\.sql:2:11: :a is declared integer and meets text: .* Declare it as string\.$/,
      ),
      expect.stringMatching(/^queries\/texts\.sql:3:11: :b is declared boolean and meets text: /),
      expect.stringMatching(/^queries\/texts\.sql:4:11: :c is declared decimal and meets text: /),
      expect.stringMatching(/^queries\/texts\.sql:5:11: :jwt\.uid is declared number, .* or say with CAST/),
    ]);
  });

  test.skipIf(derives)(
    "declared types against those of the compared columns, with file and line",
    async () => {
      const { mistakes, warnings } = await check({
        texts: `-- Numbers beside text.
-- @param a integer required
-- @param b boolean default false
-- @param c decimal[]
-- @claim uid number
SELECT k.code FROM countries AS k JOIN cities ON cities.country_code = k.code
WHERE k.code = :a AND :b < k.name AND region IN (:c) AND admin_code BETWEEN 'a' AND :jwt.uid`,
        numbers: `-- Texts beside numbers.
-- @param a string required
-- @param b string required
-- @claim uid string
SELECT id FROM cities WHERE id = :a AND world.cities.latitude = :b AND population < :jwt.uid AND country_code <> :jwt.sub`,
        good: `-- @param a integer default null
-- @param b string required
-- @param c integer required
SELECT id, CONCAT(:a, '') FROM cities WHERE (:a IS NULL OR id = :a) AND name = :b AND CONCAT(name, id) = :c AND id + 0 = :c`,
      });
      expect(mistakes).toEqual([]);
      expect(warnings.filter((line) => !line.includes("reads the whole"))).toEqual([
        expect.stringMatching(
          /^queries\/numbers\.sql:2:11: :a is declared string .* Declare it as integer: /,
        ),
        expect.stringMatching(/^queries\/numbers\.sql:3:11: :b is declared string .* Declare it as number: /),
        expect.stringMatching(
          /^queries\/numbers\.sql:4:11: :jwt\.uid is declared string .* Declare it as integer: /,
        ),
        expect.stringMatching(
          /^queries\/texts\.sql:2:11: :a is declared integer and meets text: .* Declare it as string\.$/,
        ),
        expect.stringMatching(/^queries\/texts\.sql:3:11: :b is declared boolean and meets text: /),
        expect.stringMatching(/^queries\/texts\.sql:4:11: :c is declared decimal and meets text: /),
        expect.stringMatching(/^queries\/texts\.sql:5:11: :jwt\.uid is declared number and meets text: /),
      ]);
    },
  );

  test("what PREPARE refuses, with the server's number, the account and the statement's line", async () => {
    const { mistakes, untried, warnings } = await check(
      {
        "no-table": "-- Nothing.\n\nSELECT id FROM citys",
        "no-column": "-- @param id integer required\nSELECT nam FROM cities WHERE id = :id",
        "no-privilege": "-- @param id integer required\nDELETE FROM cities WHERE id = :id",
        good: "SELECT id FROM cities",
      },
      { analyst: ["query:good", "query:no-table"], editor: ["query:*"] },
    );
    expect(untried).toEqual([]);
    expect(warnings).toEqual([]);
    expect(mistakes.sort()).toEqual([
      expect.stringMatching(/^queries\/no-column\.sql:2:8: as editor: 1054: Unknown column 'nam' in /),
      expect.stringMatching(
        /^queries\/no-privilege\.sql:2:13: as editor: 1142: DELETE command denied to user /,
      ),
      expect.stringMatching(
        /^queries\/no-table\.sql:3:16: as analyst, editor: 1146: Table 'world\.citys' doesn't exist$/,
      ),
    ]);
  });

  // MariaDB's session has no ONLY_FULL_GROUP_BY.
  test.skipIf(engine === "mariadb")("1055 says what helps", async () => {
    const sql = "SELECT population + :n AS p, COUNT(*) FROM cities GROUP BY population + :n";
    const { mistakes } = await check({ sums: `-- @param n integer required\n${sql}` });
    expect(mistakes).toEqual([
      expect.stringMatching(
        /^queries\/sums\.sql:2:\d+: as analyst: 1055: .* Write the expression once, with an alias/,
      ),
    ]);
  });

  test("a full scan of more rows than --scan-rows, with the table's own name and the reason", async () => {
    const texts = {
      alias: "-- @param a number required\nSELECT c.id FROM cities AS c WHERE c.latitude > :a",
      both: "SELECT a.id FROM countries k, cities a WHERE a.admin_code = k.code3",
      by_key: "-- @param a integer required\nSELECT name FROM cities WHERE id = :a",
      by_range:
        "-- @param a string required\nSELECT name FROM cities WHERE country_code = :a ORDER BY population LIMIT 3",
      first: "SELECT id, name FROM cities LIMIT 5",
      index: "SELECT COUNT(*) AS n FROM cities",
      small: "SELECT * FROM countries WHERE area_km2 > 5",
    };
    const { mistakes, warnings } = await check(texts, undefined, { scanRows: 1000 });
    expect(mistakes).toEqual([]);
    const scan = (name: string, reason: string) =>
      expect.stringMatching(
        new RegExp(
          `^queries/${name}\\.sql:\\d+:1: it reads the whole table cities, about [\\d,]+ rows: ${reason}(; TiDB guesses.*)?$`,
        ),
      );
    const none = "(no index fits|it reads the whole index \\w+)";
    expect(warnings).toEqual([
      scan("alias", none),
      scan("both", none),
      scan("index", "it reads the whole index \\w+"),
    ]);
    const { warnings: more } = await check(texts, undefined, { scanRows: 1_000_000 });
    expect(more).toEqual([]);
  });

  test("a full scan of what a change reads", async () => {
    const { mistakes, warnings } = await check(
      {
        "copy-notes":
          "-- @param a number required\nINSERT INTO notes (city_id, author, body) SELECT id, name, name FROM cities WHERE latitude > :a",
      },
      { editor: ["query:*"] },
      { scanRows: 1000 },
    );
    expect(mistakes).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^queries\/copy-notes\.sql:2:1: it reads the whole table cities, about [\d,]+ rows: /,
      ),
    ]);
  });

  test("subqueries: names and rights are checked, and none is run", async () => {
    const reads = async () => {
      const [rows] = await administrator.query<RowDataPacket[]>(
        "SHOW GLOBAL STATUS LIKE 'Handler_read_rnd_next'",
      );
      return Number(rows[0]?.Value ?? 0);
    };
    const before = await reads();
    const { mistakes, warnings, told } = await check({
      largest:
        "SELECT name FROM cities WHERE latitude = (SELECT MAX(latitude) FROM cities) AND NOT EXISTS (SELECT 1 FROM cities WHERE longitude > 180)",
      nested:
        "WITH x AS (SELECT MAX(longitude) AS m FROM cities) SELECT m FROM x WHERE m IN (SELECT longitude FROM cities)",
      unknown: "SELECT name FROM cities WHERE id = (SELECT MAX(nam) FROM cities)",
      secret: "SELECT name FROM cities WHERE id = (SELECT COUNT(*) FROM mysql.user)",
    });
    // A question of information_schema reads some hundred rows; each of these subqueries would read 5,000.
    if (engine !== "tidb") expect((await reads()) - before).toBeLessThan(5_000);
    expect(mistakes).toEqual([
      expect.stringMatching(/^queries\/secret\.sql:1:\d+: as analyst: 1142: SELECT command denied to user /),
      expect.stringMatching(/^queries\/unknown\.sql:1:48: as analyst: 1054: Unknown column 'nam' in /),
    ]);
    // TiDB has no columns for a statement that it cannot prepare without running a part of it.
    const name = { name: "name", type: "VARCHAR", nullable: false };
    expect(told?.columns.get("largest")).toEqual(engine === "tidb" ? null : [name]);
    expect(told?.columns.get("nested")).toEqual([{ name: "m", type: "DOUBLE", nullable: true }]);
    const unknown =
      "its plan is not known: EXPLAIN would run a part of it (a subquery, a function, or a view with one)";
    const untold = [`queries/largest.sql:1:1: ${unknown}`, `queries/nested.sql:1:1: ${unknown}`];
    expect(warnings).toEqual(engine === "mysql" ? untold : []);
  });

  test("what the head says of the result", async () => {
    const texts = {
      missing: "-- @page keyset id size 5 max 10\nSELECT * FROM countries",
      nulls: "-- Text.\n-- @page keyset capital, code size 5 max 10\nSELECT capital, code FROM countries",
      types: "-- @page keyset latitude, id size 5 max 10\nSELECT latitude, id FROM cities",
      good: "-- @page keyset population desc, id size 5 max 10\nSELECT id, population FROM cities",
      numbered: "-- @page offset size 5 max 10\nSELECT id, latitude FROM cities ORDER BY latitude",
    };
    const { mistakes } = await check(texts);
    expect(mistakes).toEqual([
      expect.stringMatching(
        /^queries\/missing\.sql:1:4: @page: the result has no column id; it has code, code3, name, /,
      ),
      "queries/nulls.sql:2:4: @page: capital may be NULL, and no page begins behind NULL: use a column that is NOT NULL",
      "queries/types.sql:1:4: @page: latitude is DOUBLE, whose values have no exact order: use integers, DECIMAL, dates, date-times or texts",
    ]);
  });

  test("what a grant opens and its account cannot do, with the GRANT that mends it", async () => {
    const identity = engine === "mysql" ? "'analyst'@'%'" : "'gw_analyst'@'%'";
    const grants = { analyst: ["sql:read", "sql:write", "sql:ddl"], editor: ["sql:write"] };
    const { mistakes, untried } = await check({}, grants);
    expect(untried).toEqual([]);
    expect(mistakes).toEqual([
      `analyst: a grant opens sql:write, and ${identity} has none of INSERT, UPDATE, DELETE, EXECUTE on world: the server refuses every such statement. Mend it with: GRANT INSERT, UPDATE, DELETE ON \`world\`.* TO ${identity}`,
      expect.stringMatching(
        /^analyst: a grant opens sql:ddl, and .* has none of CREATE, ALTER, .*: GRANT CREATE, ALTER, DROP, INDEX, REFERENCES ON `world`\.\* TO /,
      ),
    ]);
  });

  test("nothing is executed, and what writes is prepared", async () => {
    const count = async () => (await administrator.query("SELECT COUNT(*) AS n FROM world.notes"))[0];
    const before = await count();
    const { mistakes, untried } = await check(
      {
        add: "-- @param body string required\nINSERT INTO notes (city_id, author, body) VALUES (1, 'x', :body)",
      },
      { editor: ["query:add"] },
    );
    expect({ mistakes, untried }).toEqual({ mistakes: [], untried: [] });
    expect(await count()).toEqual(before);
  });

  // MySQL has no sequences.
  test.skipIf(engine === "mysql")("a sequence keeps its next value", async () => {
    const editor = "'gw_editor'@'%'";
    const next = async () => {
      const [rows] = await administrator.query<RowDataPacket[]>(
        engine === "tidb"
          ? "SHOW TABLE world.tickets NEXT_ROW_ID"
          : "SELECT next_not_cached_value FROM world.tickets",
      );
      return rows;
    };
    await administrator.query("CREATE SEQUENCE world.tickets NOCACHE");
    await administrator.query(
      "CREATE TABLE world.ticketed (id INT PRIMARY KEY, ticket BIGINT DEFAULT NEXT VALUE FOR world.tickets)",
    );
    try {
      for (const table of ["tickets", "ticketed"])
        await administrator.query(`GRANT SELECT, INSERT, UPDATE ON world.${table} TO ${editor}`);
      const before = await next();
      const { mistakes, untried } = await check(
        {
          add: "INSERT INTO ticketed (id, ticket) VALUES (1, DEFAULT)",
          anew: "UPDATE ticketed SET ticket = DEFAULT WHERE id = 1",
          taken: "SELECT ticket FROM ticketed WHERE id = NEXT VALUE FOR tickets",
        },
        { editor: ["query:*"] },
      );
      expect({ mistakes, untried }).toEqual({ mistakes: [], untried: [] });
      expect(await next()).toEqual(before);
    } finally {
      await administrator.query(`REVOKE SELECT, INSERT, UPDATE ON world.ticketed FROM ${editor}`);
      await administrator.query(`REVOKE SELECT, INSERT, UPDATE ON world.tickets FROM ${editor}`);
      await administrator.query("DROP TABLE world.ticketed");
      await administrator.query("DROP SEQUENCE world.tickets");
    }
  });

  test("the output names what was not tried", async () => {
    const { warnings, mistakes, notes } = await check(
      {
        lonely: "SELECT id FROM cities",
        waits: "SELECT SLEEP(100) AS a",
      },
      { analyst: ["query:waits"] },
    );
    expect(mistakes).toEqual([]);
    const lonely = "queries/lonely.sql:1:1: not tried: no grant lets an account run it";
    const waits =
      engine === "tidb"
        ? "queries/waits.sql:1:1: not tried: TiDB runs functions of constants, DEFAULT, and some subqueries, while it prepares a statement"
        : "queries/waits.sql:1:1: its plan is not known: EXPLAIN would run a part of it (a subquery, a function, or a view with one)";
    expect(warnings).toEqual([lonely, waits]);
    expect(notes).toEqual([expect.stringMatching(new RegExp(`^1 saved queries as analyst, ${engine} \\S+`))]);
  });

  test("a login that is refused could not be tried", async () => {
    process.env.ANALYST_PASSWORD = "wrong";
    const { untried, mistakes } = await check({ good: "SELECT id FROM cities" });
    process.env.ANALYST_PASSWORD = server.passwords.ANALYST_PASSWORD ?? "";
    expect(untried).toEqual([expect.stringMatching(/^analyst: database_login_failed: 1045 /)]);
    expect(mistakes).toEqual([]);
  });

  // TiDB has no lock that a PREPARE waits for.
  test.skipIf(engine === "tidb")(
    "a table that is locked could not be tried; what came before it is told",
    async () => {
      const changer = await connectAdministrator(databaseServer());
      await administrator.query("CREATE TABLE IF NOT EXISTS world.changing (id INT)");
      try {
        await administrator.query("BEGIN");
        await administrator.query("SELECT * FROM world.changing");
        const change = changer.query("ALTER TABLE world.changing ADD COLUMN more INT");
        await expect.poll(waitsForTable).toBe(true);
        const { untried, mistakes } = await check(
          { broken: "SELECT nam FROM countries", locked: "SELECT id FROM changing" },
          { analyst: ["query:*"] },
          { deadlineMs: 2000 },
        );
        expect(untried).toEqual(["analyst: no answer within 2000 ms; check for locks on its tables"]);
        expect(mistakes).toEqual([expect.stringMatching(/^queries\/broken\.sql:1:8: as analyst: 1054: /)]);
        await administrator.query("COMMIT");
        await change;
      } finally {
        await administrator.query("ROLLBACK");
        await administrator.query("DROP TABLE world.changing");
        await changer.end();
      }
    },
  );
});

async function waitsForTable(): Promise<boolean> {
  const [rows] = await administrator.query<RowDataPacket[]>("SHOW PROCESSLIST");
  return rows.some(({ State }) => State === "Waiting for table metadata lock");
}

describe("npm run check -- --env development --database", () => {
  const words = ["--database"];

  test("the sample's queries are good: 0, and queries.lock is written", async () => {
    const grants = { analyst: ["sql:read"], editor: ["query:*"] };
    const { status, stdout, stderr, lock } = await runCheck(grants, { words });
    expect(stderr).toBe("");
    const asked = /^development: good\ndevelopment, database: \d+ saved queries as editor, [\s\S]*/.source;
    const written =
      /queries\.lock: add-note: new, no columns\nqueries\.lock: cities-by-country: new, 6 columns\n/.source;
    expect(stdout).toMatch(new RegExp(`${asked}${written}[\\s\\S]*\ndevelopment, database: good\n$`));
    expect(status).toBe(0);
    const again = await runCheck(grants, { words, lock });
    expect(again).toMatchObject({ status: 0, stderr: "", lock });
    expect(again.stdout).not.toContain("queries.lock");
    // Without a database: nothing is stale.
    const alone = await runCheck(grants, { lock });
    expect(alone).toMatchObject({ status: 0, stdout: "development: good\n", stderr: "" });
  });

  test("a query that changed, one that is new and one that is gone: 1 without a database, renewed with it", async () => {
    const grants = { editor: ["query:*"] };
    const { lock: first = "" } = await runCheck(grants, {
      words,
      queries: { gone: "SELECT id FROM cities" },
    });
    // The file's server stays as it is while nothing else changes.
    const lock = first.replace(/"version": "[^"]*"/, '"version": "1.2.3"').replace(/"gone"/, '"away"');
    const queries = { "more-cities": "SELECT id, name FROM cities", regions: "SELECT region FROM countries" };
    const alone = await runCheck(grants, { lock, queries });
    expect({ status: alone.status, lock: alone.lock }).toEqual({ status: 1, lock });
    expect(alone.stderr).toBe(
      "queries.lock: 3 mistake(s)\n" +
        "- queries.lock lacks queries/more-cities.sql, about which no database was asked: npm run check -- --env NAME --database writes it\n" +
        "- queries.lock: queries/regions.sql has changed since a database was asked about it: npm run check -- --env NAME --database writes it anew\n" +
        "- queries.lock has away, and there is no queries/away.sql: npm run check -- --env NAME --database writes it without it\n",
    );
    const deployed = await runCheck(grants, { command: "deploy", words: ["--dry-run"], lock, queries });
    expect(deployed.stderr).toBe(
      alone.stderr.replace(/^queries\.lock: 3 mistake\(s\)/, "Not deployed: lock: 3 mistakes"),
    );
    expect(deployed.status).toBe(2);
    const asked = await runCheck(grants, { words, lock, queries });
    expect(asked.stdout).toContain(
      "\nqueries.lock: more-cities: new, 2 columns\nqueries.lock: regions: another text, 1 column\nqueries.lock: away: removed\n",
    );
    expect(asked.status).toBe(0);
    expect(asked.lock).not.toContain("1.2.3");
  });

  test("a lock of another database: 1, with the columns that differ; --relock believes the database", async () => {
    const grants = { editor: ["query:*"] };
    const { lock: first = "" } = await runCheck(grants, { words });
    const lock = first
      .replace(/"version": "[^"]*"/, '"version": "1.2.3"')
      .replace('"name": "latitude", "type": "DOUBLE"', '"name": "latitude", "type": "FLOAT"')
      .replace(/\{ "name": "code3".*\n/, "")
      .replace('"name": "official_name"', '"name": "long_name"');
    const { status, stderr, lock: after } = await runCheck(grants, { words, lock });
    expect({ status, after }).toEqual({ status: 1, after: lock });
    expect(stderr).toMatch(
      /^development, database: 2 mistake\(s\)\n- queries\/cities-by-country\.sql:\d+:1: the column latitude is DOUBLE, not FLOAT\. The text is the one that queries\.lock knows from \w+ 1\.2\.3: this is another database, or it has changed\. With --relock it is right\n- queries\/country\.sql:\d+:1: the column long_name \(VARCHAR\) is missing, the column code3 \(CHAR\) is additional, the column official_name \(VARCHAR\) is additional\. /,
    );
    const relocked = await runCheck(grants, { words: [...words, "--relock"], lock });
    expect(relocked).toMatchObject({ status: 0, stderr: "", lock: first });
    expect(relocked.stdout).toContain(
      "\nqueries.lock: cities-by-country: other columns, 6 columns\nqueries.lock: country: other columns, 15 columns\n",
    );
  });

  test("a lock that cannot be read: 2", async () => {
    const { status, stderr, lock } = await runCheck({ editor: ["query:*"] }, { words, lock: "<<<<<<< HEAD" });
    expect(stderr).toContain("queries.lock cannot be read: remove it, and write it again with npm run check");
    expect({ status, lock }).toEqual({ status: 2, lock: "<<<<<<< HEAD" });
  });

  test("a grant opens what its account cannot do: 1, and no lock is written", async () => {
    const { status, stderr, lock } = await runCheck({ analyst: ["query:*"] }, { words });
    // A right that a reader's account must not have, because a grant writes with it.
    expect(stderr).toMatch(
      /^development, database: 1 mistake\(s\)\n- queries\/add-note\.sql:\d+:\d+: as analyst: 1142: INSERT command denied to user /m,
    );
    expect({ status, lock }).toEqual({ status: 1, lock: undefined });
  });

  test("a login that is refused: 2, and no lock is written", async () => {
    const environment = { EDITOR_PASSWORD: "wrong" };
    const { status, stderr, lock } = await runCheck({ editor: ["query:*"] }, { words, environment });
    expect(stderr).toMatch(
      /^development, database: could not be tried: editor: database_login_failed: 1045 /m,
    );
    expect({ status, lock }).toEqual({ status: 2, lock: undefined });
  });
});

test("without an environment nothing is tried: 2", () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(packageRoot, "cli", "tidegate.ts"), "check", "--database"],
    {
      ...{ cwd: packageRoot, encoding: "utf8" },
    },
  );
  expect(stderr).toContain("npm run check -- --env NAME --database");
  expect(status).toBe(2);
});
