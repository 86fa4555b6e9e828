import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { DatabaseServer } from "../../../servers/database/server.ts";
import { furtherDirectory, loadFurther, startFurther } from "../support/further-server.ts";
import type { Gateway } from "../support/harness.ts";
import { engine, expectProblem, grantInsert, issuers, startGateway } from "../support/harness.ts";
import { expectOwnAnswers } from "../support/hostility.ts";
import { expectTrue, insert, startLoad } from "./restart-load.ts";

/** A separate server, which stops and comes back while callers read and write. */

/** After the server's return the gateway must answer within this time. */
const recoveryMs = 5_000;

/** InnoDB's system tablespace has a maximum of 40 MiB, so for its tables the disk is full. */
const systemFile = "ibdata1:12M:autoextend:max:40M";

/**
 * With this option acknowledged rows are on the disk, so a crash must not lose them. TiDB's storage needs
 * no option for it.
 */
const durable =
  engine === "tidb" ? [] : ["--innodb-flush-log-at-trx-commit=1", `--innodb-data-file-path=${systemFile}`];

let database: DatabaseServer;
let gateway: Gateway;

const startServer = (options: { port?: number } = {}) =>
  startFurther("restarted", { ...options, extraArguments: durable });

beforeAll(async () => {
  // MariaDB can drop nothing in a full storage, so the whole directory of the last run is removed.
  rmSync(furtherDirectory("restarted"), { recursive: true, force: true });
  database = await startServer();
  await loadFurther(database, 100);
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${database.port}`], connect_timeout_ms: 2_000 },
    grants: [
      {
        issuer: issuers.remote,
        claims: { role: "editor" },
        account: "editor",
        allow: ["query:add-note", "sql:read", "sql:write", "transaction"],
      },
      { issuer: issuers.remote, account: "analyst", allow: ["sql:read"] },
    ],
  });
});
afterAll(async () => {
  await gateway?.close();
  await database?.stop();
});

/** Ends the server, and starts it again with the same data. */
async function restart(way: "stop" | "kill", meanwhile: () => Promise<void> = async () => {}): Promise<void> {
  const { port } = database;
  await database[way]();
  await meanwhile();
  database = await startServer({ port });
}

async function expectRecovery(): Promise<void> {
  const works = async () => {
    const roles = ["analyst", "editor"];
    const answers = roles.map((role) => gateway.sql({ sql: "SELECT 1 AS up" }, { role }));
    return (await Promise.all(answers)).every(({ status }) => status === 200);
  };
  await expect.poll(works, { timeout: recoveryMs, interval: 100 }).toBe(true);
}

describe.each(["stop", "kill"] as const)("%s and start", (way) => {
  test("under load: reads may be asked again, no write is lost, doubled or halved, and it recovers", async () => {
    const load = startLoad(gateway);
    await expect.poll(() => load.reads > 20 && load.writes > 20, { timeout: 20_000 }).toBe(true);
    await restart(way, async () => {
      const down = await gateway.sql({ sql: "SELECT 1 AS down" });
      expect(down.status).toBe(503);
      expect(down.headers.has("retry-after")).toBe(true);
    });
    await expectRecovery();
    await sleep(500);
    const told = await load.stop();
    await expectOwnAnswers(gateway);
    const administrator = await connectAdministrator(database);
    const outcomes = await expectTrue(told, administrator);
    await administrator.end();
    console.log("restart", { writes: outcomes, reads: told.reads.length });
    for (const kind of ["sql", "query", "batch", "transaction"])
      expect(outcomes[`${kind} 200`], kind).toBeGreaterThan(0);
  }, 120_000);

  test("in the middle of a batch: all of it is there or nothing, as the caller is told", async () => {
    const note = `batch ${way} ${Date.now()}`;
    const statements = [
      { sql: insert, params: [`${note} 1`] },
      { sql: "SELECT SLEEP(?) AS middle", params: [{ type: "INTEGER", value: 3 }] },
      { sql: insert, params: [`${note} 2`] },
    ];
    const send = (all: unknown[]) => gateway.sql({ statements: all }, { role: "editor", path: "/v1/batch" });
    const sent = send(statements);
    await expectRunning("middle");
    await restart(way);
    const answer = await sent;
    // TiDB stops when its transactions have ended, or after 15 s.
    const isDone = way === "stop" && engine === "tidb";
    if (isDone) expect(answer.status).toBe(200);
    else {
      expectProblem(answer, 503, "connection_lost");
      expect(answer.body.retryable).toBe(true);
    }
    expect(await notes(note)).toBe(isDone ? 2 : 0);
    await expectRecovery();
    const again = statements.map((statement, index) =>
      index === 1 ? { sql: "SELECT 1 AS middle" } : statement,
    );
    expect((await send(again)).status).toBe(200);
    expect(await notes(note)).toBe(isDone ? 4 : 2);
  }, 60_000);
});

async function ask(sql: string, values: unknown[]): Promise<RowDataPacket[]> {
  const administrator = await connectAdministrator(database);
  const [rows] = await administrator.query<RowDataPacket[]>(sql, values);
  await administrator.end();
  return rows;
}

/** Waits until the server executes a statement of the gateway with these words. */
async function expectRunning(words: string): Promise<void> {
  const sql =
    "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE USER LIKE 'gw%' AND INFO LIKE ?";
  await expect.poll(async () => (await ask(sql, [`%${words}%`]))[0]?.n).toBe(1);
}

async function notes(beginning: string): Promise<number> {
  const sql = "SELECT COUNT(*) AS n FROM world.notes WHERE body LIKE ?";
  return Number((await ask(sql, [`${beginning}%`]))[0]?.n);
}

// Only InnoDB has a setting for the maximum size.
test.skipIf(engine === "tidb")(
  "a storage that is full (the server's system tablespace, 40 MiB): writes fail and say so, reads go on",
  async () => {
    const administrator = await connectAdministrator(database);
    const create = "CREATE TABLE world.filler (id INT AUTO_INCREMENT PRIMARY KEY, body LONGTEXT)";
    if (engine === "mysql") {
      await administrator.query(`${create} TABLESPACE = innodb_system`);
    } else {
      await administrator.query("SET GLOBAL innodb_file_per_table = OFF");
      await administrator.query(create);
      await administrator.query("SET GLOBAL innodb_file_per_table = ON");
    }
    await grantInsert(administrator, "world.filler");
    const insert = { sql: "INSERT INTO filler (body) SELECT REPEAT(SHA2(RAND(), 512), 8000)" };
    let written = 0;
    let answer = await gateway.sql(insert, { role: "editor" });
    for (; answer.status === 200 && written < 100; written++)
      answer = await gateway.sql(insert, { role: "editor" });
    expectProblem(answer, 503, "database_unavailable");
    expect(answer.body).toMatchObject({ errno: 1114, retryable: true });
    await expectOwnAnswers(gateway);
    const [rows] = await administrator.query<RowDataPacket[]>("SELECT COUNT(*) AS n FROM world.filler");
    expect(Number(rows[0]?.n)).toBe(written);
    await administrator.end();
  },
  60_000,
);
