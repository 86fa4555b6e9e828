import { describe, expect, test } from "vitest";
import { frame } from "../../../../../servers/wire/packets.ts";
import { ProtocolGuard } from "../../../../../src/db/mysql/guard/protocol-guard.ts";
import { limits } from "../../../../../src/limits.ts";
import {
  binaryRow,
  column,
  connected,
  eof,
  execute,
  FakeWire,
  nothing,
  ok,
  prepare,
  prepared,
  query,
  refuses,
  reply,
  reset,
  selected,
  text,
} from "./guarded-connection.ts";

describe("what cannot be the answer", () => {
  const asked = [prepare("SELECT 1"), execute(1)];
  const head = Buffer.concat([selected, frame(1, Buffer.from([1]))]);
  const described = Buffer.concat([head, frame(2, column()), frame(3, eof())]);
  test.each([
    ["a number that was left out", [reset], nothing, frame(2, ok()), /packet 2 came where 1 belongs/],
    ["a number twice", asked, head, frame(1, column()), /packet 1 came where 2 belongs/],
    [
      "a file asked for",
      [query("SET x = 1")],
      nothing,
      reply(Buffer.from("\xfb/etc/passwd", "latin1")),
      /LOCAL INFILE/,
    ],
    [
      "a file asked for by a statement",
      asked,
      selected,
      reply(Buffer.from("\xfbx", "latin1")),
      /LOCAL INFILE/,
    ],
    [
      "rows for an OK",
      [query("USE `world`")],
      nothing,
      reply(Buffer.from([1]), column(), eof(), eof()),
      /where an OK belongs/,
    ],
    ["rows for a RESET", [reset], nothing, reply(Buffer.from([1])), /where an OK belongs/],
    ["an OK for rows", asked, selected, reply(ok()), /an OK came where rows belong/],
    ["an OK for the proof", [query("SELECT USER()")], nothing, reply(ok()), /an OK came where rows belong/],
    [
      "rows for a change",
      [prepare(" update t set n = 1"), execute(1)],
      reply(prepared(1, 0)),
      reply(Buffer.from([1])),
      /where an OK belongs/,
    ],
    ["an OK for a PREPARE", [prepare("SELECT 1")], nothing, reply(ok()), /no answer to PREPARE/],
    ["an OK that is cut off", [reset], nothing, reply(Buffer.from([0, 0, 0])), /cut off/],
    ["an OK that cannot be read", [reset], nothing, reply(Buffer.from([0, 0xff, 0, 2, 0, 0, 0])), /cut off/],
    ["an error that is cut off", [reset], nothing, reply(Buffer.from([0xff])), /cut off/],
    ["nothing at all", [reset], nothing, reply(nothing), /where an OK belongs/],
    [
      "65,535 columns",
      asked,
      selected,
      reply(Buffer.from([0xfc, 0xff, 0xff])),
      /impossible number of columns/,
    ],
    [
      "2^40 columns",
      asked,
      selected,
      reply(Buffer.from([0xfe, 0, 0, 0, 0, 0, 1, 0, 0])),
      /impossible number of columns/,
    ],
    [
      "a count that is cut off",
      asked,
      selected,
      reply(Buffer.from([0xfc, 1])),
      /impossible number of columns/,
    ],
    ["an end for a count", asked, selected, reply(eof()), /impossible number of columns/],
    ["a definition of nothing", asked, head, frame(2, Buffer.alloc(30, 1)), /definition belongs/],
    ["an end for a definition", asked, head, frame(2, eof()), /definition belongs/],
    [
      "a definition for an end",
      asked,
      Buffer.concat([head, frame(2, column())]),
      frame(3, column()),
      /more columns/,
    ],
    ["a text row for a binary one", asked, described, frame(4, text("1")), /a row belongs/],
    ["an end that is cut off", asked, described, frame(4, Buffer.from([0xfe, 0, 0])), /cut off/],
    [
      "a second result",
      asked,
      Buffer.concat([described, frame(4, binaryRow())]),
      frame(5, eof(10)),
      /second result/,
    ],
  ])("%s", (_, sent, good, bad, because) => refuses(sent, good, bad, because));
});

describe("what is too large", () => {
  const asked = [prepare("SELECT 1"), execute(1)];
  const described = Buffer.concat([selected, reply(Buffer.from([1]), column(), eof())]);
  const announced = (sequence: number, length: number) => {
    const header = Buffer.alloc(4 + 24);
    header.writeUIntLE(length, 0, 3);
    header.writeUInt8(sequence, 3);
    return header;
  };
  test("a row, as soon as it is announced", () =>
    refuses(asked, described, announced(4, limits.rowBytes + 1), /more than 8388608 bytes in one piece/));
  test("a row of several packets", () =>
    refuses(asked, described, announced(4, 0xffffff), /more than 8388608 bytes in one piece/));
  test("a row of exactly the limit passes", () => {
    const connection = connected();
    for (const bytes of asked) connection.wire.write(bytes);
    connection.says(
      described,
      announced(4, limits.rowBytes),
      Buffer.alloc(limits.rowBytes - 24),
      frame(5, eof()),
    );
    expect(connection.server.destroyed).toBeUndefined();
    expect(connection.wire.isResting).toBe(true);
  });
  test("definitions without end", () => {
    const connection = connected();
    for (const bytes of asked) connection.wire.write(bytes);
    connection.says(selected, frame(1, Buffer.from([0xfc, 0, 16])));
    const large = column("x".repeat(200)).toString("latin1");
    const huge = Buffer.from(large + "\0".repeat(100_000), "latin1");
    for (let at = 0; at < 100 && connection.server.destroyed === undefined; at++)
      connection.says(frame(at + 2, huge));
    expect(connection.server.destroyed).toMatch(/more than 8388608 bytes/);
  });
  test("rows without end for the gateway's own command", () => {
    const connection = connected();
    connection.wire.write(query("SELECT USER()"));
    connection.says(reply(Buffer.from([1]), column(), eof()));
    for (let at = 0; at < 2000 && connection.server.destroyed === undefined; at++)
      connection.says(frame((at + 4) & 255, text("x".repeat(100))));
    expect(connection.server.destroyed).toMatch(/own command/);
  });
  test("a packet of the login", () => {
    const server = new FakeWire();
    const wire = new ProtocolGuard(server);
    wire.on("error", () => {});
    wire.start();
    server.emit("data", announced(2, 1 << 20));
    expect(server.destroyed).toMatch(/login/);
  });
});
