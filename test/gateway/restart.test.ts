import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../../scripts/application.ts";
import { connectAdministrator } from "../servers/connection.ts";
import { ensurePki } from "../servers/pki.ts";
import { loadSample } from "../servers/sample.ts";
import type { DatabaseServer } from "../servers/server.ts";
import { startDatabase } from "../servers/server.ts";
import type { Answer, Gateway } from "./harness.ts";
import { engine, expectProblem, grantInsert, server, startGateway } from "./harness.ts";
import { expectOwnAnswers, question } from "./hostility.ts";

/** A server of its own, which ends and comes back while callers read and write. */

/** After its return the gateway answers within so long. */
const recoveryMs = 5_000;

/** A disk of 40 MiB, as far as tables in it can tell. */
const systemFile = "ibdata1:12M:autoextend:max:40M";

let database: DatabaseServer;
let gateway: Gateway;
const passwords = {
  analyst: server.passwords.ANALYST_PASSWORD ?? "",
  editor: server.passwords.EDITOR_PASSWORD ?? "",
};

async function startServer(port?: number): Promise<DatabaseServer> {
  const pki = await ensurePki(server.pkiDirectory);
  const directory = join(root, ".tidegate", "test", `${engine}-restarted`);
  return await startDatabase({
    engine,
    directory,
    pki,
    ...(port === undefined ? {} : { port }),
    // What was acknowledged is on the disk: so is what a crash must not take.
    extraArguments: ["--innodb-flush-log-at-trx-commit=1", `--innodb-data-file-path=${systemFile}`],
    log: () => {},
  });
}

beforeAll(async () => {
  // Of a full storage nothing can be dropped (MariaDB): the last run's goes as a whole.
  rmSync(join(root, ".tidegate", "test", `${engine}-restarted`), { recursive: true, force: true });
  database = await startServer();
  await loadSample(database, { passwords, cities: 100, log: () => {} });
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${database.port}`], connect_timeout_ms: 2_000 },
  });
});
afterAll(async () => {
  await gateway?.close();
  await database?.stop();
});

const sent: { body: string; answer: Answer }[] = [];
const read: Answer[] = [];
let isOver = false;

async function keepReading(): Promise<void> {
  while (!isOver) {
    const { sql, params, rows } = question();
    const answer = await gateway.sql({ sql, params });
    read.push(answer);
    if (answer.status === 200) expect(answer.body.rows).toEqual(rows);
    else await sleep(20);
  }
}

async function keepWriting(name: number): Promise<void> {
  const sql =
    "INSERT INTO notes (city_id, author, body) SELECT id, 'restarted', ? FROM cities ORDER BY id LIMIT 1";
  for (let index = 0; !isOver; index++) {
    const body = `restarted ${process.pid} ${Date.now()} ${name} ${index}`;
    const answer = await gateway.sql({ sql, params: [body] }, { role: "editor" });
    sent.push({ body, answer });
    if (answer.status !== 200) await sleep(20);
  }
}

test.each(["stop", "kill"] as const)(
  "%s and start, under load: reads may be asked again, no write is lost or doubled, and it recovers",
  async (way) => {
    isOver = false;
    sent.length = 0;
    read.length = 0;
    const load = Promise.all([...Array.from({ length: 4 }, keepReading), ...[0, 1, 2].map(keepWriting)]);
    await expect.poll(() => read.length > 20 && sent.length > 20, { timeout: 20_000 }).toBe(true);
    const { port } = database;
    await database[way]();
    const down = await gateway.sql({ sql: "SELECT 1 AS down" });
    expect(down.status).toBe(503);
    expect(down.headers.has("retry-after")).toBe(true);
    database = await startServer(port);
    const works = async () => {
      const roles = ["analyst", "editor"];
      const answers = roles.map((role) => gateway.sql({ sql: "SELECT 1 AS up" }, { role }));
      return (await Promise.all(answers)).every(({ status }) => status === 200);
    };
    await expect.poll(works, { timeout: recoveryMs, interval: 100 }).toBe(true);
    await sleep(500);
    isOver = true;
    await load;
    await expectOwnAnswers(gateway);
    await settle();
  },
  120_000,
);

test("a storage that is full (the server's system tablespace, 40 MiB): writes fail and say so, reads go on", async () => {
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
}, 60_000);

async function settle(): Promise<void> {
  for (const { status, body } of read) {
    if (status === 200) continue;
    expect({ status, retryable: body.retryable, code: body.code }).toMatchObject({
      status: 503,
      retryable: true,
    });
  }
  const administrator = await connectAdministrator(database);
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT body, COUNT(*) AS n FROM world.notes WHERE author = 'restarted' GROUP BY body",
  );
  await administrator.end();
  const there = new Map(rows.map(({ body, n }) => [String(body), Number(n)]));
  const outcomes: Record<string, number> = {};
  for (const { body, answer } of sent) {
    const count = there.get(body) ?? 0;
    const outcome = answer.status === 200 ? "200" : answer.body.code;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (answer.status === 200) {
      expect({ body, count }).toEqual({ body, count: 1 });
    } else if (outcome === "outcome_unknown") {
      expectProblem(answer, 503, "outcome_unknown");
      expect(answer.body.retryable).toBe(false);
      expect(count).toBeLessThanOrEqual(1);
    } else {
      // Whoever may ask again, or is told that it failed, must find nothing.
      expect({ body, outcome, count }).toEqual({ body, outcome, count: 0 });
      expect(answer.status).toBe(503);
    }
  }
  expect(outcomes["200"]).toBeGreaterThan(20);
  console.log("restart", { writes: outcomes, reads: read.length });
}
