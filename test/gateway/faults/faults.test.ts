import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Spot } from "../../../servers/wire/tampering.ts";
import { limits } from "../../../src/limits.ts";
import type { Gateway } from "../support/harness.ts";
import {
  databaseServer,
  engine,
  expectProblem,
  grantInsert,
  issuers,
  startGateway,
  testAccount,
} from "../support/harness.ts";
import type { HostileServer } from "../support/hostility.ts";
import { expectOwnAnswers, question, say, startHostileServer } from "../support/hostility.ts";

/** Failures between the gateway and a real, honest server. */

let administrator: Connection;
let server: HostileServer;
let gateway: Gateway;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  server = await startHostileServer();
  const grant = { issuer: issuers.remote, allow: ["sql:read", "sql:write"] };
  gateway = await startGateway({
    grants: [
      { ...grant, claims: { role: "analyst" }, account: "analyst", allow: ["sql:read"] },
      { ...grant, claims: { role: "hasty" }, account: "analyst", allow: ["sql:read"], deadline_ms: 2_000 },
      { ...grant, claims: { role: "editor" }, account: "editor" },
      { ...grant, claims: { role: "operator" }, account: "analyst", allow: ["operate"] },
    ],
    cluster: { hosts: [`localhost:${server.proxy.port}`], connect_timeout_ms: 1_500 },
    accounts: {
      analyst: testAccount("analyst"),
      editor: testAccount("editor", { connections_per_shard: 1 }),
    },
  });
});
afterAll(async () => {
  await gateway?.close();
  await server?.stop();
  await administrator?.end();
});

async function rows(sql: string, values: unknown[] = []): Promise<RowDataPacket[]> {
  return (await administrator.query<RowDataPacket[]>(sql, values))[0];
}

/** The gateway's connections at the server: all of them, or those that sleep in a statement with `text`. */
async function connections(text = ""): Promise<number[]> {
  const sql = "SELECT ID, INFO FROM information_schema.PROCESSLIST WHERE USER LIKE 'gw%'";
  // A statement that sleeps has a state of its own, except on TiDB.
  const found = await rows(text === "" || engine === "tidb" ? sql : `${sql} AND STATE = 'User sleep'`);
  return found.filter(({ INFO }) => String(INFO ?? "").includes(text)).map(({ ID }) => Number(ID));
}

async function kill(text = ""): Promise<void> {
  await expect.poll(async () => (await connections(text)).length).toBeGreaterThan(0);
  for (const id of await connections(text))
    await administrator.query(`KILL CONNECTION ${id}`).catch(() => {});
}

/** After this every connection is a new one. */
async function drain(): Promise<void> {
  expect((await gateway.sql({}, { path: "/v1/drain", role: "operator" })).status).toBe(200);
}

/**
 * Without a declared type MariaDB would only warn in some changes, and those run in a separate transaction.
 */
const text = (value: string) => ({ type: "VARCHAR", value });

describe("connections that the server ends", () => {
  test("while they are idle: no caller notices", async () => {
    for (let round = 0; round < 5; round++) {
      await expectOwnAnswers(gateway);
      await kill();
      // Without a pause: the end of the connection may still be on its way when the next statement is sent.
      await expectOwnAnswers(gateway);
    }
  });

  test("by wait_timeout: no caller notices", async () => {
    await administrator.query("SET GLOBAL wait_timeout = 1");
    try {
      await drain();
      await expectOwnAnswers(gateway);
      await expect.poll(async () => (await connections()).length, { timeout: 8_000 }).toBe(0);
      await expectOwnAnswers(gateway);
    } finally {
      await administrator.query("SET GLOBAL wait_timeout = DEFAULT");
      await drain();
    }
  });

  test("while they read: that caller may ask again, and is not asked for by the gateway", async () => {
    const answer = gateway.sql({ sql: "SELECT SLEEP(8) AS killed_read" });
    await sleep(1_200);
    await kill("killed_read");
    const { status, body } = await answer;
    // Some servers report the interruption before they close the connection, others do not.
    expect([503, 504]).toContain(status);
    expect(["connection_lost", "deadline_exceeded", "database_unavailable"]).toContain(body.code);
    expect(await connections("killed_read")).toEqual([]);
    await expectOwnAnswers(gateway);
  });

  test("while they write: the row is not there, or its outcome is unknown; it is not sent again", async () => {
    const body = `killed ${Date.now()}`;
    const sql =
      "INSERT INTO notes (city_id, author, body) SELECT id, 'killed_write', ? FROM cities WHERE SLEEP(8) = 0 ORDER BY id LIMIT 1";
    const answer = gateway.sql({ sql, params: [text(body)] }, { role: "editor" });
    await kill("killed_write");
    const { status, body: problem } = await answer;
    expect([503, 504]).toContain(status);
    expect(["outcome_unknown", "deadline_exceeded", "database_unavailable"]).toContain(problem.code);
    if (problem.code === "outcome_unknown") expect(problem.retryable).toBe(false);
    await expect.poll(() => connections("killed_write")).toEqual([]);
    expect((await rows("SELECT COUNT(*) AS n FROM world.notes WHERE body = ?", [body]))[0]?.n).toBe(0);
  });
});

const nothing = say(() => Buffer.alloc(0), "cut");

describe("a connection that was dead when a statement was given to it", () => {
  const atPrepare = (name: string) => (spot: Spot) =>
    spot.command === "COM_STMT_PREPARE" && spot.text.includes(name) && spot.index === 0;
  test("a read is sent once more, on another", async () => {
    await expectOwnAnswers(gateway);
    const { sql, params, rows: own } = question("stale_read");
    const play = server.play(atPrepare("stale_read"), nothing);
    expect((await gateway.sql({ sql, params })).body.rows).toEqual(own);
    await expect.poll(() => play.closed).toBe(true);
  });

  test("and not a third time", async () => {
    const { sql, params } = question("stale_twice");
    let plays = 0;
    const playAgain = (): void => {
      plays += 1;
      server.play(atPrepare("stale_twice"), (packet, client) => {
        playAgain();
        return nothing(packet, client);
      });
    };
    playAgain();
    expectProblem(await gateway.sql({ sql, params }), 503, "connection_lost");
    expect(plays).toBe(3);
    server.play(() => false, nothing);
  });

  test.each([
    ["is sent once more where the server has not seen it", "SET SESSION TRANSACTION READ WRITE", 200],
    ["is not where it may have", "INSERT INTO notes", 503],
  ])("a write %s", async (_, step, status) => {
    const body = `stale ${Date.now()}`;
    const insert = `INSERT INTO notes (city_id, author, body) SELECT id, '${status}', ? FROM cities ORDER BY id LIMIT 1`;
    server.play(
      (spot) => spot.command !== "COM_STMT_PREPARE" && spot.text.startsWith(step) && spot.index === 0,
      nothing,
    );
    const answer = await gateway.sql({ sql: insert, params: [text(body)] }, { role: "editor" });
    if (status === 200) expect(answer.body.rows_affected).toBe(1);
    else expectProblem(answer, 503, "outcome_unknown");
    expect((await rows("SELECT COUNT(*) AS n FROM world.notes WHERE body = ?", [body]))[0]?.n).toBe(1);
  });
});

test.runIf(engine === "mariadb")("a change that is not committed yet has not happened", async () => {
  const body = `uncommitted ${Date.now()}`;
  const insert =
    "INSERT INTO notes (city_id, author, body) SELECT id, 'x', ? FROM cities ORDER BY id LIMIT 1";
  server.play((spot) => spot.command === "COM_QUERY" && spot.text === "COMMIT" && spot.index === 0, nothing);
  expectProblem(
    await gateway.sql({ sql: insert, params: [body] }, { role: "editor" }),
    503,
    "outcome_unknown",
  );
  const dead = (spot: Spot) =>
    spot.command === "COM_STMT_EXECUTE" && spot.text.startsWith("INSERT") && spot.index === 0;
  server.play(dead, nothing);
  const again = await gateway.sql({ sql: insert, params: [`${body} again`] }, { role: "editor" });
  expectProblem(again, 503, "connection_lost");
  const count = "SELECT COUNT(*) AS n FROM world.notes WHERE body = ?";
  expect((await rows(count, [`${body} again`]))[0]?.n).toBe(0);
});

describe("a route that swallows every byte of the connections that are there", () => {
  test("while they are idle: the next caller waits a little, and has its answer", async () => {
    await expectOwnAnswers(gateway);
    server.proxy.strand();
    await sleep(limits.idleTrustMs + 500);
    const questions = Array.from({ length: 5 }, () => question());
    const answers = await Promise.all(questions.map(({ sql, params }) => gateway.sql({ sql, params })));
    expect(answers.map(({ body }) => body.rows ?? body)).toEqual(questions.map(({ rows }) => rows));
    await expectOwnAnswers(gateway);
  }, 30_000);

  test("while they are busy: the deadline ends the wait, and the pool goes on", async () => {
    const running = gateway.sql({ sql: "SELECT SLEEP(30) AS stranded" }, { role: "hasty" });
    await expect.poll(() => connections("stranded")).toHaveLength(1);
    server.proxy.strand();
    const answer = await running;
    expectProblem(answer, 504, "deadline_exceeded");
    // The gateway trusts a connection that it heard a moment ago, so a caller who gets it now waits for the
    // deadline too.
    await sleep(limits.idleTrustMs);
    await expectOwnAnswers(gateway);
    await expect.poll(() => connections("stranded")).toEqual([]);
  }, 40_000);

  test("as they are restored: no caller waits long for them", async () => {
    const { sql, params } = question("stranded");
    server.play(
      ({ command, executed }: Spot) => command === "COM_RESET_CONNECTION" && executed.includes("AS stranded"),
      say(() => Buffer.alloc(0), "swallow"),
    );
    expect((await gateway.sql({ sql, params })).status).toBe(200);
    await expectOwnAnswers(gateway);
  });
});

describe("a login that hangs after the password", () => {
  test.each(["SET NAMES", "SELECT USER()"])("at %s: 503 when its time is over", async (step) => {
    await drain();
    server.play(
      ({ text, executed }: Spot) => text.startsWith(step) && executed === "",
      say(() => Buffer.alloc(0), "swallow"),
    );
    const { sql, params } = question();
    expectProblem(await gateway.sql({ sql, params }), 503, "database_unreachable");
    const works = async () => (await gateway.sql({ sql, params })).status;
    await expect.poll(works, { timeout: 5_000 }).toBe(200);
  });
});

test("a name without an address: 503, and it is told at once or when the time for a connection is over", async () => {
  const nowhere = await startGateway({
    cluster: { hosts: ["no-such-host.invalid:3306"], connect_timeout_ms: 2_000 },
  });
  try {
    const answer = await nowhere.sql({ sql: "SELECT 1" });
    expectProblem(answer, 503, "database_unreachable");
    expect(JSON.stringify(answer.body)).not.toContain("no-such-host");
  } finally {
    await nowhere.close();
  }
});

// TiDB has no MEMORY tables.
test.skipIf(engine === "tidb")(
  "a table that is full, by the server's own limit for tables in memory (1114, as a full disk has it)",
  async () => {
    await administrator.query("SET SESSION max_heap_table_size = 16384");
    await administrator.query("DROP TABLE IF EXISTS world.small_table");
    await administrator.query("CREATE TABLE world.small_table (filler CHAR(250)) ENGINE = MEMORY");
    await administrator.query("SET SESSION max_heap_table_size = DEFAULT");
    await grantInsert(administrator, "world.small_table");
    const insert = { sql: "INSERT INTO small_table SELECT REPEAT('x', 250) FROM cities LIMIT 2000" };
    const answer = await gateway.sql(insert, { role: "editor" });
    expectProblem(answer, 503, "database_unavailable");
    expect(answer.body).toMatchObject({ errno: 1114, retryable: true });
    await expectOwnAnswers(gateway);
    await administrator.query("DROP TABLE world.small_table");
  },
);
