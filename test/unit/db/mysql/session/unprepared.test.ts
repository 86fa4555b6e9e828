import { describe, expect, test } from "vitest";
import { frame } from "../../../../../servers/wire/packets.ts";
import type { ServerError } from "../../../../../src/db/mysql/driver/driver.ts";
import { mariadb } from "../../../../../src/db/mysql/engines/mariadb.ts";
import { mysql } from "../../../../../src/db/mysql/engines/mysql.ts";
import { tidb } from "../../../../../src/db/mysql/engines/tidb.ts";
import { ProtocolGuard } from "../../../../../src/db/mysql/guard/protocol-guard.ts";
import { Executor } from "../../../../../src/db/mysql/session/executor.ts";
import { withoutAsking, withoutPreparing } from "../../../../../src/db/mysql/session/unprepared.ts";
import { WarnedStatements } from "../../../../../src/db/mysql/session/warned-statements.ts";
import { limits } from "../../../../../src/limits.ts";
import { rowsInto } from "../driver/rows-into.ts";
import { column, connected, eof, ok, query, refuses, reply } from "../guard/guarded-connection.ts";
import { loggedIn } from "../guard/recorded-wire.ts";

/** ER_UNSUPPORTED_PS with its SQLSTATE. */
const error = Buffer.from("\xff\x0f\x05#HY000not supported", "latin1");

/** Runs a read that the server does not prepare, with this answer to its text. */
async function run(answer: Buffer) {
  const wires: ProtocolGuard[] = [];
  const { wire, connection } = await loggedIn("mysql", (plain) => {
    const guarded = new ProtocolGuard(plain);
    wires.push(guarded);
    return guarded;
  });
  connection.on("error", () => {});
  const executor = new Executor(connection, wires[0] as ProtocolGuard, mysql, new WarnedStatements());
  const rows: unknown[] = [];
  const sink = rowsInto(rows);
  const asked = { sql: "CHECK THIS", values: [], author: "caller" } as const;
  const statement = { ...asked, writable: false, atomic: true, returning: false };
  const progress = { sending: () => queueMicrotask(() => wire.say(answer)), ended: () => {} };
  const ended = executor.run(statement, sink, progress, []);
  const outcome = ended.then(({ outcome }) => outcome).catch((cause: unknown) => cause);
  wire.say(reply(error));
  return { outcome: await Promise.race([outcome, new Promise((done) => setTimeout(done, 50))]), rows, wire };
}

const head = [Buffer.from([1]), column(), eof()];

describe("the answer to a statement sent as text", () => {
  test("has rows of text, as an execution has them", async () => {
    const { outcome, rows, wire } = await run(
      reply(...head, Buffer.from("\x02é"), Buffer.from([0xfb]), eof()),
    );
    expect(outcome).toMatchObject({ rowsAffected: 0, warnings: [] });
    expect(rows).toEqual([["é"], [null]]);
    expect(wire.destroyed).toBe(false);
  });

  test("is an OK", async () => {
    expect((await run(reply(ok()))).outcome).toMatchObject({ rowsAffected: 0, lastInsertId: null });
  });

  test.each([
    ["a row that is too short", reply(...head, Buffer.from([3, 0x61]), eof()), /cannot read/],
    ["a row that is too long", reply(...head, Buffer.from([1, 0x61, 0x62]), eof()), /cannot read/],
    ["a second result", reply(...head, eof(10)), /second result/],
    ["a request for a file", reply(Buffer.from("\xfbx", "latin1")), /LOCAL INFILE/],
  ])("is no %s", async (_, answer, because) => {
    const { wire } = await run(answer);
    expect(wire.destroyedBecause).toMatch(because);
  });
});

describe("the guard", () => {
  /** Longer than the accepted answer to the gateway's own commands. */
  const long = Buffer.concat([Buffer.from([0xfc, 0xff, 0x7f]), Buffer.alloc(0x7fff, 0x61)]);
  const rows = Array.from({ length: 3 }, (_, at) => frame(4 + at, long));
  const described = reply(...head);

  test("tells a caller's text, whose answer may be long, from the gateway's own commands", () => {
    const connection = connected();
    connection.wire.write(query(" SHOW WARNINGS"));
    expect(connection.wire.owedWork).toBe(1);
    connection.says(described, ...rows, frame(7, eof()));
    expect(connection.server.destroyed).toBeUndefined();
    expect(connection.wire.isResting).toBe(true);
    expect(3 * long.length).toBeGreaterThan(limits.commandReplyBytes);
    refuses(
      [query("SHOW WARNINGS")],
      Buffer.concat([described, ...rows.slice(0, 1)]),
      rows[1] as Buffer,
      /own command/,
    );
  });
});

describe("statements that are sent as text", () => {
  const refusal = (errno: number): ServerError =>
    Object.assign(new Error("no"), { errno, sqlState: "HY000", sqlMessage: "no" });

  test("are those that the server does not prepare, without values", () => {
    expect(withoutPreparing(refusal(1295), 0)).toMatchObject({ id: 0 });
    expect(() => withoutPreparing(refusal(1295), 1)).toThrow("it takes no parameters");
    expect(() => withoutPreparing(refusal(1064), 0)).toThrow("no");
  });

  test("and, on MySQL, those for which a refused PREPARE would have an effect", () => {
    for (const sql of ["SHOW WARNINGS", "show\n errors LIMIT 1", "SHOW COUNT(*) WARNINGS"]) {
      expect(withoutAsking(mysql, sql, 0)).toBeDefined();
      expect(withoutAsking(mysql, sql, 1)).toBeUndefined();
      expect(withoutAsking(mariadb, sql, 0)).toBeUndefined();
      expect(withoutAsking(tidb, sql, 0)).toBeUndefined();
    }
    for (const sql of ["SHOW TABLES", "SHOW COLUMNS FROM warnings", "SELECT 1 AS warnings"])
      expect(withoutAsking(mysql, sql, 0)).toBeUndefined();
  });
});
