import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { lineOf, logged } from "../support/ask.ts";
import { has } from "../support/features.ts";
import { engine, expectProblem, server, startGateway } from "../support/harness.ts";
import type { ThroughHyperdrive } from "../support/through-hyperdrive.ts";
import {
  asAdministrator,
  bindings,
  grant,
  hyperdriveAccount,
  hyperdriveCluster,
  startThroughHyperdrive,
  written,
} from "../support/through-hyperdrive.ts";

let world: ThroughHyperdrive;
beforeAll(async () => {
  world = await startThroughHyperdrive({ grants: [grant("analyst"), grant("editor")] });
});
afterEach(() => {
  for (const standIn of Object.values(world.standIns)) standIn.react();
});
afterAll(() => world?.close());

const role = "editor";
const grantee = server.actsAs.editor === undefined ? "gw_editor" : "editor";

/** Makes a procedure that the editor may call, while `use` runs. */
async function withProcedure(name: string, body: string, use: () => Promise<void>): Promise<void> {
  await asAdministrator(async (administrator) => {
    try {
      await administrator.query(`DROP PROCEDURE IF EXISTS world.${name}`);
      await administrator.query(`CREATE PROCEDURE world.${name}() ${body}`);
      await administrator.query(`GRANT EXECUTE ON PROCEDURE world.${name} TO ${grantee}`);
      await use();
    } finally {
      await administrator.query(`DROP PROCEDURE IF EXISTS world.${name}`);
    }
  });
}

describe("every transaction proves the identity and the settings that decide how statements are read", () => {
  test("another login at the other end of the binding is refused", async () => {
    const other = await startGateway({
      cluster: hyperdriveCluster,
      accounts: { analyst: hyperdriveAccount("analyst"), editor: hyperdriveAccount("editor") },
      grants: [grant("analyst")],
      hyperdrive: {
        [bindings.analyst]: world.standIns.editor.connectionString,
        [bindings.editor]: world.standIns.analyst.connectionString,
      },
    });
    try {
      const answer = await other.sql({ sql: "SELECT 1 AS one" });
      expectProblem(answer, 503, "database_identity_wrong");
      expect((await lineOf(other, answer))?.reason).toMatch(
        /^USER\(\) must be "gw_analyst" but is "gw_editor"/,
      );
      expect(logged(other, "connection_refused")[0]).toMatchObject({ account: "analyst" });
    } finally {
      await other.close();
    }
  });

  test.each([
    ["NO_BACKSLASH_ESCAPES", /^@@sql_mode must be ".*" but is ".*NO_BACKSLASH_ESCAPES/],
    ["ANSI_QUOTES", /^@@sql_mode must be ".*" but is ".*ANSI_QUOTES/],
  ])("the server's own mode %s is overruled, and refused where SET is not heeded", async (mode, reason) => {
    const { analyst } = world.standIns;
    const statement = { sql: `SELECT ? AS a, "it's" AS b`, params: ["\\' OR 1 -- "] };
    await asAdministrator(async (administrator) => {
      try {
        await administrator.query("SET @before = @@GLOBAL.sql_mode");
        await administrator.query(`SET GLOBAL sql_mode = CONCAT(@@GLOBAL.sql_mode, ',${mode}')`);
        analyst.forget();
        const heeded = await world.gateway.sql(statement);
        expect(heeded.body.rows).toEqual([{ a: "\\' OR 1 -- ", b: "it's" }]);
        analyst.forget();
        analyst.react((sql) => (sql.startsWith("SET ") ? { errno: 1295, message: "no SET" } : "forward"));
        const sent = analyst.statements.length;
        const refused = await world.gateway.sql(statement);
        expectProblem(refused, 503, "database_identity_wrong");
        expect((await lineOf(world.gateway, refused))?.reason).toMatch(reason);
        // The gateway never sent the statement itself.
        expect(analyst.statements.slice(sent)).toHaveLength(3);
      } finally {
        await administrator.query("SET GLOBAL sql_mode = @before");
        analyst.forget();
      }
    });
  });
});

test("the account's modes and zone are said in every transaction, and a zone that is not known is told", async () => {
  const own = { sql_mode: ["STRICT_ALL_TABLES", "NO_ZERO_DATE"], time_zone: "+05:30" };
  const other = await startGateway({
    cluster: hyperdriveCluster,
    accounts: {
      analyst: { ...hyperdriveAccount("analyst"), ...own },
      editor: { ...hyperdriveAccount("editor"), time_zone: "Nowhere/Atlantis" },
    },
    grants: [grant("analyst"), grant("editor")],
    hyperdrive: {
      [bindings.analyst]: world.standIns.analyst.connectionString,
      [bindings.editor]: world.standIns.editor.connectionString,
    },
  });
  try {
    const sql = "SELECT @@sql_mode AS mode, FROM_UNIXTIME(0) AS epoch";
    const { body } = await other.sql({ sql });
    expect(body.rows).toEqual([{ mode: own.sql_mode.join(), epoch: "1970-01-01 05:30:00" }]);
    const refused = await other.sql({ sql }, { role: "editor" });
    expectProblem(refused, 503, "database_settings_refused");
    expect((await lineOf(other, refused))?.reason).toMatch(
      /^1298 Unknown or incorrect time zone: 'Nowhere\/Atlantis'/,
    );
  } finally {
    await other.close();
  }
});

describe("what a statement leaves behind on a connection does not reach the next", () => {
  test("its time limit, which another grant's would outlive", async () => {
    const variable = engine === "mariadb" ? "max_statement_time * 1000" : "max_execution_time";
    const { body } = await world.gateway.sql({ sql: `SELECT CAST(@@SESSION.${variable} AS SIGNED) AS ms` });
    expect(body.rows).toEqual([{ ms: "1000" }]);
  });

  test.skipIf(!has.storedPrograms)(
    "a mode, a time zone and a character set that a procedure has set",
    async () => {
      const { editor } = world.standIns;
      const dirty =
        "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES', SESSION time_zone = '+05:00', @@character_set_client = latin1";
      await withProcedure("hyper_dirty", dirty, async () => {
        editor.forget();
        const before = editor.opened;
        expect((await world.gateway.sql({ sql: "CALL hyper_dirty()" }, { role })).status).toBe(200);
        const next = await world.gateway.sql(
          { sql: "SELECT ? AS v, @@time_zone AS z, @@character_set_client AS c", params: ["\\' ä"] },
          { role },
        );
        expect(next.body.rows).toEqual([{ v: "\\' ä", z: "+00:00", c: "utf8mb4" }]);
        // Both statements used the same connection.
        expect(editor.opened - before).toBe(1);
      });
    },
  );
});

describe("statements that are more than one", () => {
  const insert = "INSERT INTO world.notes (city_id, author, body) VALUES (1, 'hyper-call', '')";

  test("DDL, which ends its transaction", async () => {
    await asAdministrator(async (administrator) => {
      try {
        await administrator.query(`GRANT CREATE, DROP ON world.hyper_scratch TO ${grantee}`);
        const run = async (sql: string) => (await world.gateway.sql({ sql }, { role })).status;
        expect(await run("CREATE TABLE hyper_scratch (id INT)")).toBe(200);
        expect(await run("DROP TABLE hyper_scratch")).toBe(200);
      } finally {
        await administrator.query("DROP TABLE IF EXISTS world.hyper_scratch");
      }
    });
  });

  test.skipIf(!has.storedPrograms)("a procedure with no result, with one and with two", async () => {
    const selects = ["", "SELECT 1 AS one;", "SELECT 1 AS one; SELECT 'x' AS two, 1/0 AS none;"];
    for (const [i, select] of selects.entries()) {
      await withProcedure(`hyper_${i}`, `BEGIN ${insert}; ${select} END`, async () => {
        const { body } = await world.gateway.sql({ sql: `CALL hyper_${i}()` }, { role });
        const rows = body.results.map((result: { rows: unknown[] }) => result.rows);
        expect(rows.map(([row]: [{ two?: string }]) => row.two ?? "one")).toEqual(["one", "x"].slice(0, i));
        expect(await written("hyper-call")).toBe(1);
      });
    }
  });

  test.skipIf(!has.storedPrograms)("a procedure that fails takes back what it did", async () => {
    const fails = `BEGIN ${insert}; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not so'; END`;
    await withProcedure("hyper_fails", fails, async () => {
      const answer = await world.gateway.sql({ sql: "CALL hyper_fails()" }, { role });
      expectProblem(answer, 400, "sql_error");
      expect(answer.body).toMatchObject({ errno: 1644, detail: "not so" });
      expect(await written("hyper-call")).toBe(0);
    });
  });
});

test("a binding that leads to another database is a mistake of the configuration", async () => {
  const leads = world.standIns.analyst.connectionString;
  const other = await startGateway({
    cluster: hyperdriveCluster,
    accounts: { analyst: hyperdriveAccount("analyst"), editor: hyperdriveAccount("editor") },
    hyperdrive: { [bindings.analyst]: leads.replace(/world$/, "shop") },
  });
  try {
    expect((await other.sql({ sql: "SELECT 1 AS one" })).body).toMatchObject({ code: "misconfigured" });
    expect(logged(other, "misconfigured")[0]?.mistakes).toEqual([
      'the Hyperdrive binding ANALYST_DB leads to the database "shop", not to "world"',
      "the Hyperdrive binding EDITOR_DB is missing: put it into hyperdrive of [env.NAME.worker] in tidegate.toml, with its id",
    ]);
  } finally {
    await other.close();
  }
});
