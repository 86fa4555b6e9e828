import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { buildGreeting, capability, frame, okPacket } from "../../../../../servers/wire/packets.ts";
import { Pipeline } from "../../../../../src/db/mysql/driver/command-pipeline.ts";
import { prepare } from "../../../../../src/db/mysql/driver/commands.ts";
import { createConnection } from "../../../../../src/db/mysql/driver/driver.ts";
import { ProtocolGuard } from "../../../../../src/db/mysql/guard/protocol-guard.ts";
import type { Loss } from "../../../../../src/db/mysql/session/connection-lost.ts";
import {
  lossOf,
  lostError,
  lostInTransaction,
  StaleConnectionError,
} from "../../../../../src/db/mysql/session/connection-lost.ts";
import { limits } from "../../../../../src/limits.ts";
import { column, FakeWire, prepared, reply } from "../guard/guarded-connection.ts";

/** The meaning of a lost connection for its statement depends on the typed cause, never on the message. */

const read = { writable: false };
const write = { writable: true };

describe("the caller's error for a lost connection", () => {
  test.each<[string, typeof read, boolean, Loss, string]>([
    ["a read", read, true, { reason: "closed" }, "connection_lost"],
    ["a write that was not sent", write, false, { reason: "closed" }, "connection_lost"],
    ["a write that was sent", write, true, { reason: "closed" }, "outcome_unknown"],
    ["a row too large, of a read", read, true, { reason: "any words", excess: "row" }, "result_too_large"],
    ["a row too large, of a write", write, true, { reason: "any words", excess: "row" }, "outcome_unknown"],
    ["columns, of a read", read, true, { reason: "any words", excess: "columns" }, "result_too_large"],
    ["columns, before a write", write, false, { reason: "any words", excess: "columns" }, "result_too_large"],
    ["columns, of a write", write, true, { reason: "any words", excess: "columns" }, "outcome_unknown"],
  ])("%s", (_, statement, sent, loss, code) => {
    expect(lostError(statement, sent, false, loss).code).toBe(code);
  });

  test("the message alone changes nothing, because a server may send the same text", () => {
    for (const words of [
      `more than ${limits.rowBytes} bytes in one piece`,
      `more than ${limits.readColumns} columns`,
    ]) {
      expect(lostError(read, true, false, lossOf(new Error(words))).code).toBe("connection_lost");
      expect(lostInTransaction(lossOf(new Error(words))).code).toBe("connection_lost");
    }
  });

  test("a connection that was already dead is recognized", () => {
    const isStale = (stale: boolean) =>
      lostError(read, true, stale, { reason: "closed" }) instanceof StaleConnectionError;
    expect([isStale(true), isStale(false)]).toEqual([true, false]);
  });
});

const { LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, CONNECT_WITH_DB } = capability;
const greeting = {
  serverVersion: "9.7.4",
  connectionId: 1,
  capabilities: LONG_PASSWORD | PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH | CONNECT_WITH_DB,
  plugin: "mysql_native_password",
};

/** A connection of the driver after its login through the guard. */
async function loggedIn() {
  const wire = new FakeWire();
  // The greeting has the capabilities that the driver asks for.
  wire.start = () =>
    void wire.emit("data", frame(0, buildGreeting({ ...greeting, scramble: Buffer.alloc(20, 1) })));
  const connection = createConnection(new ProtocolGuard(wire), {
    hostname: "db.test",
    user: "gw",
    credential: { password: "", plugin: "mysql_native_password", cleartext: false },
    database: "shop",
    secured: true,
  });
  const lost = once(connection, "error") as Promise<[Error]>;
  const connected = once(connection, "connect");
  wire.start();
  wire.emit("data", frame(2, okPacket()));
  await connected;
  return { wire, connection, lost };
}

describe("the guard's cause passes through the driver", () => {
  test("a row that is too large", async () => {
    const { wire, connection, lost } = await loggedIn();
    connection.query({ sql: " SELECT 1", rowsAsArray: true, typeCast: false }).on("error", () => {});
    // The header of a packet of 16 MiB.
    wire.emit("data", Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 1]), Buffer.alloc(100)]));
    const [error] = await lost;
    expect(lossOf(error)).toEqual({ reason: error.message, excess: "row" });
  });

  test("a PREPARE with more definitions than it can announce", async () => {
    const { wire, connection, lost } = await loggedIn();
    connection.addCommand(new Pipeline([prepare(connection, "SELECT 1").command]));
    wire.emit("data", Buffer.concat([reply(prepared(1, 0)), frame(2, column())]));
    const [error] = await lost;
    expect(lossOf(error)).toEqual({ reason: error.message, excess: "columns" });
  });
});
