import { randomBytes } from "node:crypto";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { errorKinds } from "../../../src/errors.ts";
import type { Mutations } from "../../servers/adversary/mutator.ts";
import { Mutator, randomOf } from "../../servers/adversary/mutator.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, issuers, startGateway, startProxy } from "../support/harness.ts";
import { expectOwnAnswers } from "../support/hostility.ts";

/**
 * Many callers, while a proxy changes packets of a real server at random. TIDEGATE_FUZZ_SECONDS sets the
 * duration, TIDEGATE_FUZZ_SEED repeats the random numbers. The order of events also decides which packet
 * gets which number.
 */
const seconds = Number(process.env.TIDEGATE_FUZZ_SECONDS ?? 10);
const seed = Number(process.env.TIDEGATE_FUZZ_SEED ?? randomBytes(4).readUInt32LE());
const callers = 12;
const deadlineMs = 1_500;
/** The time for a connection, its login, and the statement. */
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

/** Every secret that a caller has asked for or written. */
const secrets = new Set<string>();
const outcomes: Record<string, number> = {};

/** A long piece of a secret counts as the secret, because a mutation may have changed the rest. */
function othersIn(text: string, own: string): string[] {
  const pieces = [...text.matchAll(/[0-9a-f]{12}/g)].map(([piece]) => piece);
  return pieces.filter(
    (piece) => !own.includes(piece) && [...secrets].some((other) => other.includes(piece)),
  );
}

/** @returns the body as far as it came: a streamed answer breaks off if the rest is not available */
async function ask(
  role: string,
  sql: string,
  own: string,
): Promise<{ status: number; text: string; whole: boolean }> {
  const headers = {
    authorization: `Bearer ${await gateway.token({ role })}`,
    "content-type": "application/json",
  };
  const init = { method: "POST", headers, body: JSON.stringify({ sql, params: [own] }) };
  const { status, body } = await gateway.fetch("/v1/sql", init);
  const utf8 = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of body as ReadableStream<Uint8Array>)
      text += utf8.decode(chunk, { stream: true });
    return { status, text, whole: true };
  } catch {
    return { status, text, whole: false };
  }
}

async function judge(role: string, sql: string): Promise<void> {
  const own = randomBytes(24).toString("hex");
  secrets.add(own);
  const started = performance.now();
  const { status, text, whole } = await ask(role, sql, own);
  expect(performance.now() - started).toBeLessThan(patienceMs);
  expect(othersIn(text, own)).toEqual([]);
  // A statement without rows is answered after its end.
  if (role === "editor") expect(whole).toBe(true);
  const body = whole ? JSON.parse(text) : undefined;
  const outcome = status !== 200 ? body.code : whole ? "200" : "broken off";
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  if (status === 200) return;
  expect(errorKinds).toHaveProperty(outcome);
  expect(outcome).not.toBe("internal");
  expect(errorKinds[outcome as keyof typeof errorKinds].status).toBe(status);
}

const readOnce = () => judge("analyst", "SELECT ? AS nonce, id, name FROM cities ORDER BY id LIMIT 3");

const writeOnce = () =>
  judge(
    "editor",
    "INSERT INTO notes (city_id, author, body) SELECT id, 'fuzz', ? FROM cities ORDER BY id LIMIT 1",
  );

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

  // The run must have changed packets.
  const changed = Object.values(mutations.counts).reduce((sum, count) => sum + count, 0);
  expect(changed).toBeGreaterThan(10);
  expect(outcomes["200"]).toBeGreaterThan(10);
  // Two accounts of one shard: five connections each, and one admin connection each.
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
