// Runs on mariadb only: the engine has no part in what it tests.
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import net from "node:net";
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { createSigningKey, mint } from "../../../servers/issuer/issuer.ts";
import { isAlive } from "../../../servers/lock.ts";
import type { Answer } from "../support/harness.ts";
import { audience, databaseServer, read } from "../support/harness.ts";
import type { Serve } from "./project.ts";
import { issuer, start, writeProject } from "./project.ts";

/** How `tidegate serve` ends, and what is there when it is started again. */

const key = await createSigningKey();
let directory: string;
let administrator: Connection;
let serve: Serve | undefined;

beforeAll(async () => {
  directory = writeProject("stop", key);
  administrator = await connectAdministrator(databaseServer());
});
afterEach(async () => {
  serve?.process.kill("SIGKILL");
  await serve?.exited;
});
afterAll(async () => {
  await administrator?.query("DELETE FROM world.notes WHERE author = 'serve'");
  await administrator?.end();
});

async function running(): Promise<Serve> {
  serve = await start(directory);
  return serve;
}

async function headersOf(more: Record<string, string> = {}): Promise<Record<string, string>> {
  const claims = { iss: issuer, aud: audience, sub: "someone", role: "editor" };
  return { authorization: `Bearer ${await mint(key, claims)}`, "content-type": "application/json", ...more };
}

async function post(
  { url }: Serve,
  body: object,
  more: Record<string, string> = {},
  path = "/v1/sql",
): Promise<Answer> {
  return await read(
    await fetch(`${url}${path}`, {
      method: "POST",
      headers: await headersOf(more),
      body: JSON.stringify(body),
    }),
  );
}

/** Sends a request over its own socket, which its caller can reset. */
async function send({ url }: Serve, sql: string, more: Record<string, string> = {}): Promise<net.Socket> {
  const { hostname, port } = new URL(url);
  const body = JSON.stringify({ sql });
  const headers = { host: hostname, "content-length": String(body.length), ...(await headersOf(more)) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = net.connect(Number(port), hostname);
  socket.on("error", () => {});
  socket.write(`POST /v1/sql HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  return socket;
}

async function statements(mark: string): Promise<number> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE ? AND id <> CONNECTION_ID()",
    [`%${mark}%`],
  );
  return Number(rows[0]?.n);
}

async function written(mark: string): Promise<number> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT COUNT(*) AS n FROM world.notes WHERE body = ?",
    [mark],
  );
  return Number(rows[0]?.n);
}

const newMark = () => `m${randomUUID().slice(0, 8)}`;
const isRunning = (pid: number) => isAlive({ pid, startTime: null });
const slowWrite = (mark: string) =>
  `INSERT INTO notes (city_id, author, body) SELECT 1, 'serve', '${mark}' FROM (SELECT SLEEP(2)) AS slept`;

test("SIGTERM lets a running statement end, and then ends with 0", async () => {
  const one = await running();
  const workerd = one.pid();
  const mark = newMark();
  const answer = post(one, { sql: `SELECT SLEEP(3) AS ${mark}` });
  await expect.poll(() => statements(mark)).toBe(1);
  one.process.kill("SIGTERM");
  expect(await answer).toMatchObject({ status: 200, body: { rows: [{ [mark]: 0 }] } });
  expect(await one.exited).toEqual({ code: 0, signal: null });
  expect(isRunning(workerd)).toBe(false);
  expect(one.stderr.at(-1)).toMatch(/^Stopping: /);
});

test("SIGINT rolls back an open transaction", async () => {
  const one = await running();
  const begun = await post(one, {}, {}, "/v1/transactions");
  expect(begun.status).toBe(201);
  const mark = newMark();
  const sql = `INSERT INTO notes (city_id, author, body) VALUES (1, 'serve', '${mark}')`;
  expect((await post(one, { sql }, {}, `/v1/transactions/${begun.body.id}/sql`)).status).toBe(200);
  one.process.kill("SIGINT");
  expect(await one.exited).toEqual({ code: 0, signal: null });
  expect(await written(mark)).toBe(0);
});

test("the answer to a key is there after a restart, also of a write whose caller had gone", async () => {
  const marks = [newMark(), newMark()] as const;
  const keyOf = (mark: string) => ({ "idempotency-key": `"${mark}"` });
  const first = await running();
  const gone = await send(first, slowWrite(marks[1]), keyOf(marks[1]));
  await expect.poll(() => statements(marks[1])).toBe(1);
  gone.resetAndDestroy();
  const answered = await post(first, { sql: slowWrite(marks[0]).replace("SLEEP(2)", "1") }, keyOf(marks[0]));
  expect(answered.status).toBe(200);
  first.process.kill("SIGTERM");
  expect(await first.exited).toEqual({ code: 0, signal: null });

  const second = await running();
  const replayed = await post(second, { sql: slowWrite(marks[0]).replace("SLEEP(2)", "1") }, keyOf(marks[0]));
  expect(replayed.body).toEqual(answered.body);
  expect(replayed.headers.get("idempotency-replayed")).toBe("true");
  const kept = await post(second, { sql: slowWrite(marks[1]) }, keyOf(marks[1]));
  expect(kept).toMatchObject({ status: 200, body: { rows_affected: 1 } });
  expect(kept.headers.get("idempotency-replayed")).toBe("true");
  expect([await written(marks[0]), await written(marks[1])]).toEqual([1, 1]);
});

test("a caller who goes away stops its statement", async () => {
  const one = await running();
  const mark = newMark();
  const socket = await send(one, `SELECT SLEEP(20) AS ${mark}`);
  await expect.poll(() => statements(mark)).toBe(1);
  socket.resetAndDestroy();
  await expect.poll(() => statements(mark)).toBe(0);
});

test("a second signal ends it at once", async () => {
  const one = await running();
  const workerd = one.pid();
  const mark = newMark();
  const cut = post(one, { sql: `SELECT SLEEP(25) AS ${mark}` }).catch((cause: Error) => cause);
  await expect.poll(() => statements(mark)).toBe(1);
  one.process.kill("SIGTERM");
  await expect.poll(() => one.stderr.at(-1)).toMatch(/^Stopping: /);
  one.process.kill("SIGTERM");
  expect(await one.exited).toEqual({ code: 1, signal: null });
  expect(await cut).toBeInstanceOf(Error);
  expect(isRunning(workerd)).toBe(false);
});

test("if workerd dies, it says so and ends", async () => {
  const one = await running();
  process.kill(one.pid(), "SIGKILL");
  expect(await one.exited).toEqual({ code: 1, signal: null });
  expect(one.stderr.at(-1)).toBe("workerd has ended by itself (signal SIGKILL).");
});

test("a terminal that closes may send SIGHUP more than once: requests still end", async () => {
  const one = await running();
  const mark = newMark();
  const answer = post(one, { sql: `SELECT SLEEP(3) AS ${mark}` });
  await expect.poll(() => statements(mark)).toBe(1);
  one.process.kill("SIGHUP");
  await expect.poll(() => one.stderr.at(-1)).toMatch(/^Stopping: /);
  one.process.kill("SIGHUP");
  expect(await answer).toMatchObject({ status: 200 });
  expect(await one.exited).toEqual({ code: 0, signal: null });
});

test("workerd does not outlive it for long, and its folder is served again only after workerd's end", {
  timeout: 120_000,
}, async () => {
  const one = await running();
  const workerd = one.pid();
  const mark = newMark();
  // workerd waits for it, so it ends late.
  void post(one, { sql: `SELECT SLEEP(20) AS ${mark}` }).catch(() => {});
  await expect.poll(() => statements(mark)).toBe(1);
  one.process.kill("SIGKILL");
  await one.exited;
  const second = await running();
  expect(isRunning(workerd)).toBe(false);
  second.process.kill("SIGTERM");
  expect(await second.exited).toEqual({ code: 0, signal: null });
  expect(existsSync(`${directory}/.tidegate/production/state/lock`)).toBe(false);
});
