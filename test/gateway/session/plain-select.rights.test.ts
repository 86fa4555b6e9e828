import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, connectAdministrator } from "../../../servers/database/connection.ts";
import type { Engine } from "../../../servers/database/server.ts";
import { has } from "../support/features.ts";
import { databaseServer, engine } from "../support/harness.ts";
import { password } from "../support/logins.ts";
import { arePlain } from "./plain.ts";

/**
 * information_schema shows an account only some objects. Each object that an account can read must be shown
 * to it, however it got the right; what is not shown must not be plain.
 */

let administrator: Connection;
const login = "gw_plain_rights";
const proxied = "plain_proxied";

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await run(
    "DROP DATABASE IF EXISTS plain_rights",
    "CREATE DATABASE plain_rights",
    "USE plain_rights",
    "CREATE TABLE base (id INT, name VARCHAR(20))",
    "INSERT INTO base VALUES (1, 'one')",
    "CREATE SQL SECURITY DEFINER VIEW seen AS SELECT id, name FROM base",
    `DROP USER IF EXISTS ${login}`,
    `DROP USER IF EXISTS ${proxied}`,
    "DROP ROLE IF EXISTS plain_role",
    "CREATE ROLE plain_role",
  );
});
afterAll(async () => {
  await run(
    "DROP DATABASE IF EXISTS plain_rights",
    `DROP USER IF EXISTS ${login}`,
    `DROP USER IF EXISTS ${proxied}`,
    "DROP ROLE IF EXISTS plain_role",
  );
  await administrator?.end();
});

async function run(...statements: string[]): Promise<void> {
  for (const sql of statements) await administrator?.query(sql);
}

interface Way {
  name: string;
  engines?: readonly Engine[];
  /** The statements that give the rights; LOGIN is the login. */
  grants: string[];
  /** What the session does after its login. */
  first?: string[];
}

const identified = `IDENTIFIED BY '${password.replace("'", "''")}' REQUIRE SSL`;
const setRole = engine === "mariadb" ? "SET ROLE plain_role" : "SET ROLE 'plain_role'";

const ways: Way[] = [
  { name: "on the database", grants: ["GRANT SELECT ON plain_rights.* TO LOGIN"] },
  { name: "on everything", grants: ["GRANT SELECT ON *.* TO LOGIN"] },
  {
    name: "on single tables and views",
    grants: ["GRANT SELECT ON plain_rights.base TO LOGIN", "GRANT SELECT ON plain_rights.seen TO LOGIN"],
  },
  {
    name: "on single columns",
    engines: ["mysql", "mariadb"],
    grants: [
      "GRANT SELECT (id) ON plain_rights.base TO LOGIN",
      "GRANT SELECT (id) ON plain_rights.seen TO LOGIN",
    ],
  },
  {
    name: "by an active role, on single tables and views",
    grants: [
      "GRANT SELECT ON plain_rights.base TO plain_role",
      "GRANT SELECT ON plain_rights.seen TO plain_role",
      "GRANT plain_role TO LOGIN",
    ],
    first: [setRole],
  },
  {
    name: "by an active role, on single columns",
    engines: ["mysql", "mariadb"],
    grants: [
      "GRANT SELECT (id) ON plain_rights.base TO plain_role",
      "GRANT SELECT (id) ON plain_rights.seen TO plain_role",
      "GRANT plain_role TO LOGIN",
    ],
    first: [setRole],
  },
  {
    name: "as a proxied account",
    engines: ["mysql"],
    grants: [
      `CREATE USER ${proxied} IDENTIFIED WITH mysql_no_login`,
      `GRANT SELECT ON plain_rights.base TO ${proxied}`,
      `GRANT SELECT (id) ON plain_rights.seen TO ${proxied}`,
      `GRANT PROXY ON ${proxied} TO LOGIN`,
    ],
  },
];

/** Makes the login anew, with these rights alone, and uses its session. */
async function asLogin(grants: string[], first: string[], use: (session: Connection) => Promise<void>) {
  await run(
    `DROP USER IF EXISTS ${login}`,
    `DROP USER IF EXISTS ${proxied}`,
    "DROP ROLE IF EXISTS plain_role",
  );
  await run("CREATE ROLE plain_role", `CREATE USER ${login} ${identified}`);
  await run(...grants.map((sql) => sql.replaceAll("LOGIN", login)));
  const session = await connect(databaseServer(), login, password);
  try {
    for (const sql of [...first, "USE plain_rights"]) await session.query(sql);
    await use(session);
  } finally {
    await session.end();
  }
}

describe("an account that may read a table and a view", () => {
  test.each(ways.filter(({ engines = [engine] }) => engines.includes(engine)))(
    "$name sees that the view is one",
    async ({ grants, first = [] }) => {
      await asLogin(grants, first, async (session) => {
        const texts = ["SELECT id FROM base", "SELECT id FROM seen", "SELECT seen.id FROM base AS seen"];
        for (const sql of texts) expect((await session.query(sql))[0]).toEqual([{ id: 1 }]);
        expect(await arePlain(session, ...texts)).toEqual([true, false, false]);
      });
    },
  );

  test("of which it has lost the right sees neither, and neither is plain", async () => {
    await asLogin(["GRANT SELECT ON plain_rights.base TO LOGIN"], [], async (session) => {
      expect(await arePlain(session, "SELECT id FROM base", "SELECT id FROM seen")).toEqual([true, false]);
      await run(
        "CREATE TABLE IF NOT EXISTS unrelated (id INT)",
        `GRANT SELECT ON plain_rights.unrelated TO ${login}`,
      );
      await run(`REVOKE SELECT ON plain_rights.base FROM ${login}`);
      expect(await arePlain(session, "SELECT id FROM base", "SELECT id FROM seen")).toEqual([false, false]);
    });
  });
});

test.runIf(has.sequences)("an account that may use a sequence sees that it is one", async () => {
  await run("CREATE SEQUENCE IF NOT EXISTS counter");
  const grants = [
    "GRANT SELECT ON plain_rights.base TO LOGIN",
    "GRANT SELECT, INSERT ON plain_rights.counter TO LOGIN",
  ];
  await asLogin(grants, [], async (session) => {
    await session.query("SELECT NEXTVAL(counter)");
    const texts = ["SELECT 1 FROM counter", "SELECT id AS counter FROM base", "SELECT id FROM base"];
    expect(await arePlain(session, ...texts)).toEqual([false, false, true]);
  });
});

test.runIf(has.storedPrograms)("an account that may execute a routine sees it", async () => {
  await run(
    "CREATE FUNCTION own () RETURNS INT DETERMINISTIC NO SQL RETURN 1",
    "CREATE PROCEDURE act () SELECT 1",
    "CREATE FUNCTION `concat` () RETURNS INT DETERMINISTIC NO SQL RETURN 1",
  );
  try {
    const grants = [
      "GRANT SELECT ON plain_rights.base TO LOGIN",
      "GRANT EXECUTE ON FUNCTION plain_rights.own TO LOGIN",
      "GRANT EXECUTE ON PROCEDURE plain_rights.act TO LOGIN",
      "GRANT EXECUTE ON FUNCTION plain_rights.`concat` TO LOGIN",
    ];
    await asLogin(grants, [], async (session) => {
      await session.query("SELECT own()");
      await session.query("CALL act()");
      const texts = [
        "SELECT id AS own FROM base",
        "SELECT id AS act FROM base",
        "SELECT CONCAT(name) AS v FROM base",
        "SELECT id FROM base",
      ];
      expect(await arePlain(session, ...texts)).toEqual([false, false, false, true]);
    });
  } finally {
    await run("DROP FUNCTION own", "DROP PROCEDURE act", "DROP FUNCTION `concat`");
  }
});

/** TiDB 8.5 accepts a grant on columns, and still refuses the SELECT. */
describe.runIf(engine === "mariadb")("virtual columns, where an account may read only some columns", () => {
  beforeAll(async () => {
    await run(
      "CREATE TABLE hiding (name VARCHAR(20), c VARCHAR(20) AS (@left := name) VIRTUAL, d VARCHAR(20) AS (CONCAT(c, '')) VIRTUAL)",
      "INSERT INTO hiding (name) VALUES ('left behind')",
    );
  });

  test("a visible column that is computed from a hidden one is not plain", async () => {
    await asLogin(["GRANT SELECT (name, d) ON plain_rights.hiding TO LOGIN"], [], async (session) => {
      await session.query("SELECT d FROM hiding");
      expect(await arePlain(session, "SELECT d FROM hiding")).toEqual([false]);
    });
  });

  test("where none is visible, none can be read or evaluated", async () => {
    await asLogin(["GRANT SELECT (name) ON plain_rights.hiding TO LOGIN"], [], async (session) => {
      await run("FLUSH TABLES");
      for (const sql of ["SELECT c FROM hiding", "SELECT d FROM hiding", "SELECT * FROM hiding"])
        await expect(session.query(sql)).rejects.toMatchObject({ errno: expect.toBeOneOf([1142, 1143]) });
      await session.query("SELECT name, COUNT(*) FROM hiding GROUP BY name ORDER BY name");
      expect((await session.query("SELECT @left AS value"))[0]).toEqual([{ value: null }]);
    });
  });
});
