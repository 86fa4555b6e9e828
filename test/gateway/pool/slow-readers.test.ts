// Runs on mariadb only: whose connection it is, is the gateway's own decision.
import type { IncomingMessage } from "node:http";
import { request } from "node:http";
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { databaseServer, issuers } from "../support/harness.ts";
import type { WorkerdGateway } from "../support/workerd-gateway.ts";
import { startWorkerdGateway } from "../support/workerd-gateway.ts";

/**
 * What a caller who reads slowly leaves to the others, counted at the server. On workerd itself, because
 * the development server of most tests has a proxy, which reads ahead.
 */

let gateway: WorkerdGateway;
let administrator: Connection;

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  const grant = { issuer: issuers.fixed, account: "analyst", allow: ["sql:read"], deadline_ms: 60_000 };
  gateway = await startWorkerdGateway("slow-readers", [grant], { queue_wait_ms: 60_000 });
});
afterAll(async () => {
  await gateway?.stop();
  await administrator?.end();
});

/** 40 MB: far more than the gateway and the kernel buffer of an unread answer. */
const large = "SELECT REPEAT('x', 100) AS held_back FROM cities a, cities b LIMIT 400000";

/** The number of these statements that the server has not finished. */
async function running(): Promise<number> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE 'SELECT REPEAT%held_back%'",
  );
  return Number(rows[0]?.n);
}

interface Reader {
  /** The head of the answer has arrived; the body is not read. */
  answer: IncomingMessage | undefined;
  closed: boolean;
  goAway(): void;
}

/** Asks for a large result, and does not read it. */
async function open(sub: string): Promise<Reader> {
  const authorization = `Bearer ${await gateway.token({ sub, role: "reader" })}`;
  const accept = "application/x-ndjson";
  const headers = { authorization, accept, "content-type": "application/json" };
  const sent = request(`${gateway.url}/v1/sql`, { method: "POST", headers, agent: false });
  const reader: Reader = { answer: undefined, closed: false, goAway: () => sent.destroy() };
  sent.on("response", (answer) => {
    answer.pause();
    answer.on("error", () => {});
    reader.answer = answer;
  });
  sent.on("error", () => {});
  sent.on("close", () => {
    reader.closed = true;
  });
  sent.end(JSON.stringify({ sql: large }));
  return reader;
}

async function ask(sub: string): Promise<number> {
  const authorization = `Bearer ${await gateway.token({ sub, role: "reader" })}`;
  const headers = { authorization, "content-type": "application/json" };
  const body = JSON.stringify({ sql: "SELECT 1" });
  const answer = await fetch(`${gateway.url}/v1/sql`, { method: "POST", headers, body });
  await answer.text();
  return answer.status;
}

/** @returns the number of rows, after the last one */
async function readRows(answer: IncomingMessage): Promise<number> {
  let lines = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
  }
  // The head and the end are lines too.
  return lines - 2;
}

test("20 results that one caller does not read take 2 of 5 connections, and everybody else is answered", async () => {
  const readers = await Promise.all(Array.from({ length: 20 }, () => open("greedy")));
  const begun = () => readers.flatMap(({ answer }) => answer ?? []);
  try {
    await expect.poll(() => begun().length).toBe(2);
    expect(await running()).toBe(2);
    for (let round = 0; round < 3; round++) {
      const others = Array.from({ length: 8 }, (_, i) => ask(`other ${i % 4}`));
      expect(await Promise.all(others)).toEqual(others.map(() => 200));
      expect([begun().length, await running()]).toEqual([2, 2]);
    }
    // A later caller who reads as slowly has its own share.
    const second = await open("second");
    await expect.poll(() => second.answer?.statusCode).toBe(200);
    expect([begun().length, await running()]).toEqual([2, 3]);
    expect(await ask("third")).toBe(200);
    second.goAway();
    // When one result is read to its end, the same caller gets room for one more, not for two.
    const [first] = begun();
    expect(first && (await readRows(first))).toBe(400_000);
    await expect.poll(() => begun().length).toBe(3);
    expect(begun().filter(({ statusCode }) => statusCode !== 200)).toEqual([]);
    await expect.poll(running).toBe(2);
  } finally {
    for (const reader of readers) reader.goAway();
  }
  await expect.poll(running).toBe(0);
  expect(await ask("greedy")).toBe(200);
}, 120_000);
