// Runs on mariadb only: the engine has no part in what it tests.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errPacket, frame } from "../../../servers/wire/packets.ts";
import type { Spot } from "../../../servers/wire/tampering.ts";
import type { Gateway } from "../support/harness.ts";
import { expectProblem, startGateway } from "../support/harness.ts";
import type { HostileServer, Played } from "../support/hostility.ts";
import {
  eof,
  error,
  expectOwnAnswers,
  infile,
  next,
  ok,
  original,
  question,
  say,
  startBystander,
  startHostileServer,
  stray,
} from "../support/hostility.ts";

/** A server that is honest until the login is over, and hostile after it: what a caller's answer may be. */

let server: HostileServer;
let gateway: Gateway;
beforeAll(async () => {
  server = await startHostileServer();
  gateway = await startGateway({ cluster: { hosts: [`localhost:${server.proxy.port}`] } });
});
afterAll(async () => {
  await gateway?.close();
  await server?.stop();
});

/** The victim's statement has two columns and one row. These are the packets of the answer to EXECUTE. */
const spots = { count: 0, column: 1, columnsEnd: 3, row: 4, end: 5 } as const;
const at = (place: keyof typeof spots | number, command = "COM_STMT_EXECUTE") => {
  const index = typeof place === "number" ? place : spots[place];
  return (spot: Spot) => spot.command === command && spot.text.includes("AS victim") && spot.index === index;
};

let cases = 0;
/** Applies a trick to a statement that was not prepared before. */
async function attack(where: (spot: Spot) => boolean, what: Played) {
  const play = server.play(where, what);
  const { sql, params, rows } = question(`victim${++cases}`);
  const answer = await gateway.sql({ sql, params });
  expect(play.victim).toBeDefined();
  return { answer, rows, play };
}

const cutOff = (bytes: number): Played =>
  say(({ sequence, payload }) => frame(sequence, payload.subarray(0, bytes)));
const replace = (payload: Buffer): Played => say(({ sequence }) => frame(sequence, payload));
const count = (...bytes: number[]) => replace(Buffer.from(bytes));

describe("an answer that cannot be right ends the connection, and only its caller hears of it", () => {
  test.each<[string, (spot: Spot) => boolean, Played]>([
    ["a wrong number at its beginning", at("count"), say((packet) => frame(next(packet), packet.payload))],
    ["a wrong number at a row", at("row"), say((packet) => frame(next(packet, 7), packet.payload))],
    ["a packet twice", at("column"), say((packet) => [original(packet), original(packet)])],
    ["a row that is cut off", at("row"), cutOff(6)],
    ["a row without its NULL bitmap", at("row"), cutOff(1)],
    [
      "a row with more than its values",
      at("row"),
      say(({ sequence, payload }) => frame(sequence, Buffer.concat([payload, payload]))),
    ],
    ["a row of other columns", at("row"), replace(Buffer.from([0, 0, 1, 0x61]))],
    [
      "a value of an impossible length",
      at("row"),
      replace(Buffer.from([0, 0, 0xfe, 255, 255, 255, 255, 255, 255, 255, 127])),
    ],
    ["a value whose length is cut off", at("row"), replace(Buffer.from([0, 0, 0xfd]))],
    ["half a packet and the end", at("row"), say((packet) => original(packet).subarray(0, 10), "cut")],
    ["the end within a header", at("row"), say((packet) => original(packet).subarray(0, 2), "cut")],
    ["the end instead of an answer", at("count"), say(() => Buffer.alloc(0), "cut")],
    ["65,535 columns", at("count"), count(0xfc, 0xff, 0xff)],
    ["2^40 columns", at("count"), count(0xfe, 0, 0, 0, 0, 0, 1, 0, 0)],
    ["one column more", at("count"), count(3)],
    ["one column less", at("count"), count(1)],
    ["garbage for a column", at("column"), replace(Buffer.alloc(40, 0xa5))],
    ["an end among the columns", at("column"), replace(eof)],
    ["no end after the columns", at("columnsEnd"), say(() => Buffer.alloc(0))],
    ["an OK where rows belong", at("count"), replace(ok)],
    [
      "a second result",
      at("end"),
      say((packet) => [frame(packet.sequence, Buffer.from([0xfe, 0, 0, 10, 0])), stray(next(packet))]),
    ],
    ["a request for a file", at("count"), replace(infile)],
    ["a request for a file in the place of a row", at("row"), replace(infile)],
    ["a request for a file at PREPARE", at(0, "COM_STMT_PREPARE"), replace(infile)],
    ["an OK at PREPARE", at(0, "COM_STMT_PREPARE"), replace(ok)],
    ["rows at PREPARE", at(0, "COM_STMT_PREPARE"), say(() => stray())],
    ["garbage for a parameter", at(1, "COM_STMT_PREPARE"), replace(Buffer.alloc(40, 0xa5))],
  ])("%s", async (_, where, what) => {
    const bystander = startBystander(gateway);
    const { answer, play } = await attack(where, what);
    expectProblem(answer, 503, "connection_lost");
    expect(answer.body.retryable).toBe(true);
    await expect.poll(() => play.closed).toBe(true);
    // The gateway sends no byte of a file, and nothing else.
    expect(play.victim?.sentSince).toEqual([]);
    await expectOwnAnswers(gateway);
    expect(new Set((await bystander()).map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe("bytes behind an answer belong to no caller", () => {
  test.each<[string, Played]>([
    ["an OK", say((packet) => [original(packet), frame(1, ok)])],
    ["an OK with the next number", say((packet) => [original(packet), frame(next(packet), ok)])],
    ["another result", say((packet) => [original(packet), stray()])],
    ["half a packet", say((packet) => [original(packet), frame(1, ok).subarray(0, 6)])],
  ])("%s, glued behind it: either may be the true one, so neither is", async (_, what) => {
    const { answer, play } = await attack(at("end"), what);
    expectProblem(answer, 503, "connection_lost");
    await expect.poll(() => play.closed).toBe(true);
    await expectOwnAnswers(gateway);
  });

  test("an error behind it is the server's farewell: the answer holds", async () => {
    const what = say((packet) => [original(packet), frame(0, error)]);
    const { answer, rows, play } = await attack(at("end"), what);
    expect(answer.body.rows).toEqual(rows);
    await expect.poll(() => play.closed).toBe(true);
    await expectOwnAnswers(gateway);
  });

  test.each([
    ["an OK", frame(1, ok)],
    ["another result", stray()],
    [
      "an error",
      frame(0, errPacket(4031, "The client was disconnected by the server because of inactivity")),
    ],
    ["one byte", Buffer.from([1])],
  ])("%s, to every connection while it is idle", async (_, bytes) => {
    await expectOwnAnswers(gateway);
    await expect.poll(() => server.proxy.open).toBeGreaterThan(0);
    const before = server.proxy.connections.length;
    server.say(bytes);
    await expect.poll(() => server.proxy.open).toBe(0);
    await expectOwnAnswers(gateway);
    expect(server.proxy.connections.length).toBeGreaterThan(before);
  });
});

describe("an error belongs to the caller whose statement it answers", () => {
  test.each<[string, (spot: Spot) => boolean, Played]>([
    ["at PREPARE", at(0, "COM_STMT_PREPARE"), say(({ sequence }) => frame(sequence, error), "swallow")],
    ["instead of rows", at("count"), say(({ sequence }) => frame(sequence, error), "swallow")],
    ["among the columns", at("column"), say(({ sequence }) => frame(sequence, error), "swallow")],
    ["among the rows", at("row"), say(({ sequence }) => frame(sequence, error), "swallow")],
    ["instead of the end", at("end"), say(({ sequence }) => frame(sequence, error), "swallow")],
  ])("%s", async (_, where, what) => {
    const { answer, play } = await attack(where, what);
    expectProblem(answer, 400, "sql_error");
    expect(answer.body.errno).toBe(1105);
    await expectOwnAnswers(gateway);
    // The server is silent now; the restore notices it.
    await expect.poll(() => play.closed, { timeout: 8_000 }).toBe(true);
  });
});
