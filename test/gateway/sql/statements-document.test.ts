import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import { connect, connectAdministrator } from "../../../servers/database/connection.ts";
import { has } from "../support/features.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import {
  databaseServer,
  engine,
  expectProblem,
  issuers,
  read,
  server,
  startGateway,
} from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";

/**
 * docs/reference/statements.md: each example is executed on the engines that have it, and refused if no caller may
 * send it.
 */

/** Permissions, separated by spaces, or "never". */
type Kind = string;

const document = readFileSync(join(packageRoot, "docs", "reference", "statements.md"), "utf8");
const examples = [...document.matchAll(/```sql ([a-z ]+)\n([\s\S]*?)```/g)].flatMap(([, kind, block = ""]) =>
  block
    .trim()
    .split("\n")
    .map((sql) => ({ kind: kind ?? "", sql })),
);
const of = (fits: (kind: Kind) => boolean) => examples.filter(({ kind }) => fits(kind));
/** Each combination of permissions on the page. */
const kinds = [...new Set(examples.map(({ kind }) => kind))].filter((kind) => kind !== "never");
const onlyReads = (kind: Kind) => kind.split(" ").every((one) => one === "read" || one === "server");

/** Statements that an engine does not have, with the number of its error. */
const lacks: Record<typeof engine, Record<string, number>> = {
  mysql: {
    "ANALYZE SELECT * FROM cities": 1064,
    "SELECT * FROM cities AS OF TIMESTAMP NOW() - INTERVAL 5 SECOND": 1064,
    "EXPLAIN FORMAT = 'brief' SELECT * FROM cities": 1791,
    "SHOW CREATE SEQUENCE tickets": 1064,
    "INSERT INTO notes (city_id, body) VALUES (?, ?) RETURNING id": 1064,
    "DELETE FROM notes WHERE id = ? RETURNING *": 1064,
    "SELECT NEXTVAL(tickets)": 1305,
    "SELECT `nextval`('world.tickets')": 1305,
    "SELECT NEXT VALUE FOR tickets": 1064,
    "CREATE SEQUENCE tickets START WITH 100": 1064,
    "CREATE GLOBAL TEMPORARY TABLE scratch (id BIGINT) ON COMMIT DELETE ROWS": 1064,
    "ALTER TABLE cities SET TIFLASH REPLICA 1": 1064,
  },
  mariadb: {
    "TABLE cities LIMIT 3": 1064,
    "VALUES ROW(1, 'a'), ROW(2, 'b')": 1064,
    "EXPLAIN ANALYZE SELECT * FROM cities": 1064,
    "SELECT * FROM cities AS OF TIMESTAMP NOW() - INTERVAL 5 SECOND": 1064,
    "EXPLAIN FORMAT = 'brief' SELECT * FROM cities": 1791,
    "WITH old AS (SELECT id FROM notes) DELETE FROM notes WHERE id IN (SELECT id FROM old)": 1064,
    "SELECT `nextval`('world.tickets')": 1630,
    "CREATE GLOBAL TEMPORARY TABLE scratch (id BIGINT) ON COMMIT DELETE ROWS": 1064,
    "ALTER TABLE cities SET TIFLASH REPLICA 1": 1064,
  },
  tidb: {
    "VALUES ROW(1, 'a'), ROW(2, 'b')": 1051,
    "EXPLAIN FORMAT=JSON SELECT * FROM cities": 1105,
    "ANALYZE SELECT * FROM cities": 1064,
    "INSERT INTO notes (city_id, body) VALUES (?, ?) RETURNING id": 1064,
    "DELETE FROM notes WHERE id = ? RETURNING *": 1064,
    "CALL tidy_up(?)": 8108,
    "SELECT * FROM notes LOCK IN SHARE MODE": 1235,
    "CREATE TRIGGER stamp BEFORE INSERT ON notes FOR EACH ROW SET NEW.body = TRIM(NEW.body)": 1064,
    "CREATE PROCEDURE tidy_up(IN days INT) DELETE FROM notes WHERE age > days": 8108,
    "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM notes": 1064,
    "CREATE TABLE copies AS SELECT * FROM cities": 1105,
    "CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN 2 * n": 1064,
    // TiDB has it, but this server has no TiFlash.
    "ALTER TABLE cities SET TIFLASH REPLICA 1": 1105,
  },
};

/** The page's database, under this test's own name. */
const database = "documented";
const login = "gw_documented";
/** Where READ ONLY is not enforced, an account whose grants only read has no privilege to write. */
const reader = has.readOnly ? login : "gw_documented_reader";
const password = String(server.passwords.ANALYST_PASSWORD);
const named = (sql: string) =>
  sql.replace(/\bworld\b/g, database).replace(/\barchive\b/g, `${database}_archive`);

/** As many values as there are placeholders. */
function paramsOf(sql: string): unknown[] {
  if (sql.includes("country_code = ?")) return ["NL", 2];
  if (sql.includes("VALUES (?, ?)")) return [1, "x"];
  if (sql.includes("CASE ? WHEN 'name'")) return ["name"];
  if (sql.includes("SET body = ?")) return ["x", 1];
  return sql.includes("?") ? [1] : [];
}

const objects = [
  "CREATE TABLE cities (id INT PRIMARY KEY, name VARCHAR(50), country_code CHAR(2), population INT)",
  "INSERT INTO cities VALUES (1, 'Utrecht', 'NL', 370000), (2, 'Rotterdam', 'NL', 670000), (3, 'Paris', 'FR', 2100000)",
  "CREATE TABLE notes (id BIGINT AUTO_INCREMENT PRIMARY KEY, city_id INT, body VARCHAR(50), age INT NOT NULL DEFAULT 1, ticket INT DEFAULT 7)",
  "INSERT INTO notes (id, city_id, body) VALUES (1, 1, 'a')",
  "CREATE VIEW big_cities AS SELECT * FROM cities WHERE population > 1000000",
  ...(engine === "tidb"
    ? []
    : [
        "CREATE PROCEDURE tidy_up(IN days INT) SQL SECURITY INVOKER DELETE FROM notes WHERE age > days + 100",
      ]),
  ...(engine === "mysql" ? [] : ["CREATE SEQUENCE tickets"]),
];

let administrator: Connection;
let gateway: Gateway;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  // Otherwise only SUPER may create triggers and functions.
  if (engine === "mysql") await administrator.query("SET GLOBAL log_bin_trust_function_creators = ON");
  for (const name of new Set([login, reader]))
    await createLogin(administrator, name, "IDENTIFIED BY SECRET REQUIRE SSL");
  if (reader !== login) await administrator.query(`GRANT SELECT, SHOW VIEW ON ${database}.* TO ${reader}`);
  for (const name of [database, `${database}_archive`])
    await administrator.query(`GRANT ALL ON ${name}.* TO ${login}`);
  await makeObjects();
  gateway = await startGateway({
    cluster: { database },
    accounts: Object.fromEntries(
      [login, reader].map((user) => [user, { user, password: "ANALYST_PASSWORD" }]),
    ),
    grants: kinds.map((kind) => ({
      ...{ issuer: issuers.remote, claims: { role: kind }, account: onlyReads(kind) ? reader : login },
      allow: [...kind.split(" ").map((one) => `sql:${one}`), "transaction"],
    })),
  });
});
afterAll(async () => {
  await gateway?.close();
  for (const name of [database, `${database}_archive`])
    await administrator?.query(`DROP DATABASE IF EXISTS ${name}`);
  await administrator?.query(`DROP USER IF EXISTS ${login}, ${reader}`);
  if (engine === "mysql") await administrator?.query("SET GLOBAL log_bin_trust_function_creators = DEFAULT");
  await administrator?.end();
});

async function makeObjects(): Promise<void> {
  await administrator.query(`DROP DATABASE IF EXISTS ${database}_archive`);
  await administrator.query(`DROP DATABASE IF EXISTS ${database}`);
  await administrator.query(`CREATE DATABASE ${database}`);
  await administrator.query(`USE ${database}`);
  // The login makes it, because only an administrator may drop a view of an administrator.
  const owner = await connect(databaseServer(), login, password);
  await owner.query(`USE ${database}`);
  for (const sql of objects) await owner.query(sql);
  await owner.end();
}

const send = (kind: Kind, sql: string) =>
  gateway.sql({ sql: named(sql), params: paramsOf(sql) }, { role: kind });

/**
 * Expects the engine's result for an example: an answer, or the error of a server that does not have the
 * statement.
 */
function expectExecuted(sql: string, answer: Answer): void {
  const number = lacks[engine][sql];
  const said = { sql, status: answer.status, errno: answer.body.errno };
  expect(said).toEqual({ sql, status: number === undefined ? 200 : 400, errno: number });
}

describe("read", () => {
  /** Reads rows of the past, so the table must already exist at that time. */
  const ofThePast = (sql: string) => sql.includes("AS OF TIMESTAMP") && engine === "tidb";
  /** Refused in the READ ONLY state, and on TiDB to an account that only reads, as the page says. */
  const ofAChange = (sql: string) => /^EXPLAIN DELETE/.test(sql);

  test.each(of(onlyReads))("$kind: $sql", async ({ kind, sql }) => {
    if (ofThePast(sql)) return await expect.poll(async () => (await send(kind, sql)).status).toBe(200);
    if (!ofAChange(sql)) return expectExecuted(sql, await send(kind, sql));
    expectProblem(await send(kind, sql), 403, "sql_denied");
    expectExecuted(sql, await inTransaction(sql));
  });

  async function inTransaction(sql: string): Promise<Answer> {
    const authorization = `Bearer ${await gateway.token({ role: "read write" })}`;
    const headers = { authorization, "content-type": "application/json" };
    const begun = await read(await gateway.fetch("/v1/transactions", { method: "POST", headers }));
    const path = `/v1/transactions/${begun.body.id}`;
    const init = { method: "POST", headers, body: JSON.stringify({ sql: named(sql) }) };
    const answer = await read(await gateway.fetch(`${path}/sql`, init));
    await gateway.fetch(path, { method: "DELETE", headers });
    return answer;
  }
});

const isDdl = (kind: Kind) => kind.endsWith("ddl");

test.each(of((kind) => kind.endsWith("write")))("$kind: $sql", async ({ kind, sql }) => {
  expectExecuted(sql, await send(kind, sql));
});

test.each(of(isDdl))("$kind: $sql", async ({ kind: needed, sql }) => {
  await makeObjects();
  const [, kind, name] = /^CREATE (TABLE|PROCEDURE|SEQUENCE) (\w+)/.exec(sql) ?? [];
  // The objects that the page creates already exist, because other examples use them.
  if (kind && !(sql in lacks[engine])) await administrator.query(`DROP ${kind} IF EXISTS ${name}`);
  expectExecuted(sql, await send(needed, sql));
});

/** If a statement needs several permissions, each one is needed. */
test.each(examples.filter(({ kind }) => kind.includes(" ")))(
  "$kind, all of them: $sql",
  async ({ kind, sql }) => {
    const needed = kind.split(" ");
    const fewer = kinds.filter((other) => needed.some((one) => !other.split(" ").includes(one)));
    for (const other of fewer) expectProblem(await send(other, sql), 403, "access_denied");
  },
);

test.each(of((kind) => kind === "never"))("never: $sql", async ({ sql }) => {
  for (const kind of kinds) expectProblem(await send(kind, sql), 400, "statement_refused");
});

test("what an engine does not have is on the page", () => {
  const sqls = examples.map(({ sql }) => sql);
  expect(
    Object.values(lacks).flatMap((one) => Object.keys(one).filter((sql) => !sqls.includes(sql))),
  ).toEqual([]);
});
