import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import mysql from "mysql2";
import { describe, expect, test } from "vitest";
import { execute, prepare, query, reset } from "../../../../../src/db/mysql/driver/commands.ts";
import type { Prepared } from "../../../../../src/db/mysql/driver/prepared.ts";
import { loggedIn } from "../guard/recorded-wire.ts";

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

  test("types for values", () => {
    const { LONGLONG, NEWDECIMAL, DOUBLE } = shown.TypedParameter as Record<string, unknown>;
    expect([LONGLONG, NEWDECIMAL, DOUBLE].map((type) => typeof type)).toEqual(Array(3).fill("function"));
    expect((LONGLONG as unknown as { unsigned: unknown }).unsigned).toBeTypeOf("function");
  });
});

describe("methods that are replaced or called", () => {
  const base = [...methodsOf("base/connection.js"), ...methodsOf("connection.js")];

  test.each([
    "addCommand",
    "write",
    "startTLS",
    "query",
    "execute",
    "prepare",
    "reset",
    "pause",
    "resume",
    "end",
  ])("Connection.%s", (name) => expect(base).toContain(name));

  test.each(["sendCredentials", "canUseAuthMethodDirectly", "calculateAuthToken", "initializeAuthPlugin"])(
    "ClientHandshake.%s",
    (name) => expect(methodsOf("commands/client_handshake.js")).toContain(name),
  );

  test("Execute.buildParserFromFields makes the reader of the rows", () => {
    expect(methodsOf("commands/execute.js")).toContain("buildParserFromFields");
    expect(readFileSync(join(library, "commands/execute.js"), "utf8")).toMatch(
      /new \(?this\.buildParserFromFields\(|= this\.buildParserFromFields\(/,
    );
  });
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

  test("makes two commands of an execution: the second one executes, with the statement that is set on it", async () => {
    const { wire, connection } = await loggedIn();
    wire.takeWrites();
    const made = connection.collect(() => connection.execute({ sql: "", values: [1], rowsAsArray: true }));
    expect(made.map((one) => one.constructor.name)).toEqual(["Prepare", "Execute"]);
    const prepared = { id: 77, parameters: [], columns: [], close: () => {} } as unknown as Prepared;
    connection.addCommand(execute(connection, prepared, [1]));
    const [[packet] = []] = wire.takeWrites();
    // COM_STMT_EXECUTE, then the statement's id in four bytes.
    expect(packet?.payload.subarray(0, 5)).toEqual(Buffer.from([0x17, 77, 0, 0, 0]));
  });

  test("keeps the reader of a text's rows in _rowParser", async () => {
    const { connection } = await loggedIn();
    const [command] = connection.collect(() =>
      connection.query({ sql: "DO 1", rowsAsArray: true, typeCast: false }),
    );
    expect(command).toHaveProperty("_rowParser", null);
  });
});
