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
SELECT id, CONCAT(:a, '') FROM cities WHERE (:a IS NULL OR id = :a) AND name = :b LIMIT :a`,
    });
    expect(untried).toEqual([]);
    expect(mistakes).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^queries\/dates\.sql:1: :since is declared integer where the server takes a date/,
      ),
      expect.stringMatching(/^queries\/numbers\.sql:2: :a is declared string .* Declare it as integer: /),
      expect.stringMatching(
        /^queries\/numbers\.sql:3: :b is declared string .* Declare it as (decimal|number): /,
      ),
      expect.stringMatching(
        /^queries\/numbers\.sql:4: :jwt\.uid is declared string .* Declare it as integer: /,
      ),
      expect.stringMatching(
        /^queries\/texts\.sql:2: :a is declared integer and meets text: .* Declare it as string\.$/,
      ),
      expect.stringMatching(/^queries\/texts\.sql:3: :b is declared boolean and meets text: /),
      expect.stringMatching(/^queries\/texts\.sql:4: :c is declared decimal and meets text: /),
      expect.stringMatching(/^queries\/texts\.sql:5: :jwt\.uid is declared number, .* or say with CAST/),
    ]);
  });

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
      expect.stringMatching(/^queries\/no-column\.sql:2: as editor: 1054: Unknown column 'nam' in /),
      expect.stringMatching(/^queries\/no-privilege\.sql:2: as editor: 1142: DELETE command denied to user /),
      expect.stringMatching(
        /^queries\/no-table\.sql:3: as analyst, editor: 1146: Table 'world\.citys' doesn't exist$/,
      ),
    ]);
  });

  // MariaDB's session has no ONLY_FULL_GROUP_BY.
  test.skipIf(engine === "mariadb")("1055 says what helps", async () => {
    const sql = "SELECT population + :n AS p, COUNT(*) FROM cities GROUP BY population + :n";
    const { mistakes } = await check({ sums: `-- @param n integer required\n${sql}` });
    expect(mistakes).toEqual([
      expect.stringMatching(
        /^queries\/sums\.sql:2: as analyst: 1055: .* Write the expression once, with an alias/,
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

  test("the output names what was not tried", async () => {
    const { warnings, mistakes, notes } = await check(
      {
        lonely: "SELECT id FROM cities",
        waits: "SELECT SLEEP(100) AS a",
      },
      { analyst: ["query:waits"] },
    );
    expect(mistakes).toEqual([]);
    const lonely = "queries/lonely.sql:1: not tried: no grant lets an account run it";
    const waits =
      "queries/waits.sql:1: not tried: TiDB runs subqueries, and functions of constants, while it prepares a statement";
    expect(warnings).toEqual(engine === "tidb" ? [lonely, waits] : [lonely]);
    const untold = `${engine} does not say the types of parameters: only what it refuses was looked for`;
    expect(notes).toEqual([
      expect.stringMatching(new RegExp(`^1 saved queries as analyst, ${engine} \\S+`)),
      ...(derives ? [] : [untold]),
    ]);
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
          2000,
        );
        expect(untried).toEqual(["analyst: no answer within 2000 ms; check for locks on its tables"]);
        expect(mistakes).toEqual([expect.stringMatching(/^queries\/broken\.sql:1: as analyst: 1054: /)]);
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
    const asked = /^development: good\ndevelopment, database: 6 saved queries as editor, [\s\S]*/.source;
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
      .replace('"name": "population", "type": "INT UNSIGNED"', '"name": "population", "type": "BIGINT"')
      .replace(/\{ "name": "code3".*\n/, "")
      .replace('"name": "official_name"', '"name": "long_name"');
    const { status, stderr, lock: after } = await runCheck(grants, { words, lock });
    expect({ status, after }).toEqual({ status: 1, after: lock });
    expect(stderr).toMatch(
      /^development, database: 2 mistake\(s\)\n- queries\/cities-by-country\.sql:\d+: the column population is INT UNSIGNED, not BIGINT\. The text is the one that queries\.lock knows from \w+ 1\.2\.3: this is another database, or it has changed\. With --relock it is right\n- queries\/country\.sql:\d+: the column long_name \(VARCHAR\) is missing, the column code3 \(CHAR\) is additional, the column official_name \(VARCHAR\) is additional\. /,
    );
    const relocked = await runCheck(grants, { words: [...words, "--relock"], lock });
    expect(relocked).toMatchObject({ status: 0, stderr: "", lock: first });
    expect(relocked.stdout).toContain(
      "\nqueries.lock: cities-by-country: other columns, 6 columns\nqueries.lock: country: other columns, 15 columns\n",
    );
  });

  test("a lock that cannot be read: 1", async () => {
    const { status, stderr, lock } = await runCheck({ editor: ["query:*"] }, { words, lock: "<<<<<<< HEAD" });
    expect(stderr).toContain("queries.lock cannot be read: remove it, and write it again with npm run check");
    expect({ status, lock }).toEqual({ status: 1, lock: "<<<<<<< HEAD" });
  });

  test("a grant opens what its account cannot do: 1, and no lock is written", async () => {
    const { status, stderr, lock } = await runCheck({ analyst: ["query:*"] }, { words });
    // A right that a reader's account must not have, because a grant writes with it.
    expect(stderr).toMatch(
      /^development, database: 1 mistake\(s\)\n- queries\/add-note\.sql:\d+: as analyst: 1142: INSERT command denied to user /m,
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
