import { describe, expect, test } from "vitest";
import { frame } from "../../../../../servers/wire/packets.ts";
import { dialectOf } from "../../../../../src/db/mysql/engines/dialect-of.ts";
import { ProtocolGuard } from "../../../../../src/db/mysql/guard/protocol-guard.ts";
import { Executor } from "../../../../../src/db/mysql/session/executor.ts";
import type { StatementResult } from "../../../../../src/db/mysql/session/statement-result.ts";
import { WarnedStatements } from "../../../../../src/db/mysql/session/warned-statements.ts";
import { classify } from "../../../../../src/sql/guard.ts";
import { connected, execute, ok, prepare, prepared, reply, reset } from "../guard/guarded-connection.ts";
import { loggedIn } from "../guard/recorded-wire.ts";
import { rowsInto } from "./rows-into.ts";

/**
 * The answers of MariaDB 10.11.18 to INSERT | REPLACE | DELETE .. RETURNING (payloads of packets, in hex).
 */

const packets = (hex: string) => reply(...hex.split(" ").map((payload) => Buffer.from(payload, "hex")));
/** PREPARE announces no columns, whatever RETURNING names. */
const announced = "000100000000000000000000";
const [id, name] = [
  "03646566017701740174026964026964000c3f000b000000030342000000",
  "03646566017701740174046e616d65046e616d65000c2d0050000000fd0440000000",
];
const recorded = {
  two: `02 ${id} ${name} fe00002200 0000010000000161 0000020000000162 fe00002200`,
  /** n = 77 */
  none: `01 ${id} fe00002200 fe00002200`,
  /** For `1 = 0` it reads no rows at all. */
  impossible: "00000002000000",
  /** INSERT IGNORE that skips one of two rows. */
  ignoring: `02 ${id} ${name} fe00000200 0000070000000171 fe01000200`,
  failing: `01 ${id} fe00000200 000032000000 ff26042332333030304475706c696361746520656e74727920276127`,
};

/** Runs a statement on a server of this engine that gives these answers to PREPARE and EXECUTE. */
async function run(engine: "mysql" | "mariadb", sql: string, answer: Buffer) {
  const wires: ProtocolGuard[] = [];
  const { wire, connection } = await loggedIn(engine, (plain) => {
    const guarded = new ProtocolGuard(plain);
    wires.push(guarded);
    return guarded;
  });
  connection.on("error", () => {});
  const [guarded] = wires as [ProtocolGuard];
  const executor = new Executor(connection, guarded, dialectOf({ engine }), new WarnedStatements());
  const rows: unknown[] = [];
  const sink = rowsInto(rows);
  const { text, returning } = classify(sql);
  const statement = {
    sql: text,
    values: [],
    writable: false,
    author: "caller",
    atomic: true,
    returning,
  } as const;
  const progress = { sending: () => queueMicrotask(() => wire.say(answer)), ended: () => {} };
  const ended = executor.run(statement, sink, progress, []);
  const failed = ended.then(({ outcome }) => outcome).catch((cause: unknown) => cause);
  wire.say(packets(announced));
  const outcome = await Promise.race([failed, new Promise((done) => setTimeout(done, 50))]);
  return { outcome: outcome as StatementResult | undefined, rows, wire };
}

const returning = "DELETE FROM t RETURNING id";

describe("on MariaDB", () => {
  test.each([
    [
      "rows",
      recorded.two,
      [
        [1, "a"],
        [2, "b"],
      ],
      { rowsAffected: 2, warnings: [] },
    ],
    ["no rows", recorded.none, [], { rowsAffected: 0, warnings: [] }],
    ["an OK where there can be none", recorded.impossible, [], { rowsAffected: 0, warnings: [] }],
    [
      "fewer rows than were sent, and a warning",
      recorded.ignoring,
      [[7, "q"]],
      { rowsAffected: 1, warnings: null },
    ],
    ["an error behind rows", recorded.failing, [[50]], { code: "sql_conflict" }],
  ])("it answers with %s", async (_, answer, rows, outcome) => {
    const answered = await run("mariadb", returning, packets(answer));
    expect(answered.wire.destroyed).toBe(false);
    expect(answered.rows).toEqual(rows);
    expect(answered.outcome).toMatchObject(outcome);
  });

  test.each([
    ["a second result", packets(recorded.none.replace(/fe00002200$/, "fe00000a00")), /second result/],
    ["an OK behind rows", Buffer.concat([packets(recorded.two), frame(8, ok())]), /nobody asked for/],
    ["a request for a file", packets("fb2f6574632f706173737764"), /LOCAL INFILE/],
    ["a text row", packets(`01 ${id} fe00002200 0131`), /where a row belongs/],
  ])("%s is still refused", async (_, answer, because) => {
    const { wire, rows } = await run("mariadb", returning, answer);
    expect(wire.destroyedBecause).toMatch(because);
    expect(rows).toEqual([]);
  });

  test("without RETURNING, rows are a wrong answer to a change", async () => {
    const { wire, rows } = await run(
      "mariadb",
      "DELETE FROM t WHERE a = 'RETURNING id'",
      packets(recorded.two),
    );
    expect(wire.destroyedBecause).toMatch(/where an OK belongs/);
    expect(rows).toEqual([]);
  });
});

test("on MySQL, RETURNING is a column's name, and rows are a wrong answer to a change", async () => {
  const { wire, rows } = await run("mysql", "DELETE FROM t WHERE returning = 1", packets(recorded.two));
  expect(wire.destroyedBecause).toMatch(/where an OK belongs/);
  expect(rows).toEqual([]);
});

test("a reset forgets RETURNING of a statement, because its number is used again", () => {
  const { server, wire, says } = connected();
  const prepareAgain = () => {
    wire.write(prepare("DELETE FROM t"));
    says(reply(prepared(1, 0)));
  };
  const answerWithRows = () => {
    wire.write(execute(1));
    says(packets(recorded.none));
  };
  prepareAgain();
  wire.allowRows(1);
  // No statement has this number.
  wire.allowRows(2);
  answerWithRows();
  expect(server.destroyed).toBeUndefined();
  wire.write(reset);
  says(reply(ok()));
  prepareAgain();
  answerWithRows();
  expect(server.destroyed).toMatch(/where an OK belongs/);
});
