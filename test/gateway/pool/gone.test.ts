// Runs on mysql only: the gateway notices who is gone. What TiDB does with such a statement: tidb/kill.test.ts, tidb/left-running.test.ts.
import { randomUUID } from "node:crypto";
import net from "node:net";
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer, expectProblem, issuers, read } from "../support/harness.ts";
import type { WorkerdGateway } from "../support/workerd-gateway.ts";
import { startWorkerdGateway } from "../support/workerd-gateway.ts";

/**
 * A caller who goes away, and a gateway that goes away, on workerd itself. In other tests the development
 * server has a proxy in front of the gateway, which does not report that a caller has gone.
 */

let gateway: WorkerdGateway;
let administrator: Connection;

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  const one = { account: "analyst", allow: ["transaction"], max_transactions: 1 };
  gateway = await startWorkerdGateway("gone", [
    { issuer: issuers.fixed, claims: { role: "beginner" }, ...one },
  ]);
});
afterAll(async () => {
  await gateway?.stop();
  await administrator?.query("DELETE FROM world.notes WHERE author = 'gone'");
  await administrator?.end();
});

const tokenOf = (role: string, sub = "leaver") => gateway.token({ sub, role });

async function send(what: string, body: string, role: string, more: string[] = []): Promise<net.Socket> {
  const { hostname, port } = new URL(gateway.url);
  const socket = net.connect(Number(port), hostname);
  socket.on("error", () => {});
  const head = [
    `${what} HTTP/1.1`,
    `Host: ${hostname}`,
    `Authorization: Bearer ${await tokenOf(role)}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...more,
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  return socket;
}

/** Sends a request, and waits until the server executes its statement. */
async function sendAndWait(
  sql: string,
  mark: string,
  role = "analyst",
  more: string[] = [],
): Promise<net.Socket> {
  const socket = await send("POST /v1/sql", JSON.stringify({ sql }), role, more);
  await expect.poll(() => running(mark), { timeout: 10_000 }).toBe(1);
  return socket;
}

/** Sends a request, and goes away when the server executes its statement. */
async function leaveWhile(sql: string, mark: string, leave: (socket: net.Socket) => void, stream = false) {
  const socket = await sendAndWait(sql, mark);
  if (stream) await new Promise((resolve) => socket.once("data", resolve));
  leave(socket);
  await expect.poll(() => running(mark), { timeout: 5_000 }).toBe(0);
}

async function running(text: string): Promise<number> {
  const [rows] = await administrator.query<RowDataPacket[]>("SHOW FULL PROCESSLIST");
  return rows.filter(({ Info }) => String(Info).includes(text)).length;
}

const newMark = () => `m${randomUUID().slice(0, 8)}`;

describe("the statement of a caller who goes away is stopped at the server", () => {
  test("before its answer, when the connection is reset", async () => {
    const mark = newMark();
    await leaveWhile(`SELECT SLEEP(12) AS ${mark}`, mark, (socket) => socket.resetAndDestroy());
  });

  test("while its answer streams, however the connection ends", async () => {
    const mark = newMark();
    const sql = `SELECT a.name, REPEAT('x', 500) AS ${mark} FROM cities a, cities b LIMIT 5000000`;
    await leaveWhile(sql, mark, (socket) => socket.destroy(), true);
  });
});

test("a transaction that begins when its caller has gone away is rolled back", async () => {
  const post = async (path: string, role: string, body: object = {}, sub?: string) => {
    const headers = {
      authorization: `Bearer ${await tokenOf(role, sub)}`,
      "content-type": "application/json",
    };
    return await read(
      await fetch(`${gateway.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) }),
    );
  };
  await administrator.query("SELECT GET_LOCK('gone', 0)");
  // All connections that the account may have. One caller gets no more than its share.
  const sql = "SELECT GET_LOCK('gone', 60) AS held_back";
  const busy = Promise.all(
    Array.from({ length: 5 }, (_, i) => post("/v1/sql", "analyst", { sql }, `busy ${i}`)),
  );
  await expect.poll(() => running("AS held_back")).toBe(5);
  const socket = await send("POST /v1/transactions", "{}", "beginner");
  // The request has come far enough to be counted.
  const refused = async () => (await post("/v1/transactions", "beginner")).body.code;
  await expect.poll(refused).toBe("transactions_exceeded");
  socket.resetAndDestroy();
  await administrator.query("SELECT RELEASE_LOCK('gone')");
  expect((await busy).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  // Otherwise it would have kept the caller's only place for a minute.
  const begun = async () => (await post("/v1/transactions", "beginner")).status;
  await expect.poll(begun, { timeout: 10_000 }).toBe(201);
});

describe("a write with an Idempotency-Key", () => {
  const slow = (mark: string) =>
    `INSERT INTO notes (city_id, author, body) SELECT 1, 'gone', '${mark}' FROM (SELECT SLEEP(2)) AS slept`;

  async function comeBack(mark: string): Promise<Answer> {
    const headers = {
      authorization: `Bearer ${await tokenOf("editor")}`,
      "content-type": "application/json",
      "idempotency-key": mark,
    };
    const init = { method: "POST", headers, body: JSON.stringify({ sql: slow(mark) }) };
    return await read(await fetch(`${gateway.url}/v1/sql`, init));
  }

  async function written(mark: string): Promise<number> {
    const sql = "SELECT COUNT(*) AS n FROM world.notes WHERE body = ?";
    const [rows] = await administrator.query<RowDataPacket[]>(sql, [mark]);
    return Number(rows[0]?.n);
  }

  test("goes on without its caller, who has its answer when they come back, also from a gateway that has been killed", async () => {
    const mark = newMark();
    const socket = await sendAndWait(slow(mark), mark, "editor", [`Idempotency-Key: "${mark}"`]);
    socket.resetAndDestroy();
    const answer = async () => (await comeBack(mark)).status;
    await expect.poll(answer, { timeout: 10_000, interval: 200 }).toBe(200);
    const replayed = await comeBack(mark);
    expect(replayed.body).toMatchObject({ rows_affected: 1 });
    await gateway.killAndStart();
    expect((await comeBack(mark)).body).toEqual(replayed.body);
    expect(await written(mark)).toBe(1);
  });

  test("is not executed again after its gateway was killed: its outcome is unknown", async () => {
    const mark = newMark();
    const socket = await sendAndWait(slow(mark), mark, "editor", [`Idempotency-Key: "${mark}"`]);
    await gateway.killAndStart();
    socket.destroy();
    await expect.poll(() => running(mark), { timeout: 10_000 }).toBe(0);
    const before = await written(mark);
    expectProblem(await comeBack(mark), 409, "idempotency_in_flight");
    expect(await running(mark)).toBe(0);
    expect(await written(mark)).toBe(before);
    expect(before).toBeLessThanOrEqual(1);
  });
});
