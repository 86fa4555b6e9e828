import { describe, expect, test } from "vitest";
import { Pipeline } from "../../../../../src/db/mysql/driver/command-pipeline.ts";
import { PreparedExecution } from "../../../../../src/db/mysql/driver/prepared-execution.ts";
import type { StatementResult } from "../../../../../src/db/mysql/session/statement-result.ts";
import { StatementResultReader } from "../../../../../src/db/mysql/session/statement-result.ts";
import type { BoundValue } from "../../../../../src/sql/bound-value.ts";
import { textColumns } from "../driver/text-columns.ts";
import { column, reply } from "../guard/guarded-connection.ts";
import { loggedIn } from "../guard/recorded-wire.ts";

/**
 * OK_Packet. Servers write a length before the info, although the manual has none without
 * CLIENT_SESSION_TRACK.
 */
function ok({ affected = 0, id = [0], status = 2, warnings = 0, info = "", withLength = true }): Buffer {
  const text = Buffer.from(info);
  return Buffer.concat([
    Buffer.from([0, affected, ...id, status, 0, warnings & 255, warnings >> 8]),
    ...(text.length > 0 && withLength ? [lengthOf(text)] : []),
    text,
  ]);
}

/** A length-encoded integer of 1, 3 or 4 bytes. */
function lengthOf({ length }: Buffer): Buffer {
  if (length < 251) return Buffer.from([length]);
  const bytes = length < 2 ** 16 ? 2 : 3;
  const encoded = Buffer.alloc(1 + bytes);
  encoded[0] = bytes === 2 ? 0xfc : 0xfd;
  encoded.writeUIntLE(length, 1, bytes);
  return encoded;
}

/** The end of definitions or rows. */
const eof = (warnings = 0, status = 2) => Buffer.from([0xfe, warnings & 255, warnings >> 8, status, 0]);
const row = Buffer.from([0, 0, 1, 0x61]);
const one = Buffer.from([1]);
/** SERVER_MORE_RESULTS_EXISTS */
const more = 2 | 8;

/** @returns the results of executions that are sent in one write, each answered with these packets */
const outcomes = (...answers: Buffer[][]) => outcomesOf({ returning: false, values: [] }, ...answers);

async function outcomesOf(
  statement: { returning: boolean; values: readonly BoundValue[] },
  ...answers: Buffer[][]
) {
  const { wire, connection } = await loggedIn();
  const running = answers.map(
    () => new PreparedExecution(connection, { id: 1, values: [], memory: textColumns() }),
  );
  const ended = running.map((command) => {
    const reader = new StatementResultReader(statement);
    return new Promise<StatementResult>((resolve, reject) =>
      command.listen({
        columns: (_, changed) => reader.columns(changed),
        rows: () => {},
        row: () => reader.row(),
        values: reject,
        rowsEnd: (warnings, status) => reader.rowsEnd(warnings, status),
        ok: (packet) => reader.ok(packet),
        failed: reject,
        ended: () => resolve(reader.outcome()),
      }),
    );
  });
  connection.addCommand(new Pipeline(running));
  wire.say(Buffer.concat(answers.map((packets) => reply(...packets))));
  return await Promise.all(ended);
}

const nothing = {
  ...{ rowsAffected: 0, rowsChanged: null, lastInsertId: null, info: null },
  ...{ serverStatus: 2, columnsChanged: false },
  ...{ warningCount: 0, warnings: [], conversion: "none" },
};

/** The warnings have not been read yet. */
const unread = (warningCount: number) => ({ warningCount, warnings: null, conversion: "none" });

describe("the facts that are read from an answer", () => {
  test.each<[string, Buffer[], object]>([
    ["an OK that says nothing", [ok({})], {}],
    ["rows affected and an id", [ok({ affected: 3, id: [7] })], { rowsAffected: 3, lastInsertId: "7" }],
    [
      "an id of 64 bits",
      [ok({ affected: 1, id: [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f] })],
      { rowsAffected: 1, lastInsertId: "9223372036854775807" },
    ],
    [
      "an id beyond a signed one",
      [ok({ affected: 1, id: [0xfe, 0, 0, 0, 0, 0, 0, 0, 0x80] })],
      { rowsAffected: 1, lastInsertId: "9223372036854775808" },
    ],
    [
      "the largest id",
      [ok({ affected: 1, id: [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] })],
      { rowsAffected: 1, lastInsertId: "18446744073709551615" },
    ],
    [
      "an id of 33 bits",
      [ok({ affected: 1, id: [0xfe, 5, 0, 0, 0, 1, 0, 0, 0] })],
      { rowsAffected: 1, lastInsertId: "4294967301" },
    ],
    [
      "an id of 24 bits",
      [ok({ affected: 1, id: [0xfd, 0, 0, 0x80] })],
      { rowsAffected: 1, lastInsertId: "8388608" },
    ],
    [
      "an UPDATE's info",
      [ok({ affected: 3, info: "Rows matched: 3  Changed: 1  Warnings: 0" })],
      { rowsAffected: 3, rowsChanged: 1, info: "Rows matched: 3  Changed: 1  Warnings: 0" },
    ],
    [
      "an INSERT's info, which has no rows changed",
      [ok({ affected: 2, info: "Records: 2  Duplicates: 0  Warnings: 0" })],
      { rowsAffected: 2, info: "Records: 2  Duplicates: 0  Warnings: 0" },
    ],
    [
      "an info in another language",
      [ok({ affected: 3, info: "Datensätze gefunden: 3  Geändert: 1  Warnungen: 0" })],
      { rowsAffected: 3, info: "Datensätze gefunden: 3  Geändert: 1  Warnungen: 0" },
    ],
    [
      "an info without its length, as the manual has it",
      [ok({ info: "Rows matched: 3  Changed: 1  Warnings: 0", withLength: false })],
      { rowsChanged: 1, info: "Rows matched: 3  Changed: 1  Warnings: 0" },
    ],
    ["an OK with warnings", [ok({ warnings: 1 })], unread(1)],
    ["an OK with very many", [ok({ warnings: 65_535 })], unread(65_535)],
    ["an OK's status", [ok({ status: 3 })], { serverStatus: 3 }],
    ["the status in the end of rows", [one, column(), eof(), row, eof(0, 34)], { serverStatus: 34 }],
    ["rows without warnings", [one, column(), eof(), row, eof()], {}],
    ["rows with warnings", [one, column(), eof(), row, eof(256)], unread(256)],
    ["rows with very many", [one, column(), eof(), eof(65_535)], unread(65_535)],
    ["a count behind the columns only, which is none", [one, column(), eof(3), row, eof()], {}],
    [
      "a procedure's rows and its OK, which counts",
      [one, column(), eof(0, more), row, eof(9, more), ok({ affected: 2 })],
      { rowsAffected: 2 },
    ],
    [
      "a procedure's rows and an OK with warnings",
      [one, column(), eof(0, more), eof(0, more), ok({ warnings: 2 })],
      unread(2),
    ],
  ])("%s", async (_, packets, expected) => {
    expect(await outcomes(packets)).toEqual([{ ...nothing, ...expected }]);
  });

  test.each([1, 250, 251, 252, 300, 65_535, 65_536])("an info of %i bytes", async (length) => {
    const info = "x".repeat(length);
    expect(await outcomes([ok({ affected: 1, id: [0xfc, 1, 2], info })])).toMatchObject([{ info }]);
  });

  test("an info before the session's changes, and no info before them", async () => {
    const changes = Buffer.from([3, 2, 1, 0x31]);
    const said = Buffer.concat([ok({ info: "Ähnlich" }), changes]);
    const silent = Buffer.concat([ok({}), Buffer.from([0]), changes]);
    expect(await outcomes([said], [silent])).toMatchObject([{ info: "Ähnlich" }, { info: null }]);
  });

  test.each<[string, Buffer[], object]>([
    ["rows: the server counts none", [one, column(), eof(), row, row, eof()], { rowsAffected: 2 }],
    ["no rows", [one, column(), eof(), eof(1)], unread(1)],
    ["an OK, which counts", [ok({ affected: 3, id: [7] })], { rowsAffected: 3, lastInsertId: "7" }],
  ])("for a change with RETURNING that answers with %s", async (_, packets, expected) => {
    expect(await outcomesOf({ returning: true, values: [] }, packets)).toEqual([{ ...nothing, ...expected }]);
  });

  test("each of several executions in one write has its own", async () => {
    const answers = [[ok({ affected: 1 })], [one, column(), eof(), eof(4)], [ok({ affected: 2 })]];
    expect(await outcomes(...answers)).toEqual([
      { ...nothing, rowsAffected: 1 },
      { ...nothing, ...unread(4) },
      { ...nothing, rowsAffected: 2 },
    ]);
  });
});
