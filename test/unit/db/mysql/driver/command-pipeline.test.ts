import { describe, expect, test } from "vitest";
import { commandName, frame, okPacket } from "../../../../../servers/wire/packets.ts";
import { Pipeline } from "../../../../../src/db/mysql/driver/command-pipeline.ts";
import type { Row, Step } from "../../../../../src/db/mysql/driver/commands.ts";
import { prepare, query, reset } from "../../../../../src/db/mysql/driver/commands.ts";
import { PreparedExecution } from "../../../../../src/db/mysql/driver/prepared-execution.ts";
import { loggedIn } from "../guard/recorded-wire.ts";
import { rowsInto } from "./rows-into.ts";
import { textColumns } from "./text-columns.ts";

/** The answers of MySQL 9.7.4 and MariaDB 10.11.18 to these commands, recorded inside TLS. */
const recorded = {
  mysql: {
    restore:
      "07000001000000020000001c00000100000002400000001300110974696d655f7a6f6e65062b30303a303038000001ff1e04233432533232556e6b6e6f776e20636f6c756d6e20276e6f5f737563685f636f6c756d6e2720696e20276669656c64206c697374270c0000010002000000010001000000001700000203646566000000016e000cff00fcff0000fd00001f000005000003fe000002001700000403646566000000016e000cff00fcff0000fd00001f000005000005fe0000020001000001011b000002036465660000000570726f6f66000cff0004000000fd01001f000005000003fe0000020002000004017805000005fe00000200",
    write:
      "070000010000000200000001000001011700000203646566000000016e000cff00fcff0000fd00001f000005000003fe000002000800000400000568656c6c6f05000005fe00000200",
  },
  mariadb: {
    restore:
      "07000001000000020000001c00000100000002400000001300110974696d655f7a6f6e65062b30303a303034000001ff1e04233432533232556e6b6e6f776e20636f6c756d6e20276e6f5f737563685f636f6c756d6e2720696e202753454c454354270c0000010002000000010001000000001800000203646566000000016e00000c3f000000000006800000000005000003fe000002001800000403646566000000016e00000c3f000000000006800000000005000005fe0000020001000001011c000002036465660000000570726f6f6600000ce00004000000fd010027000005000003fe0000020002000004017805000005fe00000200",
    write:
      "070000010000000200000001000001011800000203646566000000016e00000ce00014000000fd010027000005000003fe000002000800000400000568656c6c6f05000005fe00000200",
  },
} as const;

const bytes = (hex: string) => Buffer.from(hex, "hex");
const commands = (steps: Step<unknown>[]) => steps.map(({ command }) => command);

describe.each(["mysql", "mariadb"] as const)("a pipeline, answered by %s", (server) => {
  test.each([
    ["in one piece", 10_000],
    ["byte by byte", 1],
    ["in pieces that end anywhere", 7],
  ])("is one write, and each command gets its own answer (%s)", async (_, length) => {
    const { wire, connection } = await loggedIn(server);
    const set = query(connection, "SET SESSION time_zone = '+00:00'");
    const broken = prepare(connection, "SELECT no_such_column");
    const good = prepare(connection, "SELECT ? AS n");
    const proof = query(connection, "SELECT 'x' AS proof");
    const first = reset(connection);
    connection.addCommand(new Pipeline(commands([first, set, broken, good, proof])));
    const writes = wire.takeWrites();
    expect(writes).toHaveLength(1);
    expect(writes[0]?.map(({ sequence, payload }) => [sequence, commandName(payload)])).toEqual([
      [0, "COM_RESET_CONNECTION"],
      [0, "COM_QUERY"],
      [0, "COM_STMT_PREPARE"],
      [0, "COM_STMT_PREPARE"],
      [0, "COM_QUERY"],
    ]);
    wire.say(bytes(recorded[server].restore), length);
    await first.reply;
    await set.reply;
    await expect(broken.reply).rejects.toMatchObject({ errno: 1054 });
    expect(await good.reply).toMatchObject({ id: 2 });
    expect(await proof.reply).toEqual([{ proof: "x" }]);

    // The connection works as after single commands.
    const { id } = await good.reply;
    const values = [{ type: "string", value: "hello" } as const];
    const running = new PreparedExecution(connection, { id, values, memory: textColumns() });
    const rows: unknown[] = [];
    const { columns, row } = rowsInto(rows);
    const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
    const rest = { rows: () => {}, values: reject, rowsEnd: () => {}, ok: reject, failed: reject };
    running.listen({ columns, row, ...rest, ended: resolve });
    const lift = query(connection, "SET SESSION TRANSACTION READ WRITE");
    connection.addCommand(new Pipeline([lift.command, running]));
    expect(wire.takeWrites()).toHaveLength(1);
    wire.say(bytes(recorded[server].write), length);
    await ended;
    await lift.reply;
    expect(rows).toEqual([["hello"]]);
    expect(wire.destroyed).toBe(false);
  });
});

test("commands that are added later wait for the whole pipeline", async () => {
  const { wire, connection } = await loggedIn();
  const steps: Step<Row[]>[] = [query(connection, "SET a = 1"), query(connection, "SET b = 1")];
  connection.addCommand(new Pipeline(commands(steps)));
  wire.takeWrites();
  const later = query(connection, "SET c = 1");
  connection.addCommand(later.command);
  wire.say(frame(1, okPacket()));
  expect(wire.takeWrites()).toEqual([]);
  wire.say(frame(1, okPacket()));
  expect(wire.takeWrites()).toHaveLength(1);
  wire.say(frame(1, okPacket()));
  await later.reply;
});

test("a packet with a wrong sequence number is noticed", async () => {
  const { wire, connection } = await loggedIn();
  const warned: Error[] = [];
  connection.on("warn", (warning: Error) => warned.push(warning));
  const steps: Step<Row[]>[] = [query(connection, "SET a = 1"), query(connection, "SET b = 1")];
  connection.addCommand(new Pipeline(commands(steps)));
  wire.say(frame(1, okPacket()));
  expect(warned).toEqual([]);
  wire.say(frame(2, okPacket()));
  expect(warned).toHaveLength(1);
});

test("on a closed connection every step fails with this reason", async () => {
  const { wire, connection } = await loggedIn();
  connection.on("error", () => {});
  wire.emit("error", new Error("gone"));
  await expect(query(connection, "SELECT 1").reply).rejects.toThrow("closed state");
  await expect(prepare(connection, "SELECT 1").reply).rejects.toThrow("closed state");
});
