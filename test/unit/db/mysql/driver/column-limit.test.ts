import { describe, expect, test } from "vitest";
import { frame } from "../../../../../servers/wire/packets.ts";
import {
  binaryRow,
  column,
  connected,
  eof,
  execute,
  nothing,
  ok,
  prepare,
  prepared,
  refuses,
  reply,
} from "../guard/guarded-connection.ts";

/**
 * Results with too many columns. The definitions of a PREPARE pass, so the connection stays open. A number of
 * columns that PREPARE cannot announce ends the connection.
 */

const many = 5_000;
const definitions = (count: number, from = 2) =>
  Buffer.concat(Array.from({ length: count }, (_, at) => frame((from + at) & 0xff, column())));
const read = [prepare("SELECT 1")];

test("PREPARE may announce them, and the connection stays usable", () => {
  const connection = connected();
  connection.wire.write(read[0] as Buffer);
  const answer = Buffer.concat([
    reply(prepared(1, many)),
    definitions(many),
    frame((2 + many) & 0xff, eof()),
  ]);
  connection.says(answer);
  expect(connection.server.destroyed).toBeUndefined();
  expect(connection.wire.isResting).toBe(true);
  expect(connection.heard).toEqual(answer);
});

describe("a statement without columns in PREPARE, as CALL is", () => {
  const head = (bytes: number[]) => Buffer.concat([reply(prepared(1, 0)), reply(Buffer.from(bytes))]);

  test("may answer with as many columns as PREPARE could announce", () => {
    const connection = connected();
    for (const bytes of [prepare("CALL p()"), execute(1)]) connection.wire.write(bytes);
    const end = (2 + many) & 0xff;
    connection.says(
      head([0xfc, many & 255, many >> 8]),
      definitions(many),
      frame(end, eof()),
      frame((end + 1) & 0xff, binaryRow()),
      frame((end + 2) & 0xff, eof()),
    );
    expect(connection.server.destroyed).toBeUndefined();
    expect(connection.wire.isResting).toBe(true);
  });

  test("may not answer with more", () =>
    refuses(
      [prepare("CALL p()"), execute(1)],
      reply(prepared(1, 0)),
      reply(Buffer.from([0xfd, 0, 0, 1])),
      /impossible number of columns/,
    ));
});

/** For 65,536 and 65,537 columns, the head says 0 and 1. */
describe("a PREPARE whose 16-bit count has wrapped around", () => {
  const wide = /^more than 65535 columns$/;
  test("at 0", () => refuses(read, reply(prepared(1, 0)), frame(2, column()), wide));
  test("at 1", () =>
    refuses(read, Buffer.concat([reply(prepared(1, 1)), frame(2, column())]), frame(3, column()), wide));
  test("with another command after it", () =>
    refuses([...read, execute(1)], reply(prepared(1, 0)), frame(2, column()), wide));
  test("a packet that is not a definition is refused there", () =>
    refuses([...read, execute(1)], reply(prepared(1, 0)), frame(2, ok()), /packet 2 came where 1 belongs/));
  test("a definition is refused after any other packet", () =>
    refuses([], nothing, frame(2, column()), /nobody asked for/));
});
