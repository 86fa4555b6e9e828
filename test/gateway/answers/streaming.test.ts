// Runs on mysql only: the engine has no part in what it tests.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request } from "node:http";
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { databaseServer, issuers } from "../support/harness.ts";
import type { WorkerdGateway } from "../support/workerd-gateway.ts";
import { startWorkerdGateway } from "../support/workerd-gateway.ts";

/** Long answers, on workerd itself. The development server of most tests has a proxy, which reads ahead. */

let gateway: WorkerdGateway;
let administrator: Connection;

const grant = { issuer: issuers.fixed, account: "analyst", allow: ["sql:read"] };
const patient = { ...grant, claims: { role: "patient" }, deadline_ms: 60_000 };

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  gateway = await startWorkerdGateway("streaming", [
    patient,
    { ...grant, claims: { role: "hasty" }, deadline_ms: 1_500 },
    { ...grant, claims: { role: "few" }, max_rows: 2_000 },
    { ...grant, claims: { role: "small" }, max_bytes: 200_000 },
  ]);
});
afterAll(async () => {
  await gateway?.stop();
  await administrator?.end();
});

const ndjson = "application/x-ndjson";
const formats = ["application/json", ndjson, "text/csv"];

/** The body as the HTTP parser gives it: not decoded, and not read ahead. */
async function open(sql: string, accept: string, role = "patient", from = gateway): Promise<IncomingMessage> {
  const authorization = `Bearer ${await from.token({ role })}`;
  const headers = { authorization, accept, "content-type": "application/json" };
  return await new Promise((resolve, reject) => {
    const sent = request(`${from.url}/v1/sql`, { method: "POST", headers, agent: false }, resolve);
    sent.on("error", reject);
    sent.end(JSON.stringify({ sql }));
  });
}

/** @returns whether the body ended correctly by the rules of HTTP */
async function readAll(answer: IncomingMessage): Promise<{ body: string; whole: boolean }> {
  const chunks: Buffer[] = [];
  answer.on("data", (chunk: Buffer) => chunks.push(chunk));
  answer.on("error", () => {});
  await new Promise((resolve) => answer.once("close", resolve));
  return { body: Buffer.concat(chunks).toString(), whole: answer.complete };
}

async function ask(sql: string, accept: string, role?: string) {
  const answer = await open(sql, accept, role);
  return { status: answer.statusCode, headers: answer.headers, ...(await readAll(answer)) };
}

/** The server buffers rows up to 16 KiB: the second row pushes the first one out. Then the server is busy. */
const slow = (name: string) =>
  `SELECT REPEAT('x', 20000) AS ${name}, SLEEP(n) AS s
    FROM (SELECT 0 AS n UNION ALL SELECT 0 UNION ALL SELECT 20) AS t`;

test.each(formats)("the first rows come while the statement goes on: %s", async (accept) => {
  const name = `early_${formats.indexOf(accept)}`;
  const answer = await open(slow(name), accept);
  const [chunk] = await once(answer, "data");
  expect(String(chunk)).toMatch(/x{1000}/);
  const [rows] = await administrator.query<RowDataPacket[]>("SHOW FULL PROCESSLIST");
  expect(rows.filter(({ Info }) => String(Info).includes(`AS ${name},`))).toHaveLength(1);
  answer.destroy();
});

const linesOf = (body: string) => body.trimEnd().split("\n");

describe("an answer that has begun when its statement fails", () => {
  // The rows come in the order of the key, and the last one cannot be computed.
  const failing = `SELECT id, REPEAT('x', 1000) AS x, EXP(IF(id = (SELECT MAX(id) FROM cities), 1000, 1)) AS y
    FROM cities ORDER BY id`;

  test("as NDJSON ends with the error, whole as HTTP", async () => {
    const { status, headers, body, whole } = await ask(failing, ndjson);
    expect({ status, whole }).toEqual({ status: 200, whole: true });
    const lines = linesOf(body);
    expect(lines.length).toBeGreaterThan(100);
    const { error } = JSON.parse(lines.at(-1) ?? "");
    expect(error).toMatchObject({ status: 400, code: "sql_error", errno: 1690, retryable: false });
    expect(error.request_id).toBe(headers["x-request-id"]);
  });

  test.each(["application/json", "text/csv"])("as %s breaks off: the body has no end", async (accept) => {
    const { status, body, whole } = await ask(failing, accept);
    expect({ status, whole }).toEqual({ status: 200, whole: false });
    expect(body.length).toBeGreaterThan(100_000);
  });

  test("at its deadline too", async () => {
    const { body, whole } = await ask(slow("x"), ndjson, "hasty");
    const [, row = "", ...rest] = linesOf(body);
    expect({ whole, x: JSON.parse(row).x.length }).toEqual({ whole: true, x: 20_000 });
    expect(JSON.parse(rest.at(-1) ?? "").error).toMatchObject({ code: "deadline_exceeded", status: 504 });
    expect((await ask(slow("x"), "text/csv", "hasty")).whole).toBe(false);
  });
});

describe("a result that is larger than it may be", () => {
  test.each(formats)("as %s is refused while nothing has been sent", async (accept) => {
    const { status, headers, body } = await ask("SELECT REPEAT('x', 300000) AS x", accept, "small");
    expect({ status, code: JSON.parse(body).code }).toEqual({ status: 413, code: "result_too_large" });
    expect(headers["content-type"]).toBe("application/problem+json");
  });

  const rows = "SELECT REPEAT('x', 100) AS x FROM cities LIMIT 2001";

  test("by rows: NDJSON has as many as allowed, then the error", async () => {
    const lines = linesOf((await ask(rows, ndjson, "few")).body);
    expect(lines).toHaveLength(1 + 2_000 + 1);
    expect(JSON.parse(lines.at(-1) ?? "").error).toMatchObject({
      code: "result_too_large",
      detail: "It may have 2000 rows.",
    });
    const enough = await ask(rows.replace("2001", "2000"), ndjson, "few");
    expect(JSON.parse(linesOf(enough.body).at(-1) ?? "")).toHaveProperty("rows_affected");
  });

  test("by bytes: NDJSON ends with the error before there are more", async () => {
    const { body } = await ask("SELECT REPEAT('x', 1000) AS x FROM cities", ndjson, "small");
    const trailer = linesOf(body).at(-1) ?? "";
    expect(JSON.parse(trailer).error).toMatchObject({
      code: "result_too_large",
      detail: "It may have 200000 bytes.",
    });
    expect(body.length - trailer.length).toBeLessThanOrEqual(200_001);
  });

  test.each(["application/json", "text/csv"])("as %s it breaks off", async (accept) => {
    expect((await ask(rows, accept, "few")).whole).toBe(false);
    expect((await ask("SELECT REPEAT('x', 1000) AS x FROM cities", accept, "small")).whole).toBe(false);
  });
});

/**
 * The bytes that the server has sent on all connections. The rows of this question are a few hundred bytes.
 */
async function bytesSent(): Promise<number> {
  const [rows] = await administrator.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Bytes_sent'");
  return Number(rows[0]?.Value);
}

/** Resident memory of workerd. Only Linux shows it. */
function residentMiB({ pid }: WorkerdGateway, what: "VmRSS" | "VmHWM" = "VmRSS"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}

const rowsOf100Bytes = (count: number) =>
  `SELECT REPEAT('x', 100) AS x FROM cities a, cities b LIMIT ${count}`;

/** @returns the number of lines */
async function countLines(answer: IncomingMessage): Promise<number> {
  let lines = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
  }
  return lines;
}

describe.runIf(process.platform === "linux")("memory does not grow with the result", () => {
  const growthMiB = 64;

  test("a reader who waits stops the server; then everything comes", async () => {
    const count = 400_000;
    const before = { sent: await bytesSent(), residentMiB: residentMiB(gateway) };
    const answer = await open(rowsOf100Bytes(count), ndjson);
    answer.pause();
    let last = 0;
    const stands = async () => {
      const now = (await bytesSent()) - before.sent;
      const moved = now - last;
      last = now;
      return now > 64 * 1024 && moved < 16 * 1024;
    };
    await expect.poll(stands, { interval: 500, timeout: 15_000 }).toBe(true);
    await expect.poll(stands, { interval: 500, timeout: 15_000 }).toBe(true);
    // The server has sent only a part. So the rest is neither in the gateway nor in the network. The
    // kernel's buffers hold some of it.
    expect(last).toBeLessThan((count * 100) / 2);
    expect(residentMiB(gateway) - before.residentMiB).toBeLessThan(growthMiB);
    expect(await countLines(answer)).toBe(count + 2);
    expect((await bytesSent()) - before.sent).toBeGreaterThan(count * 100);
  });

  test("a million rows of 100 bytes, the first that a process sends, and three million more", async () => {
    const fresh = await startWorkerdGateway("streaming-fresh", [patient]);
    try {
      const before = residentMiB(fresh);
      const grown: number[] = [];
      for (let answers = 0; answers < 4; answers++) {
        const answer = await open(rowsOf100Bytes(1_000_000), ndjson, "patient", fresh);
        expect(await countLines(answer)).toBe(1_000_002);
        grown.push(residentMiB(fresh, "VmHWM") - before);
      }
      const more = grown.map((mib) => mib.toFixed(0)).join(", ");
      console.log(`  workerd: ${before.toFixed(0)} MiB, then at the most ${more} MiB more`);
      expect(grown[0]).toBeLessThan(growthMiB);
      // V8 collects old garbage only when there is a lot of it (docs/explanation/performance.md), so each answer adds
      // less.
      expect(grown.at(-1)).toBeLessThan(1.5 * growthMiB);
    } finally {
      await fresh.stop();
    }
  }, 120_000);
});
