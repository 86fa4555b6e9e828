import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { limits } from "../../../src/limits.ts";
import { restore, restored, texts } from "../support/commands.ts";
import { has } from "../support/features.ts";
import type { Gateway } from "../support/harness.ts";
import {
  databaseServer,
  engine,
  expectProblem,
  startGateway,
  startProxy,
  testAccount,
} from "../support/harness.ts";

/**
 * The exact numbers of docs/explanation/architecture.md. Each account has one connection, through the proxy. A restore follows
 * each statement here; test/gateway/session/runs.test.ts has the runs of statements that need none.
 */

let gateway: Gateway;
let proxy: CountingProxy;
beforeAll(async () => {
  proxy = await startProxy();
  const one = { connections_per_shard: 1, restore: "always" };
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${proxy.port}`] },
    accounts: { analyst: testAccount("analyst", one), editor: testAccount("editor", one) },
  });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
});

const execute = "COM_STMT_EXECUTE";
const prepare = "COM_STMT_PREPARE";

/**
 * The cost of requests, one after the other, with their restores. The connection may have to be opened
 * first.
 */
async function cost(bodies: unknown[], role = "analyst") {
  const mark = proxy.mark();
  for (const body of bodies) expect((await gateway.sql(body, { role })).status).toBe(200);
  await restored(proxy);
  return { commands: texts(mark.commands), roundTrips: mark.roundTrips };
}

/** The gateway asks TiDB whether the PREPAREs have executed something. */
const ran = engine === "tidb" ? ["SELECT"] : [];

/** The restore with one hot statement. */
const restoreHot = [...restore.slice(0, -1), prepare, ...ran, ...restore.slice(-1)];

let texted = 0;
/** A new statement, which was never sent before. */
const unseen = () => ({ sql: `SELECT code AS c${texted++} FROM countries WHERE code = ?`, params: ["NZ"] });

/** Sends `body` until it is the only hot statement. */
async function heat(
  body: { sql: string; params?: unknown[] },
  role = "analyst",
  until: readonly string[] = restoreHot,
): Promise<void> {
  for (let i = 0; i < limits.hotStatementWindow; i++) await gateway.sql(body, { role });
  await restored(proxy);
  expect((await cost([body], role)).commands.slice(-until.length)).toEqual(until);
}

describe("a login", () => {
  async function login() {
    const logins = proxy.loginRoundTrips.length;
    proxy.dropAll();
    await sleep(100);
    const { commands, roundTrips } = await cost([unseen()]);
    expect(proxy.loginRoundTrips.length).toBe(logins + 1);
    return { login: proxy.loginRoundTrips.at(-1), commands, roundTrips };
  }

  test("takes 3, 4 with MySQL's password cache empty, and 1 for resting state and proof", async () => {
    const administrator = await connectAdministrator(databaseServer());
    // Empties the cache of caching_sha2_password, so the next login sends the password itself.
    await administrator.query("FLUSH PRIVILEGES");
    await administrator.end();
    expect((await login()).login).toBe(engine === "mysql" ? 4 : 3);
    const { login: again, commands, roundTrips } = await login();
    expect(again).toBe(3);
    // TiDB shows the account's privileges in the same round trip.
    const proof = engine === "tidb" ? ["SHOW", "SELECT"] : ["SELECT"];
    expect(commands).toEqual(["SET", ...proof, prepare, execute, ...restore]);
    expect(roundTrips).toBe(1 + 2 + 1);
  });
});

describe("a statement", () => {
  const select = { sql: "SELECT name FROM countries WHERE code = ?", params: ["NZ"] };
  const remove = { sql: "DELETE FROM notes WHERE id = ?", params: [{ type: "INTEGER", value: 0 }] };
  /** READ WRITE and READ ONLY, on engines that enforce them. */
  const access = has.readOnly ? ["SET"] : [];
  const restoreWithWrites = [...restore.slice(0, -1), prepare, ...access, ...ran, ...restore.slice(-1)];

  test("that is cold takes 2 before its answer, the restore 1 after it", async () => {
    await cost([unseen()]);
    const { commands, roundTrips } = await cost([unseen()]);
    expect(commands.slice(0, 2)).toEqual([prepare, execute]);
    expect(roundTrips).toBe(2 + 1);
  });

  test("that is hot takes 1, and is prepared again in the restore's one", async () => {
    await heat(select);
    expect(await cost([select])).toEqual({ commands: [execute, ...restoreHot], roundTrips: 1 + 1 });
  });

  test.runIf(engine === "tidb")("that TiDB would run as it prepares it is never prepared ahead", async () => {
    const nested = { sql: "SELECT name FROM countries WHERE code = (SELECT MAX(code) FROM countries)" };
    const called = { sql: "SELECT name, IS_FREE_LOCK('x') AS free FROM countries WHERE code = 'NZ'" };
    for (const body of [nested, called]) {
      await heat(body, "analyst", restore);
      const { commands } = await cost([body]);
      expect(commands.slice(0, 2)).toEqual([prepare, execute]);
      expect(commands.slice(-restore.length)).toEqual(restore);
      expect(commands.filter((command) => command === prepare)).toHaveLength(1);
    }
  });

  test("that comes before the restore has ended waits for its 1, not for more", async () => {
    await heat(select);
    proxy.setDelayMs(20);
    try {
      const mark = proxy.mark();
      const started = [1, 2, 3].map(() => gateway.sql(select));
      for (const { status } of await Promise.all(started)) expect(status).toBe(200);
      await restored(proxy);
      const one = [execute, ...restoreHot];
      expect(texts(mark.commands)).toEqual([...one, ...one, ...one]);
      // The statement's own round trip before the answer, and one of the restore that is still under way.
      expect(mark.roundTrips).toBe(3 * (1 + 1));
    } finally {
      proxy.setDelayMs(0);
    }
  });

  test("that is hot has its parameters typed anew each time", async () => {
    const typed = { sql: "SELECT ? AS v, ? + 0 AS n" };
    await heat({ ...typed, params: ["1", "2"] });
    for (const [params, v] of [
      [["text", 1], "text"],
      [[1, 2], "1"],
      [[null, 3], null],
      [[18446744073709551615n.toString(), 4], "18446744073709551615"],
    ] as const) {
      const { body } = await gateway.sql({ ...typed, params });
      expect(body.rows[0].v === null ? null : String(body.rows[0].v)).toBe(v);
    }
  });

  test("that writes takes 1 when it is hot, 2 when it is cold: READ WRITE goes in the same write", async () => {
    await cost([{ sql: "SELECT 1" }], "editor");
    const cold = await cost([{ ...remove, sql: `${remove.sql} AND 1 = 1` }], "editor");
    expect(cold.commands.slice(0, -restore.length)).toEqual([...access, prepare, execute]);
    expect(cold.roundTrips).toBe(2 + 1);
    await heat(remove, "editor", restoreWithWrites);
    const hot = await cost([remove], "editor");
    expect(hot).toEqual({ commands: [...access, execute, ...restoreWithWrites], roundTrips: 1 + 1 });
  });

  test.runIf(engine === "mariadb")(
    "of which MariaDB only warns takes 2 when it is hot: BEGIN goes with it, and COMMIT with the restore",
    async () => {
      await cost([{ sql: "SELECT 1" }], "editor");
      for (const [sql, value] of [
        ["DELETE FROM notes WHERE id = ? AND 2 = 2", 0],
        ["UPDATE notes SET body = 'x' WHERE author = ? AND 2 = 2", "none"],
        [
          "INSERT IGNORE INTO notes (city_id, author, body) SELECT 1, author, body FROM notes WHERE author = ?",
          "none",
        ],
      ] as const) {
        const undeclared = { sql, params: [value] };
        const cold = await cost([undeclared], "editor");
        expect(cold.commands.slice(0, 5)).toEqual(["SET", prepare, "START", execute, "COMMIT"]);
        expect(cold.roundTrips).toBe(3 + 1 - 1);
        await heat(undeclared, "editor", restoreWithWrites);
        const hot = await cost([undeclared], "editor");
        expect(hot).toEqual({
          commands: ["START", execute, "COMMIT", ...restoreWithWrites],
          roundTrips: 1 + 1,
        });
      }
    },
  );

  test("whose values MySQL types takes no more: the answer to PREPARE says what they are", async () => {
    const body = {
      sql: "SELECT name FROM cities WHERE country_code = ? AND population > ?",
      params: ["NZ", engine === "mysql" ? "1000" : 1000],
    };
    await cost([unseen()]);
    const cold = await cost([body]);
    expect(cold.commands.slice(0, 2)).toEqual([prepare, execute]);
    await heat(body);
    expect(await cost([body])).toEqual({ commands: [execute, ...restoreHot], roundTrips: 1 + 1 });
  });

  test("that has warned carries the question for its warnings from then on: 1 when it is hot", async () => {
    const warning = { sql: "SELECT CAST(name AS SIGNED) AS n FROM countries WHERE code = ?", params: ["NZ"] };
    await cost([unseen()]);
    const first = await cost([warning]);
    expect(first.commands.slice(0, 3)).toEqual([prepare, execute, "SHOW"]);
    expect(first.roundTrips).toBe(3 + 1);
    const again = await cost([warning]);
    expect(again.commands.slice(0, 3)).toEqual([prepare, execute, "SHOW"]);
    expect(again.roundTrips).toBe(2 + 1);
    await heat(warning);
    expect(await cost([warning])).toEqual({ commands: [execute, "SHOW", ...restoreHot], roundTrips: 1 + 1 });
  });

  test("that warns no more is not asked any more", async () => {
    const sql = "SELECT CAST(name AS SIGNED) AS no_more FROM countries WHERE code = ?";
    const asked = async (code: string) => (await cost([{ sql, params: [code] }])).commands.includes("SHOW");
    // Without a row there is nothing to warn about.
    for (const [code, is] of Object.entries({ NZ: true, JP: true, "-": true, "?": false }))
      expect(await asked(code), code).toBe(is);
  });

  test("that is hot and whose table goes away is cold again, and nothing else is lost", async () => {
    const administrator = await connectAdministrator(databaseServer());
    const run = (sql: string) => administrator.query(sql);
    const gone = { sql: "SELECT a FROM round_trips_gone" };
    try {
      await run(`CREATE TABLE world.round_trips_gone (a INT)`);
      await heat(gone);
      await run(`DROP TABLE world.round_trips_gone`);
      // TiDB first says that the table has changed since the PREPARE (8113), and then what is missing.
      if (engine === "tidb") expectProblem(await gateway.sql(gone), 409, "sql_transient");
      else expectProblem(await gateway.sql(gone), 400, "sql_error");
      await restored(proxy);
      const opened = proxy.accepted;
      expectProblem(await gateway.sql(gone), 400, "sql_error");
      expect((await cost([unseen()])).commands.slice(0, 2)).toEqual([prepare, execute]);
      expect(proxy.accepted).toBe(opened);
    } finally {
      await run(`DROP TABLE IF EXISTS world.round_trips_gone`);
      await administrator.end();
    }
  });
});

test("at most so many statements are prepared ahead, those asked for most", async () => {
  const bodies = Array.from({ length: limits.hotStatements + 2 }, (_, i) => ({ sql: `SELECT ${i} AS n` }));
  for (let round = 0; round < 7; round++) await cost(bodies);
  const { commands } = await cost(bodies.slice(0, 1));
  expect(commands.filter((command) => command === prepare).length).toBeLessThanOrEqual(
    limits.hotStatements + 1,
  );
  const ahead = [...Array(limits.hotStatements).fill(prepare), ...ran, ...restore.slice(-1)];
  expect(commands.slice(-ahead.length)).toEqual(ahead);
});
