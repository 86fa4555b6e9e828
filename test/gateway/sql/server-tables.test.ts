import { randomUUID } from "node:crypto";
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { connect, connectAdministrator } from "../../../servers/database/connection.ts";
import { acceptedShow, serverShow } from "../../statements/show-table.ts";
import { has } from "../support/features.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { databaseServer, engine, expectProblem, issuers, startGateway } from "../support/harness.ts";
import { createLogin, password } from "../support/logins.ts";

/** What the server shows of other callers on their shared plain login: nothing without sql:server. */

const user = "gw_watched";
const secret = `value-${randomUUID()}`;
const definer = "definer_of_watched";

let administrator: Connection;
let victim: Connection;
let victimId: number;
let gateway: Gateway;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await createLogin(administrator, user, "IDENTIFIED BY SECRET REQUIRE SSL");
  await createLogin(administrator, definer, "IDENTIFIED BY SECRET REQUIRE SSL");
  await administrator.query("DROP DATABASE IF EXISTS watched");
  await administrator.query("CREATE DATABASE watched");
  await administrator.query(`GRANT SELECT, SHOW VIEW ON watched.* TO ${user}`);
  // The caller's own table with the name of one of the server's.
  await administrator.query("CREATE TABLE watched.processlist (info VARCHAR(20))");
  await administrator.query("INSERT INTO watched.processlist VALUES ('ours')");
  await administrator.query("CREATE TABLE watched.user (info VARCHAR(20))");
  if (has.storedPrograms) {
    await administrator.query(`CREATE DEFINER = ${definer} PROCEDURE watched.p() SELECT 1`);
    await administrator.query(`CREATE DEFINER = ${definer} VIEW watched.seen AS SELECT 1`);
  }
  victim = await connect(databaseServer(), user, password);
  [[{ victimId }]] = (await victim.query("SELECT CONNECTION_ID() AS victimId")) as unknown as [
    [{ victimId: number }],
  ];
  // A KILL ends it. Its value is bound; it is also in the text where the server does not show bound values.
  const sleeping = victim.execute(`SELECT SLEEP(600), ?, '${secret}' AS text`, [secret]);
  sleeping.catch(() => {});
  const account = { user, password: "ANALYST_PASSWORD" };
  const grant = { issuer: issuers.remote, account: "watched" };
  gateway = await startGateway({
    cluster: { database: "watched" },
    accounts: { watched: account },
    grants: [
      { ...grant, claims: { role: "reader" }, allow: ["sql:read", "transaction"] },
      { ...grant, claims: { role: "operator" }, allow: ["sql:read", "sql:server", "transaction"] },
      { ...grant, claims: { role: "server" }, allow: ["sql:server"] },
    ],
  });
  await vi.waitFor(
    async () => {
      if (!(await send("operator", "SHOW FULL PROCESSLIST")).text.includes("SLEEP"))
        throw new Error("not yet");
    },
    { timeout: 30_000 },
  );
});
afterAll(async () => {
  await gateway?.close();
  await administrator?.query(engine === "tidb" ? `KILL TIDB ${victimId}` : `KILL ${victimId}`);
  victim?.destroy();
  await administrator?.query("DROP DATABASE IF EXISTS watched");
  for (const login of [user, definer]) await administrator?.query(`DROP USER IF EXISTS ${login}`);
  await administrator?.end();
});

async function send(role: string, sql: string): Promise<Answer & { text: string }> {
  const answer = await gateway.sql({ sql, params: sql.includes("?") ? [1] : [] }, { role });
  return { ...answer, text: JSON.stringify(answer.body) };
}

const telling = [
  "SHOW PROCESSLIST",
  "SHOW FULL PROCESSLIST",
  "SELECT * FROM information_schema.PROCESSLIST",
  "SELECT p.info FROM `Information_Schema` /* x */ . PROCESSLIST AS p",
  "WITH p AS (SELECT * FROM information_schema.processlist) SELECT * FROM p",
  "SELECT (SELECT GROUP_CONCAT(info) FROM information_schema.processlist) AS them",
];

describe("another connection's statement with its values", () => {
  test.each(telling)("is told with sql:server: %s", async (sql) => {
    const { status, text } = await send("operator", sql);
    expect(status).toBe(200);
    expect(text).toContain("SLEEP");
    if (!/^SHOW PROC/.test(sql)) expect(text).toContain(secret);
  });

  test.each([
    ...telling,
    "TABLE information_schema.processlist",
    "DESCRIBE information_schema.processlist",
    "EXPLAIN SELECT * FROM information_schema.processlist",
    "SHOW TABLES WHERE (SELECT COUNT(*) FROM information_schema.processlist)",
    "SELECT * FROM performance_schema.threads",
    "SELECT * FROM information_schema.CLUSTER_PROCESSLIST",
    "SELECT * FROM mysql.user",
    "SELECT * FROM information_schema.a_table_of_next_year",
    "SELECT @@tidb_config",
    "SHOW GRANTS",
    "EXPLAIN FOR CONNECTION 1",
  ])("is refused without it: %s", async (sql) => {
    const answer = await send("reader", sql);
    expectProblem(answer, 403, "access_denied");
    expect(answer.body.detail).toBe("The grant does not allow sql:server.");
  });

  // MariaDB reads the rest of such a name as a directory's name. A login with SELECT ON *.* may read all of
  // them.
  test.runIf(engine === "mariadb")("is refused by the name of the schema's directory", async () => {
    const sql = "SELECT COUNT(*) AS accounts FROM `#mysql50#mysql`.global_priv";
    const [[told]] = await administrator.query<RowDataPacket[]>(sql);
    expect(told?.accounts).toBeGreaterThan(0);
    expectProblem(await send("reader", sql), 403, "access_denied");
    expectProblem(
      await send("reader", sql.replace("#mysql50#mysql", "#MySQL50#Mysql")),
      403,
      "access_denied",
    );
  });

  // Names in other letters that a server accepts for its own, which the gateway must notice.
  const disguised = {
    mysql: ["SELECT @@`\u00eenit_connect`", "SELECT 1 FROM information_schema.`proce\u017f\u017flist`"],
    mariadb: ["SELECT 1 FROM information_schema.`processl\u0130st`"],
    tidb: [
      "SELECT @@`t\u0130db_config`",
      "SELECT t\u0130db_decode_sql_d\u0130gests('[]')",
      "SELECT 1 FROM `\u0130nformation_schema`.processlist",
    ],
  }[engine];
  test.each(disguised)("is refused in letters that the server takes for others: %s", async (sql) => {
    await administrator.query(sql);
    expectProblem(await send("reader", sql), 403, "access_denied");
  });

  test("is refused in a batch and in a transaction too", async () => {
    const sql = "SELECT * FROM information_schema.processlist";
    const headers = { authorization: `Bearer ${await gateway.token({ role: "reader" })}` };
    const { id } = (await gateway.sql({}, { path: "/v1/transactions", headers, role: "reader" })).body;
    const path = `/v1/transactions/${id}`;
    for (const answer of [
      await gateway.sql(
        { statements: [{ sql: "SELECT 1" }, { sql }] },
        { role: "reader", path: "/v1/batch" },
      ),
      await gateway.sql({ sql }, { role: "reader", path: `${path}/sql` }),
    ]) {
      expectProblem(answer, 403, "access_denied");
    }
    const told = await gateway.sql({ sql }, { role: "operator", path: `${path}/sql` });
    expect(JSON.stringify(told.body)).toContain(secret);
    expect((await gateway.fetch(path, { method: "DELETE", headers })).status).toBe(200);
  });

  test("needs sql:read besides sql:server", async () => {
    expectProblem(await send("server", "SHOW PROCESSLIST"), 403, "access_denied");
  });

  test("a table of the caller's own with such a name is read", async () => {
    for (const sql of [
      "SELECT * FROM processlist",
      "SELECT * FROM watched.processlist",
      "SELECT watched.processlist.info FROM watched.processlist JOIN `processlist` AS p USING (info)",
    ]) {
      expect((await send("reader", sql)).body.rows).toEqual([{ info: "ours" }]);
    }
    expect((await send("reader", "SELECT * FROM user")).body.rows).toEqual([]);
  });
});

describe("of everything that sql:read may ask", () => {
  const marks = [secret, user, definer];

  test("no table of information_schema names a statement or an account", async () => {
    const [tables] = await administrator.query<RowDataPacket[]>(
      "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'information_schema'",
    );
    const asked = { told: [] as string[], read: [] as string[], denied: 0 };
    for (const { name } of tables) {
      const { status, text } = await send("reader", `SELECT * FROM information_schema.${name}`);
      if (status === 403) asked.denied += 1;
      else asked.read.push(name);
      if (marks.some((mark) => text.includes(mark))) asked.told.push(name);
    }
    expect(asked.told).toEqual([]);
    expect(asked.denied).toBeGreaterThan(20);
    expect(asked.read.map((name) => name.toUpperCase())).toEqual(
      expect.arrayContaining(["TABLES", "COLUMNS", "STATISTICS", "COLLATIONS"]),
    );
  });

  test("no form of SHOW does, but for the account that defined a view", async () => {
    const told: string[] = [];
    for (const sql of acceptedShow) {
      const { text } = await send("reader", sql);
      if (marks.some((mark) => text.includes(mark))) told.push(sql);
    }
    expect(told).toEqual([]);
    if (has.storedPrograms) expect((await send("reader", "SHOW CREATE VIEW seen")).text).toContain(definer);
    for (const sql of serverShow) expectProblem(await send("reader", sql), 403, "access_denied");
  });
});
