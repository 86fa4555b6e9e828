// Runs on mariadb only: the gateway's own queue is what is full.
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, issuers, startGateway } from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";

/**
 * More requests than the pool can serve: which ones wait, which are refused, and which are answered anyway.
 */

let administrator: Connection;
let gateway: Gateway;
const origin = "http://page.example.com";

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  for (const name of ["crowded", "turns", "patient"]) {
    await createLogin(administrator, `gw_${name}`, "IDENTIFIED BY SECRET REQUIRE SSL");
  }
  const one = { password: "ANALYST_PASSWORD", connections_per_shard: 1 };
  const long = { deadline_ms: 30_000, queue_wait_ms: 30_000 };
  gateway = await startGateway({
    cors: { origins: [origin] },
    accounts: {
      crowded: {
        ...one,
        user: "gw_crowded",
        connections_per_shard: 2,
        connections_per_caller: 2,
        queue_length: 6,
        ...long,
      },
      turns: { ...one, user: "gw_turns", queue_length: 40, ...long },
      patient: { ...one, user: "gw_patient", queue_wait_ms: 300 },
    },
    grants: ["crowded", "turns", "patient"].map((account) => ({
      issuer: issuers.remote,
      account,
      allow: ["sql:read"],
    })),
  });
});
afterAll(async () => {
  await gateway?.close();
  await administrator?.end();
});

/** The time for steps that take long on a busy machine, while other statements wait. */
const soon = { interval: 20, timeout: 8_000 };

/** A statement that was sent, and whether it has been answered. */
interface Asked {
  answer: Promise<Answer>;
  done: boolean;
}

async function ask(account: string, sub: string, sql: string): Promise<Answer> {
  const authorization = `Bearer ${await gateway.token({ sub })}`;
  return await gateway.sql({ sql }, { headers: { authorization, "tidegate-account": account } });
}

function start(account: string, sub: string, sql: string): Asked {
  const asked: Asked = { answer: ask(account, sub, sql), done: false };
  void asked.answer.finally(() => {
    asked.done = true;
  });
  return asked;
}

/**
 * A statement that runs until the test releases the lock. The restore after it releases the lock for the
 * next one.
 */
const held = "SELECT GET_LOCK('overload', 60) AS got";

/** Holds back every `held` statement while `work` runs. */
async function holding<T>(work: () => Promise<T>): Promise<T> {
  await administrator.query("SELECT GET_LOCK('overload', 0)");
  try {
    return await work();
  } finally {
    await administrator.query("SELECT RELEASE_LOCK('overload')");
  }
}

/** The number of a login's statements that run, counted by the server. */
async function running(login: string): Promise<number> {
  const sql =
    "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = ? AND info REGEXP '^SELECT (SLEEP|GET_LOCK)'";
  const [rows] = await administrator.query<RowDataPacket[]>(sql, [login]);
  return Number(rows[0]?.n);
}

test("while every connection is busy and the queue is full, whatever needs none is answered", {
  timeout: 60_000,
}, async () => {
  const all: Asked[] = [];
  await holding(async () => {
    all.push(...[1, 2].map(() => start("crowded", "greedy", held)));
    await expect.poll(() => running("gw_crowded"), soon).toBe(2);
    all.push(...Array.from({ length: 6 }, () => start("crowded", "greedy", "SELECT 1")));
    const refused = async () => (await ask("crowded", "greedy", "SELECT 1")).body.code;
    await expect.poll(refused, soon).toBe("pool_full");
    expectProblem(await ask("crowded", "greedy", "SELECT 1"), 503, "pool_full");

    const authorization = "Bearer not.a.token";
    const preflight = { origin, "access-control-request-method": "POST" };
    const answers = await Promise.all([
      gateway.fetch("/livez"),
      gateway.fetch("/readyz"),
      gateway.fetch("/v1/sql", { method: "OPTIONS", headers: preflight }),
      gateway.fetch("/v1/sql", { method: "POST", headers: { authorization } }),
      gateway.fetch("/v1/sql", { method: "POST" }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 204, 401, 401]);
    // None of these requests has waited for a statement: all statements still run.
    expect(all.filter(({ done }) => done)).toEqual([]);
    expect(await running("gw_crowded")).toBe(2);
  });
  const answers = await Promise.all(all.map(({ answer }) => answer));
  expect(answers.map(({ status }) => status)).toEqual(all.map(() => 200));
});

describe("callers of one pool", () => {
  test("take turns: 30 requests of one delay another's by two at most", async () => {
    const greedy = Array.from({ length: 30 }, () => start("turns", "greedy", "SELECT SLEEP(0.2)"));
    await expect.poll(() => running("gw_turns"), soon).toBe(1);
    // All of them wait before the other request comes.
    await expect.poll(() => greedy.filter(({ done }) => done).length, soon).toBeGreaterThan(1);
    const before = greedy.filter(({ done }) => done).length;
    expect((await ask("turns", "modest", "SELECT 1")).status).toBe(200);
    const served = greedy.filter(({ done }) => done).length - before;
    expect(served).toBeLessThanOrEqual(4);
    expect(greedy.filter(({ done }) => !done).length).toBeGreaterThan(10);
    for (const { answer } of greedy) expect((await answer).status).toBe(200);
  });

  test("share a full queue: a newcomer gets the last place of the one who has most", async () => {
    const greedy: Asked[] = [];
    const [first, modest] = await holding(async () => {
      const first = start("turns", "greedy", held);
      await expect.poll(() => running("gw_turns"), soon).toBe(1);
      greedy.push(...Array.from({ length: 41 }, () => start("turns", "greedy", "SELECT 1")));
      // One found no place, so the queue is full now.
      await expect.poll(() => greedy.filter(({ done }) => done).length, soon).toBe(1);
      const modest = start("turns", "modest", "SELECT 'modest' AS who");
      await expect.poll(() => greedy.filter(({ done }) => done).length, soon).toBe(2);
      expect([first.done, modest.done]).toEqual([false, false]);
      return [first, modest];
    });
    expect((await first?.answer)?.status).toBe(200);
    expect((await modest?.answer)?.body.rows).toEqual([{ who: "modest" }]);
    const codes = (await Promise.all(greedy.map(({ answer }) => answer))).map(({ body }) => body.code);
    expect(codes.filter((code) => code === "pool_full")).toHaveLength(2);
    expect(codes.filter((code) => code === undefined)).toHaveLength(39);
  });
});

test("no request waits longer than the account says", async () => {
  const busy = await holding(async () => {
    const busy = start("patient", "a", held);
    await expect.poll(() => running("gw_patient"), soon).toBe(1);
    expectProblem(await ask("patient", "b", "SELECT 1"), 503, "pool_timeout");
    expect(busy.done).toBe(false);
    return busy;
  });
  expect((await busy.answer).status).toBe(200);
});
