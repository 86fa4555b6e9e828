// Runs on mysql only: the engine has no part in what it tests.
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { frame } from "../../../servers/wire/packets.ts";
import type { Spot } from "../../../servers/wire/tampering.ts";
import { limits } from "../../../src/limits.ts";
import type { Gateway } from "../support/harness.ts";
import { expectProblem, issuers, read, startGateway } from "../support/harness.ts";
import type { HostileServer, Played } from "../support/hostility.ts";
import {
  expectOwnAnswers,
  pour,
  question,
  say,
  startBystander,
  startHostileServer,
} from "../support/hostility.ts";

/** Too much of everything: how much a server can make the gateway keep, and for how long. */

let server: HostileServer;
let gateway: Gateway;
beforeAll(async () => {
  server = await startHostileServer();
  const grant = { issuer: issuers.remote, account: "analyst", allow: ["sql:read"] };
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${server.proxy.port}`] },
    grants: [
      { ...grant, claims: { role: "analyst" } },
      { ...grant, claims: { role: "hasty" }, deadline_ms: 1_500 },
      { ...grant, claims: { role: "patient" }, deadline_ms: 8_000 },
      { ...grant, claims: { role: "few" }, max_rows: 1_000 },
    ],
  });
});
afterAll(async () => {
  await gateway?.close();
  await server?.stop();
});

const large = limits.rowBytes;

describe("a row", () => {
  const rowOf = (bytes: number) => gateway.sql({ sql: `SELECT REPEAT('x', ${bytes}) AS x` });

  test("of nearly 8 MiB is answered, on every connection at once", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => rowOf(large - 100)));
    expect(answers.map(({ body }) => body.rows?.[0].x.length)).toEqual(Array(5).fill(large - 100));
  });

  test("of more is refused, though the server has it, and its connection ends", async () => {
    await rowOf(1);
    const before = server.proxy.connections.length;
    const answer = await rowOf(large + 1);
    expectProblem(answer, 413, "result_too_large");
    expect(answer.body.detail).toBe(`A row may have ${large} bytes.`);
    await expectOwnAnswers(gateway);
    expect(server.proxy.connections.length).toBeGreaterThan(before);
  });
});

const atRow = ({ command, text, index }: Spot) =>
  command === "COM_STMT_EXECUTE" && text.includes("AS victim") && index === 4;
const atCount = (spot: Spot) => atRow({ ...spot, index: spot.index + 4 });
const atProof = ({ text, index, executed }: Spot) =>
  text.startsWith("SELECT USER()") && index > 0 && executed.includes("AS victim");

let cases = 0;
async function attack(where: (spot: Spot) => boolean, what: Played, role = "analyst") {
  const play = server.play(where, what);
  const { sql, params } = question(`victim_of_size_${++cases}`);
  const answer = await gateway.sql({ sql, params }, { role });
  return { answer, play };
}

/** The answer to `question`, as a binary row. */
const row = Buffer.from([0, 0, 2, 0x61, 0x62, 3, 0x61, 0x62, 0x21]);
const endless = (length: number) => {
  const header = Buffer.alloc(4);
  header.writeUIntLE(length, 0, 3);
  return header;
};

describe("a packet that never ends", () => {
  test("of the greatest length, and another: refused before a byte of it is kept", async () => {
    const poured = pour(Buffer.alloc(16_000, 0x78));
    const { answer, play } = await attack(atRow, (packet, client) => {
      poured.what(packet, client);
      const header = endless(0xffffff);
      header.writeUInt8(packet.sequence, 3);
      return { send: header, after: "swallow" };
    });
    expectProblem(answer, 413, "result_too_large");
    // A KILL does not stop it, so a second later its connection is ended.
    await expect.poll(() => play.closed, { timeout: 10_000 }).toBe(true);
    expect(poured.bytes).toBeLessThan(16 * 2 ** 20);
    await expectOwnAnswers(gateway);
  });

  test("of a length that may be: its caller's deadline ends it", async () => {
    const bystander = startBystander(gateway);
    const what = say(({ sequence }) => {
      const header = endless(large);
      header.writeUInt8(sequence, 3);
      return Buffer.concat([header, Buffer.alloc(100)]);
    }, "swallow");
    const { answer, play } = await attack(atRow, what, "hasty");
    expectProblem(answer, 504, "deadline_exceeded");
    await expect.poll(() => play.closed, { timeout: 10_000 }).toBe(true);
    await expectOwnAnswers(gateway);
    expect(new Set((await bystander()).map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe("rows without end", () => {
  test("stop at the grant's ceiling", async () => {
    const { answer, play } = await attack(atRow, pour(row).what, "few");
    expectProblem(answer, 413, "result_too_large");
    await expect.poll(() => play.closed).toBe(true);
    await expectOwnAnswers(gateway);
  });

  test("stop at the deadline, also if the caller reads them", async () => {
    const poured = pour(row);
    const play = server.play(atRow, poured.what);
    const response = await gateway.fetch("/v1/sql", {
      method: "POST",
      ...(await request("victim_reads", "hasty")),
    });
    expect(response.status).toBe(200);
    await expect(read(response)).rejects.toThrow();
    await expect.poll(() => play.closed, { timeout: 10_000 }).toBe(true);
    await expectOwnAnswers(gateway);
  });

  test("are taken only as fast as they are read, and at the deadline not at all", async () => {
    const poured = pour(row);
    const play = server.play(atRow, poured.what);
    // Node's fetch would read on and keep the unread bytes; a socket does not.
    const reader = net.connect(Number(gateway.url.port), gateway.url.hostname).pause();
    const { headers, body } = await request("victim_waits", "patient");
    const fields = { host: gateway.url.host, "content-length": String(Buffer.byteLength(body)), ...headers };
    const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    reader.write(`POST /v1/sql HTTP/1.1\r\n${head.join("")}\r\n${body}`);
    await expect.poll(() => poured.bytes).toBeGreaterThan(0);
    let before = -1;
    while (before !== poured.bytes) {
      before = poured.bytes;
      await sleep(700);
    }
    expect(play.closed).toBe(false);
    // The content of the buffers of five sockets, and no more.
    expect(poured.bytes).toBeLessThan(32 * 2 ** 20);
    await expectOwnAnswers(gateway);
    await expect.poll(() => play.closed, { timeout: 10_000 }).toBe(true);
    reader.destroy();
    await expectOwnAnswers(gateway);
  });

  test("to the gateway's own question end the connection", async () => {
    const poured = pour(Buffer.from([1, 0x78]));
    const { answer, play } = await attack(atProof, poured.what);
    expect(answer.status).toBe(200);
    await expect.poll(() => play.closed).toBe(true);
    expect(poured.bytes).toBeLessThan(16 * 2 ** 20);
    await expectOwnAnswers(gateway);
  });
});

test("definitions without end", async () => {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  const column = Buffer.concat([...["def", "", "", "", "n", ""].map(text), Buffer.alloc(30_000, 0x0c)]);
  const poured = pour(column);
  const { answer, play } = await attack(atCount, (packet, client) => {
    poured.what({ ...packet, sequence: packet.sequence }, client);
    return { send: frame(packet.sequence, Buffer.from([0xfc, 0, 16])), after: "swallow" };
  });
  expectProblem(answer, 413, "result_too_large");
  await expect.poll(() => play.closed).toBe(true);
  expect(poured.bytes).toBeLessThan(32 * 2 ** 20);
  await expectOwnAnswers(gateway);
});

async function request(name: string, role: string) {
  const { sql, params } = question(name);
  const authorization = `Bearer ${await gateway.token({ role })}`;
  const headers = { authorization, "content-type": "application/json" };
  return { headers, body: JSON.stringify({ sql, params }) };
}
