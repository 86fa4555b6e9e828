import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  authSwitchRequest,
  buildGreeting,
  capability,
  commandName,
  errPacket,
  frame,
  isSslRequest,
  PacketSplitter,
  parseGreeting,
  parseHandshakeResponse,
  sqlOf,
} from "../../../../servers/wire/packets.ts";

const loginFlags =
  capability.PROTOCOL_41 | capability.CONNECT_WITH_DB | capability.PLUGIN_AUTH | capability.SECURE_CONNECTION;

/** The payload of a login. `auth` has the length of the authentication response and its bytes. */
function login(capabilities: number, auth: Buffer): Buffer {
  const fixed = Buffer.alloc(32);
  fixed.writeUInt32LE(capabilities >>> 0, 0);
  return Buffer.concat([fixed, Buffer.from("gw\0"), auth, Buffer.from("shop\0caching_sha2_password\0")]);
}

describe("splitter", () => {
  test("finds the same packets for every cut of the bytes", () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
    const cuts = fc.infiniteStream(fc.integer({ min: 1, max: 40 }));
    fc.assert(
      fc.property(payloads, cuts, (sent, lengths) => {
        const bytes = Buffer.concat(sent.map((payload, index) => frame(index, Buffer.from(payload))));
        const splitter = new PacketSplitter();
        const found = [];
        for (let offset = 0; offset < bytes.length; ) {
          const length = lengths.next().value;
          found.push(...splitter.push(bytes.subarray(offset, offset + length)));
          offset += length;
        }
        expect(found.map(({ sequence }) => sequence)).toEqual(sent.map((_, index) => index));
        expect(found.map(({ payload }) => [...payload])).toEqual(sent.map((payload) => [...payload]));
        expect(splitter.pendingBytes).toBe(0);
      }),
    );
  });

  test("takes several packets out of one chunk and keeps the rest", () => {
    const splitter = new PacketSplitter();
    const bytes = Buffer.concat([
      frame(0, Buffer.from("a")),
      frame(1, Buffer.alloc(0)),
      frame(2, Buffer.from("bc")),
    ]);
    expect(splitter.push(bytes.subarray(0, -1)).map(({ sequence }) => sequence)).toEqual([0, 1]);
    expect(splitter.pendingBytes).toBe(5);
    expect(splitter.push(bytes.subarray(-1))[0]?.payload.toString()).toBe("bc");
  });

  test("takes a packet of 16 MiB in small chunks without copying it again and again", () => {
    const payload = Buffer.alloc(0xfffffe, 7);
    const bytes = frame(0, payload);
    const splitter = new PacketSplitter();
    const found = [];
    const startMs = performance.now();
    for (let offset = 0; offset < bytes.length; offset += 4096) {
      found.push(...splitter.push(bytes.subarray(offset, offset + 4096)));
    }
    expect(found).toHaveLength(1);
    expect(found[0]?.payload.equals(payload)).toBe(true);
    // Copying at every chunk would move 32 GiB.
    expect(performance.now() - startMs).toBeLessThan(2000);
  });

  test("a payload that needs two packets cannot be framed as one", () => {
    expect(() => frame(0, Buffer.alloc(0xffffff))).toThrow(RangeError);
  });
});

describe("greeting", () => {
  const greeting = fc.record({
    serverVersion: fc.stringMatching(/^[ -~]{0,40}$/),
    connectionId: fc.nat(0xffffffff),
    capabilities: fc.nat(0xffffffff).map((flags) => (flags | capability.PLUGIN_AUTH) >>> 0),
    scramble: fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    plugin: fc.constantFrom("caching_sha2_password", "mysql_native_password"),
  });

  test("a built greeting reads back the same", () => {
    fc.assert(
      fc.property(greeting, (sent) => {
        expect(parseGreeting(buildGreeting(sent))).toEqual(sent);
      }),
    );
  });

  test("other bytes are refused, also an incomplete greeting", () => {
    expect(() => parseGreeting(errPacket(1040, "Too many connections", null))).toThrow(RangeError);
    fc.assert(
      fc.property(greeting, fc.nat(), (sent, at) => {
        const bytes = buildGreeting(sent);
        expect(() => parseGreeting(bytes.subarray(0, at % bytes.length))).toThrow(RangeError);
      }),
    );
  });
});

describe("login", () => {
  const secret = Buffer.from("0123456789abcdef0123456789abcdef");

  test.each([
    ["one byte", 0, Buffer.concat([Buffer.from([32]), secret])],
    [
      "length-encoded",
      capability.PLUGIN_AUTH_LENENC_CLIENT_DATA,
      Buffer.concat([Buffer.from([0xfc, 32, 0]), secret]),
    ],
  ])("is read with a %s length", (_, flag, auth) => {
    expect(parseHandshakeResponse(login(loginFlags | flag, auth))).toEqual({
      capabilities: loginFlags | flag,
      userName: "gw",
      authResponse: secret,
      database: "shop",
      plugin: "caching_sha2_password",
    });
  });

  test("an incomplete login is refused, at every length", () => {
    const bytes = login(loginFlags, Buffer.concat([Buffer.from([32]), secret]));
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => parseHandshakeResponse(bytes.subarray(0, length))).toThrow(RangeError);
    }
  });

  test("only 32 bytes with CLIENT_SSL ask for TLS", () => {
    const whole = login(loginFlags | capability.SSL, Buffer.alloc(1));
    expect(isSslRequest(whole)).toBe(false);
    expect(isSslRequest(whole.subarray(0, 32))).toBe(true);
    expect(isSslRequest(login(loginFlags, Buffer.alloc(1)).subarray(0, 32))).toBe(false);
  });

  test("a switch to another plugin ends its data with a NUL", () => {
    const payload = authSwitchRequest("mysql_clear_password", Buffer.from("x".repeat(20)));
    expect(payload.toString("latin1")).toBe(`\xfemysql_clear_password\0${"x".repeat(20)}\0`);
  });
});

describe("commands", () => {
  test.each([
    [0x01, "COM_QUIT"],
    [0x02, "COM_INIT_DB"],
    [0x03, "COM_QUERY"],
    [0x0e, "COM_PING"],
    [0x11, "COM_CHANGE_USER"],
    [0x16, "COM_STMT_PREPARE"],
    [0x17, "COM_STMT_EXECUTE"],
    [0x18, "COM_STMT_SEND_LONG_DATA"],
    [0x19, "COM_STMT_CLOSE"],
    [0x1a, "COM_STMT_RESET"],
    [0x1f, "COM_RESET_CONNECTION"],
    [0x2a, "COM_0x2a"],
  ])("%i is %s", (code, name) => {
    expect(commandName(Buffer.from([code, 1, 2]))).toBe(name);
  });

  test("the SQL begins after the query attributes, if the client sends them", () => {
    expect(sqlOf(Buffer.from("\x03SELECT 1"), 0)).toBe("SELECT 1");
    expect(sqlOf(Buffer.from("\x03\0\x01SELECT 1"), capability.QUERY_ATTRIBUTES)).toBe("SELECT 1");
    expect(sqlOf(Buffer.from("\x16SELECT ?"), capability.QUERY_ATTRIBUTES)).toBe("SELECT ?");
    expect(sqlOf(Buffer.from("\x0e"), 0)).toBeUndefined();
  });
});
