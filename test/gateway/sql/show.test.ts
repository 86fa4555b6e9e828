import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { parseCatalog } from "../../../src/catalog/parse.ts";
import { acceptedShow, refusedShow } from "../../statements/show-table.ts";
import { restored, texts } from "../support/commands.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import {
  databaseServer,
  engine,
  expectProblem,
  issuers,
  read,
  startGateway,
  startProxy,
} from "../support/harness.ts";
import { createLogin, password } from "../support/logins.ts";

/** SHOW by callers: its list of forms, in every place that accepts a statement. */

let proxy: CountingProxy;
let gateway: Gateway;
beforeAll(async () => {
  proxy = await startProxy();
  const grant = { issuer: issuers.remote, account: "analyst", allow: ["sql:read", "transaction"] };
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${proxy.port}`] },
    grants: [grant],
  });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
});

async function post(path: string, body: unknown) {
  const headers = {
    authorization: `Bearer ${await gateway.token()}`,
    "content-type": "application/json",
  };
  return await read(await gateway.fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

describe("a form of the list", () => {
  const asked = new Map<string, { status: number; code: string | undefined }>();
  beforeAll(async () => {
    for (const sql of acceptedShow) {
      const params = sql.includes("?") ? [1] : [];
      const { status, body } = await gateway.sql({ sql, params });
      asked.set(sql, { status, code: body.code });
    }
  });

  test("reaches the server: what it answers, or refuses, is the server's word", () => {
    const answers = [undefined, "sql_denied", "sql_error"];
    expect([...asked].filter(([, { code }]) => !answers.includes(code))).toEqual([]);
  });

  test.each([
    "SHOW DATABASES WHERE `Database` <> 'x'",
    "SHOW TABLES",
    "SHOW FULL TABLES FROM world",
    "SHOW TABLE STATUS FROM world LIKE 'cities'",
    "SHOW FULL COLUMNS FROM cities FROM world LIKE 'n%'",
    "SHOW INDEXES IN world.cities WHERE Non_unique = 0",
    "SHOW CREATE TABLE `world` . `cities`",
    "SHOW CREATE SCHEMA IF NOT EXISTS world",
    "SHOW CHARACTER SET LIKE 'utf8%'",
    "SHOW COLLATION WHERE Charset = 'utf8mb4'",
    "SHOW VARIABLES LIKE 'sql_mode'",
    "SHOW SESSION STATUS LIKE 'Ssl_cipher'",
  ])("%s is answered on every engine", (sql) => {
    expect(asked.get(sql)).toEqual({ status: 200, code: undefined });
  });
});

describe("any other form", () => {
  test("is refused before anything reaches the server", async () => {
    await gateway.sql({ sql: "SELECT 1" });
    await restored(proxy);
    const mark = proxy.mark();
    for (const sql of refusedShow) {
      const answer = await gateway.sql({ sql });
      expectProblem(answer, 400, "statement_refused");
      expect(answer.body.reason, sql).toBe("not_allowed");
    }
    await restored(proxy);
    expect(texts(mark.commands)).toEqual([]);
  });

  // With sql:server the first two are answered.
  const secret = {
    mysql: "SHOW CREATE USER CURRENT_USER()",
    mariadb: "SHOW GRANTS",
    tidb: "SHOW SESSION_STATES",
  }[engine];

  function expectRefused(answer: Answer): void {
    if (engine === "tidb") expectProblem(answer, 400, "statement_refused");
    else expectProblem(answer, 403, "access_denied");
  }

  test(`is refused in a batch: ${secret}`, async () => {
    const answer = await post("/v1/batch", { statements: [{ sql: "SELECT 1" }, { sql: secret }] });
    expectRefused(answer);
  });

  test(`is refused in a transaction, which goes on: ${secret}`, async () => {
    const { id } = (await post("/v1/transactions", {})).body;
    expectRefused(await post(`/v1/transactions/${id}/sql`, { sql: secret }));
    const { body } = await post(`/v1/transactions/${id}/sql`, { sql: "SELECT 'on' AS it" });
    expect(body.rows).toEqual([{ it: "on" }]);
    const headers = { authorization: `Bearer ${await gateway.token()}` };
    expect((await gateway.fetch(`/v1/transactions/${id}`, { method: "DELETE", headers })).status).toBe(200);
  });

  test(`is refused as a saved query: ${secret}`, () => {
    const file = { name: "whoami.sql", text: `-- Who is it?\n${secret}\n` };
    expect(() => parseCatalog([file])).toThrow(/whoami\.sql:2:1: SHOW is accepted for/);
  });

  // MySQL 9.7 shows <secret> instead of the hash; for TiDB see test/gateway/tidb/session-states.test.ts.
  test.runIf(engine === "mariadb")("tells the login its own password's hash", async () => {
    const administrator = await connectAdministrator(databaseServer());
    await createLogin(administrator, "gw_shown", "IDENTIFIED BY SECRET REQUIRE SSL");
    const login = await connect(databaseServer(), "gw_shown", password);
    const [rows] = await login.query(secret);
    await login.end();
    await administrator.query("DROP USER gw_shown");
    await administrator.end();
    expect(JSON.stringify(rows)).toMatch(/BY PASSWORD '\*[0-9A-F]{40}'/);
  });
});

test("a plan is told of one's own statement, not of another connection's", async () => {
  const id = (await gateway.sql({ sql: "SELECT CONNECTION_ID() AS id" })).body.rows[0].id;
  for (const sql of [`EXPLAIN FOR CONNECTION ${id}`, `EXPLAIN FOR ${id}`, `SHOW EXPLAIN FOR ${id}`]) {
    expectProblem(await gateway.sql({ sql }), 403, "access_denied");
  }
  expect((await gateway.sql({ sql: "EXPLAIN SELECT * FROM cities" })).status).toBe(200);
});
