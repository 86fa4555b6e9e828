import { randomBytes } from "node:crypto";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { errorKinds } from "../../src/errors.ts";
import { connectAdministrator } from "../servers/connection.ts";
import type { Mutations } from "../servers/mutator.ts";
import { Mutator, randomOf } from "../servers/mutator.ts";
import type { CountingProxy } from "../servers/proxy.ts";
import type { Answer, Gateway } from "./harness.ts";
import { databaseServer, issuers, startGateway, startProxy } from "./harness.ts";
import { expectOwnAnswers } from "./hostility.ts";

/**
 * Many callers, while a proxy changes packets of a real server at random. TIDEGATE_FUZZ_SECONDS runs it for longer,
 * TIDEGATE_FUZZ_SEED with the same numbers; which packet meets which number depends on the order of events too.
 */
const seconds = Number(process.env.TIDEGATE_FUZZ_SECONDS ?? 10);
const seed = Number(process.env.TIDEGATE_FUZZ_SEED ?? randomBytes(4).readUInt32LE());
const callers = 12;
const deadlineMs = 1_500;
/** Wait for a connection, its login, the statement. */
const patienceMs = 10_000 + 3_000 + deadlineMs + 5_000;

const mutations: Mutations = { rate: 0.02, counts: {} };
let proxy: CountingProxy;
let gateway: Gateway;
let administrator: Connection;
beforeAll(async () => {
  let connections = 0;
  proxy = await startProxy({ meddle: () => new Mutator(randomOf(seed + connections++), mutations) });
  const grant = { issuer: issuers.remote, deadline_ms: deadlineMs };
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${proxy.port}`], connect_timeout_ms: 3_000 },
    grants: [
      { ...grant, claims: { role: "analyst" }, account: "analyst", allow: ["sql:read"] },
      { ...grant, claims: { role: "editor" }, account: "editor", allow: ["sql:read", "sql:write"] },
    ],
  });
  administrator = await connectAdministrator(databaseServer());
});
afterAll(async () => {
  await administrator?.end();
  await gateway?.close();
  await proxy?.stop();
});

/** Every secret that a caller has asked for, or has written. */
const secrets = new Set<string>();
const outcomes: Record<string, number> = {};

/** A long piece of a secret is as good as the whole of it: a mutation may have spoiled the rest. */
function othersIn(text: string, own: string): string[] {
  const pieces = [...text.matchAll(/[0-9a-f]{12}/g)].map(([piece]) => piece);
  return pieces.filter(
    (piece) => !own.includes(piece) && [...secrets].some((other) => other.includes(piece)),
  );
}

async function judge(work: Promise<Answer>, own: string): Promise<void> {
  const started = performance.now();
  const answer = await work;
  expect(performance.now() - started).toBeLessThan(patienceMs);
  const text = JSON.stringify(answer.body);
  expect(othersIn(text, own)).toEqual([]);
  const outcome = answer.status === 200 ? "200" : answer.body.code;
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  if (answer.status === 200) return;
  expect(errorKinds).toHaveProperty(answer.body.code);
  expect(answer.body.code).not.toBe("internal");
  expect(errorKinds[answer.body.code as keyof typeof errorKinds].status).toBe(answer.status);
}

async function readOnce(): Promise<void> {
  const own = randomBytes(24).toString("hex");
  secrets.add(own);
  const sql = "SELECT ? AS nonce, id, name FROM cities ORDER BY id LIMIT 3";
  await judge(gateway.sql({ sql, params: [own] }), own);
}

async function writeOnce(): Promise<void> {
  const own = randomBytes(24).toString("hex");
  secrets.add(own);
  const sql =
    "INSERT INTO notes (city_id, author, body) SELECT id, 'fuzz', ? FROM cities ORDER BY id LIMIT 1";
  await judge(gateway.sql({ sql, params: [own] }, { role: "editor" }), own);
}

async function rows(sql: string): Promise<RowDataPacket[]> {
  return (await administrator.query<RowDataPacket[]>(sql))[0];
}

async function connectionsNow(): Promise<number> {
  const sql = "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE USER LIKE 'gw%'";
  return Number((await rows(sql))[0]?.n);
}

test(`nobody gets what is another's, and nothing hangs (seed ${seed})`, {
  timeout: (seconds + 90) * 1000,
}, async () => {
  const until = Date.now() + seconds * 1000;
  let most = 0;
  const watch = (async () => {
    while (Date.now() < until) {
      most = Math.max(most, await connectionsNow());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  const caller = async (index: number) => {
    while (Date.now() < until) await (index % 4 === 0 ? writeOnce() : readOnce());
  };
  await Promise.all([watch, ...Array.from({ length: callers }, (_, index) => caller(index))]);
  console.log("fuzz", { seed, seconds, outcomes, mutations: mutations.counts, connections: proxy.accepted });

  // Not a run in which nothing happened.
  const changed = Object.values(mutations.counts).reduce((sum, count) => sum + count, 0);
  expect(changed).toBeGreaterThan(10);
  expect(outcomes["200"]).toBeGreaterThan(10);
  // Two accounts of one shard: five connections each, and one for control.
  expect(most).toBeLessThanOrEqual(12);
  const twice = await rows(
    "SELECT body FROM world.notes WHERE author = 'fuzz' GROUP BY body HAVING COUNT(*) > 1",
  );
  expect(twice).toEqual([]);

  mutations.rate = 0;
  const works = async () => {
    const answers = await Promise.all(
      ["analyst", "editor"].map((role) => gateway.sql({ sql: "SELECT 1 AS n" }, { role })),
    );
    return answers.map(({ status }) => status);
  };
  await expect.poll(works, { timeout: 20_000, interval: 500 }).toEqual([200, 200]);
  await expectOwnAnswers(gateway);
  await expect.poll(connectionsNow, { timeout: 10_000 }).toBeLessThanOrEqual(10);
});
