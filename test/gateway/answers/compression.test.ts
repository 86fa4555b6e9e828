// Runs on mysql only: the engine has no part in what it tests.
import { request } from "node:http";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WorkerdGateway } from "../support/workerd-gateway.ts";
import { startWorkerdGateway } from "../support/workerd-gateway.ts";

/** Runs on workerd itself, because the proxy in front of other tests' gateways compresses answers itself. */
let gateway: WorkerdGateway;
beforeAll(async () => {
  gateway = await startWorkerdGateway("compression");
});
afterAll(() => gateway?.stop());

interface Raw {
  status: number | undefined;
  headers: Record<string, unknown>;
  body: Buffer;
  /** The connection closed before the end of the body. */
  broken: boolean;
}

/** Reads the raw bytes. fetch would decode them, and would ask for compression by itself. */
async function ask(sql: string, headers: Record<string, string>, path = "/v1/sql"): Promise<Raw> {
  const sent = request(`${gateway.url}${path}`, {
    method: "POST",
    agent: false,
    headers: {
      authorization: `Bearer ${await gateway.token()}`,
      "content-type": "application/json",
      ...headers,
    },
  });
  sent.end(JSON.stringify({ sql }));
  return await new Promise<Raw>((resolve, reject) => {
    sent.once("error", reject);
    sent.once("response", (answer) => {
      const chunks: Buffer[] = [];
      const done = (broken: boolean) =>
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks), broken });
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.once("end", () => done(false));
      answer.once("error", () => done(true));
    });
  });
}

const long = "SELECT id, name, country_code FROM cities ORDER BY id LIMIT 50";
const longer = "SELECT a.name, b.name AS other FROM cities a, cities b LIMIT 20000";
const short = "SELECT 1 AS one";

describe("an answer is compressed", () => {
  test.each([
    ["JSON, whole", long, "application/json"],
    ["JSON, streamed", longer, "application/json"],
    ["NDJSON", longer, "application/x-ndjson"],
    ["NDJSON by another name", longer, "application/jsonl"],
    ["CSV", longer, "text/csv"],
  ])("where the caller asks for gzip: %s", async (_, sql, accept) => {
    const plain = await ask(sql, { accept });
    expect(plain.headers["content-encoding"]).toBeUndefined();
    expect(plain.headers.vary).toBe("Origin, Accept, Accept-Encoding");
    const packed = await ask(sql, { accept, "accept-encoding": "br, gzip;q=0.5" });
    expect(packed.status).toBe(200);
    expect(packed.headers["content-encoding"]).toBe("gzip");
    expect(packed.headers.vary).toBe("Origin, Accept, Accept-Encoding");
    expect(packed.headers["content-type"]).toBe(plain.headers["content-type"]);
    expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
    expect(packed.body.length).toBeLessThan(plain.body.length / 2);
  });

  test.each([
    undefined,
    "",
    "identity",
    "br",
    "gzip;q=0",
    "gzip;q=0.1, identity;q=0.9",
    "*;q=0",
    "gzip;q=x;y",
  ])("and not with Accept-Encoding: %j", async (encoding) => {
    const answer = await ask(long, encoding === undefined ? {} : { "accept-encoding": encoding });
    expect(answer.status).toBe(200);
    expect(answer.headers["content-encoding"]).toBeUndefined();
    expect(JSON.parse(answer.body.toString()).rows).toHaveLength(50);
  });

  test("not when it is short, or an error", async () => {
    const brief = await ask(short, { "accept-encoding": "gzip" });
    expect([brief.headers["content-encoding"], brief.headers["content-length"]]).toEqual([
      undefined,
      String(brief.body.length),
    ]);
    const wrong = await ask(`SELECT ${"x".repeat(3_000)}`, { "accept-encoding": "gzip" });
    expect([wrong.status, wrong.headers["content-encoding"]]).toEqual([400, undefined]);
  });
});

test("an answer that fails on the way breaks off too", async () => {
  const sql = `SELECT c.*, (SELECT 1 FROM cities d WHERE c.id >= (SELECT MAX(id) FROM cities) LIMIT 2) AS boom
               FROM cities c FORCE INDEX (PRIMARY) ORDER BY c.id`;
  const answer = await ask(sql, { "accept-encoding": "gzip" });
  expect([answer.status, answer.headers["content-encoding"], answer.broken]).toEqual([200, "gzip", true]);
  expect(() => gunzipSync(answer.body)).toThrow();
});
