import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { errPacket, frame, okPacket } from "../../../../../servers/wire/packets.ts";
import { ProtocolGuard } from "../../../../../src/db/mysql/guard/protocol-guard.ts";
import {
  binaryRow,
  column,
  command,
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
  rows,
  selected,
  text,
} from "./guarded-connection.ts";

describe("servers' answers pass unchanged, in pieces of any size", () => {
  const dialogue: [Buffer, Buffer][] = [
    [
      Buffer.concat([reset, query("SET NAMES utf8mb4"), query("USE `world`")]),
      Buffer.concat([reply(ok()), reply(ok()), reply(ok())]),
    ],
    [query("SELECT USER()"), reply(Buffer.from([1]), column(), eof(), text("me"), text("you"), eof())],
    [prepare("SELECT ? AS n"), reply(prepared(1, 1, 1), column("?"), eof(), column(), eof())],
    [
      execute(1),
      reply(
        Buffer.from([1]),
        column(),
        eof(),
        ...Array.from({ length: 600 }, (_, n) => binaryRow(`${n}`)),
        eof(),
      ),
    ],
    [execute(1), reply(Buffer.from([1]), column(), eof(), binaryRow(), errPacket(1317, "interrupted"))],
    [prepare("CALL two()"), reply(prepared(2, 0))],
    [
      execute(2),
      reply(
        Buffer.from([1]),
        column(),
        eof(),
        binaryRow(),
        eof(10),
        Buffer.from([1]),
        column(),
        eof(10),
        eof(10),
        ok(),
      ),
    ],
    [prepare("INSERT INTO t VALUES (?)"), reply(prepared(3, 0, 1), column("?"), eof())],
    [execute(3), reply(ok())],
    [
      Buffer.concat([command(0x19, Buffer.from([1, 0, 0, 0])), execute(3)]),
      reply(errPacket(1062, "Duplicate entry")),
    ],
    [prepare("nonsense"), reply(errPacket(1064, "syntax"))],
    [command(0x0e), reply(ok())],
  ];
  test.each([1, 2, 3, 5, 7, 31, 1 << 20])("in pieces of %i bytes", (size) => {
    const connection = connected();
    for (const [asked, answered] of dialogue) {
      const before = connection.heard.length;
      connection.wire.write(asked);
      expect(connection.wire.isResting).toBe(false);
      for (let at = 0; at < answered.length; at += size) connection.says(answered.subarray(at, at + size));
      expect(connection.server.destroyed).toBeUndefined();
      expect(connection.wire.isResting).toBe(true);
      expect(connection.heard.subarray(before)).toEqual(answered);
    }
  });

  test("a command in two packets: no answer may come before its end", () => {
    const connection = connected();
    connection.wire.write(Buffer.from([0xff, 0xff, 0xff, 0]));
    connection.wire.write(Buffer.concat([Buffer.from([0x03]), Buffer.alloc(0xffffff - 1, 0x20)]));
    connection.wire.write(frame(1, Buffer.alloc(10, 0x20)));
    connection.says(frame(2, ok()));
    expect(connection.server.destroyed).toBeUndefined();
    expect(connection.wire.isResting).toBe(true);
  });
});

describe("bytes without a command", () => {
  test("while no command is open", () => refuses([], nothing, reply(ok()), /nobody asked for/));
  test("directly after an answer", () => refuses([reset], reply(ok()), reply(ok()), /nobody asked for/));
  test("a second result", () =>
    refuses([prepare("SELECT 1"), execute(1)], Buffer.concat([selected, rows]), rows, /nobody asked for/));
  test("one byte", () => {
    const connection = connected();
    connection.says(Buffer.from([7]), Buffer.from([0, 0]), Buffer.from([1]), Buffer.alloc(7));
    expect(connection.server.destroyed).toMatch(/nobody asked for/);
  });
  test("the server's reason for closing is reported", () =>
    refuses([], nothing, frame(0, errPacket(4031, "inactivity")), /hung up with error 4031/));
  test("and does not affect the answer that came with it", () => {
    const connection = connected();
    connection.wire.write(reset);
    connection.says(Buffer.concat([reply(ok()), frame(0, errPacket(1053, "shutdown"))]));
    expect(connection.server.destroyed).toMatch(/hung up with error 1053/);
    expect(connection.heard).toEqual(reply(ok()));
  });
  test("directly after the login", () => {
    const server = new FakeWire();
    const wire = new ProtocolGuard(server);
    wire.on("error", () => {});
    wire.start();
    server.emit("data", Buffer.concat([frame(2, okPacket()), frame(1, okPacket())]));
    expect(server.destroyed).toMatch(/nobody asked for/);
  });
  test("after the client's QUIT nothing matters", () => {
    const connection = connected();
    connection.wire.write(command(0x01));
    connection.says(reply(errPacket(1053, "shutdown")));
    expect(connection.server.destroyed).toBeUndefined();
  });
});

test("a SHOW WARNINGS after a statement is expected, and is not work that a KILL must stop", () => {
  const { wire, says } = connected();
  wire.write(Buffer.concat([prepare("SELECT 1"), execute(1), query("SHOW WARNINGS LIMIT 64")]));
  says(selected);
  expect([wire.owed, wire.owedWork]).toEqual([2, 1]);
  says(rows);
  expect([wire.owed, wire.owedWork]).toEqual([1, 0]);
  says(rows);
  expect([wire.owed, wire.owedWork]).toEqual([0, 0]);
  wire.write(Buffer.concat([execute(1), query("ROLLBACK")]));
  expect([wire.owed, wire.owedWork]).toEqual([2, 2]);
});

test("an OK is not an answer to SHOW WARNINGS", () =>
  refuses([query("SHOW WARNINGS LIMIT 64")], nothing, reply(ok()), /an OK came where rows belong/));

test("random bytes throw nothing, and nothing passes after the refusal", () => {
  const garbage = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
  fc.assert(
    fc.property(garbage, garbage, (first, second) => {
      const connection = connected();
      for (const bytes of [prepare("SELECT 1"), execute(1)]) connection.wire.write(bytes);
      connection.says(selected, ...first.map((bytes) => Buffer.from(bytes)));
      const { length } = connection.heard;
      const refused = connection.server.destroyed !== undefined;
      connection.says(...second.map((bytes) => Buffer.from(bytes)));
      if (refused) expect(connection.heard.length).toBe(length);
    }),
  );
});

test("a command that the gateway does not use is not sent", () => {
  const connection = connected();
  connection.wire.write(command(0x12));
  expect(connection.server.written).toHaveLength(1);
  expect(connection.server.destroyed).toMatch(/does not use/);
});
