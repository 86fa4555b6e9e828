import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import mysql from "mysql2";
import { describe, expect, test } from "vitest";
import { frame } from "../../../../../servers/wire/packets.ts";
import type { ReadPacket } from "../../../../../src/db/mysql/driver/command-pipeline.ts";
import { prepare, query, reset } from "../../../../../src/db/mysql/driver/commands.ts";
import { PreparedExecution } from "../../../../../src/db/mysql/driver/prepared-execution.ts";
import { loggedIn } from "../guard/recorded-wire.ts";
import { textColumns } from "./text-columns.ts";

/**
 * What src/db/mysql/driver uses of mysql2 without being promised it: classes that its typings do not show, methods that are
 * replaced, properties that are set. When mysql2 changes one of them, this fails, with its name.
 */

const load = createRequire(import.meta.url);
const library = join(dirname(load.resolve("mysql2")), "lib");
const shown = mysql as unknown as Record<string, unknown>;
const methodsOf = (file: string) => Object.getOwnPropertyNames(load(join(library, file)).prototype);

describe("the version", () => {
  test("is the one that package.json pins: read this file's tests and mysql2's changes before another one", () => {
    const { version } = load(join(dirname(load.resolve("mysql2")), "package.json"));
    const { dependencies } = JSON.parse(
      readFileSync(join(import.meta.dirname, "../../../../../package.json"), "utf8"),
    );
    expect(version).toBe(dependencies.mysql2);
  });
});

describe("what the module shows", () => {
  test.each(["Connection", "ConnectionConfig", "escape"])("%s", (name) => {
    expect(shown[name]).toBeTypeOf("function");
  });

  test.each(["caching_sha2_password", "mysql_native_password"])("the authentication plugin %s", (name) => {
    const plugins = shown.authPlugins as Record<string, (options: object) => (of: object) => unknown>;
    const made = plugins[name]?.({})({
      connection: { config: { password: "p" } },
      command: { password: "p" },
    });
    expect(made).toBeTypeOf("function");
  });

  test("the encodings of character sets", () => {
    const encodings = shown.CharsetToEncoding as Record<number, string>;
    expect([8, 45, 63, 255].map((set) => encodings[set])).toEqual(["latin1", "utf8", "binary", "utf8"]);
  });
});

describe("methods that are replaced or called", () => {
  const base = [...methodsOf("base/connection.js"), ...methodsOf("connection.js")];

  test.each([
    "addCommand",
    "write",
    "startTLS",
    "query",
    "prepare",
    "writePacket",
    "reset",
    "pause",
    "resume",
    "end",
  ])("Connection.%s", (name) => expect(base).toContain(name));

  test.each(["sendCredentials", "canUseAuthMethodDirectly", "calculateAuthToken", "initializeAuthPlugin"])(
    "ClientHandshake.%s",
    (name) => expect(methodsOf("commands/client_handshake.js")).toContain(name),
  );
});

describe("a connection that is logged in", () => {
  test("has the properties that are set or read", async () => {
    const { connection } = await loggedIn();
    const inside = connection as unknown as Record<string, unknown>;
    for (const name of ["sequenceId", "stream", "config", "_statements"]) expect(inside).toHaveProperty(name);
    expect(inside.config).toHaveProperty("enableCleartextPlugin");
  });

  test("makes one command of a query, a preparation and a reset, and shows it before it is sent", async () => {
    const { wire, connection } = await loggedIn();
    wire.takeWrites();
    const steps = [query(connection, "DO 1"), prepare(connection, "DO ?"), reset(connection)];
    for (const { command } of steps) expect(command.execute).toBeTypeOf("function");
    expect(wire.takeWrites()).toEqual([]);
  });

  test("writes a packet of ours, and passes the packets of the answer with what is read of them", async () => {
    const { wire, connection } = await loggedIn();
    wire.takeWrites();
    const seen: ReadPacket[] = [];
    const answered = Promise.withResolvers<void>();
    const execution = new PreparedExecution(connection, { id: 77, values: [], memory: textColumns() });
    connection.addCommand({
      execute(packet, connection) {
        if (packet === undefined) return execution.execute(packet, connection);
        seen.push((packet as ReadPacket).clone());
        answered.resolve();
        return true;
      },
    });
    const [[packet] = []] = wire.takeWrites();
    // COM_STMT_EXECUTE, then the statement's id in four bytes.
    expect(packet?.payload.subarray(0, 5)).toEqual(Buffer.from([0x17, 77, 0, 0, 0]));
    wire.say(frame(1, Buffer.from("\xff\x28\x04#42000b\xe4d", "latin1")));
    await answered.promise;
    const [read] = seen as [ReadPacket];
    expect(read.asError("latin1")).toMatchObject({ errno: 1064, sqlState: "42000", message: "b\xe4d" });
    [read.offset, read.end] = [13, 16];
    expect(read.readString(undefined, "latin1")).toBe("b\xe4d");
    expect(read.buffer.subarray(read.start + 4, 5)).toEqual(Buffer.from([0xff]));
  });

  test.each(["mysql", "mariadb"] as const)("says what it agreed on with %s", async (server) => {
    const { connection } = await loggedIn(server);
    expect(connection.hasExtendedMetadata).toBe(server === "mariadb");
    expect(connection.takesAttributes).toBe(false);
    Object.assign(connection, { serverCapabilityFlags: 2 ** 27 });
    expect(connection.takesAttributes).toBe(true);
  });

  test("keeps the reader of a text's rows in _rowParser", async () => {
    const { connection } = await loggedIn();
    const [command] = connection.collect(() =>
      connection.query({ sql: "DO 1", rowsAsArray: true, typeCast: false }),
    );
    expect(command).toHaveProperty("_rowParser", null);
  });
});
