// Runs on mysql only: the engine has no part in what it tests.
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { errPacket, frame } from "../../../servers/wire/packets.ts";
import { serverErrors } from "../../../src/db/mysql/engines/server-errors.ts";
import { errorKinds } from "../../../src/errors.ts";
import { databaseServer, expectProblem } from "../support/harness.ts";
import type { HostileServer, Played } from "../support/hostility.ts";
import { say, startHostileServer } from "../support/hostility.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

/**
 * Rare errors of a server, put in the place of its answers: each row of the table in
 * src/db/mysql/engines/server-errors.ts, for a read, in a transaction, and as the answer to a COMMIT.
 */

let server: HostileServer;
let administrator: Connection;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  server = await startHostileServer();
  ledger = await startLedger(
    { connections_per_shard: 2 },
    { cluster: { hosts: [`localhost:${server.proxy.port}`] } },
  );
  caller = ledger.as();
});
beforeEach(() => resetLedger(administrator));
afterAll(async () => {
  await ledger?.gateway.close();
  await server?.stop();
  await dropLedger(administrator);
  await administrator?.end();
});

const errorOf = (errno: number, words = "m"): Played =>
  say(({ sequence }) => frame(sequence, errPacket(errno, words)));

/** Changes the answer to the next statement with these words; that answer is one packet. */
function refuse(words: string, what: Played, command = "COM_STMT_EXECUTE") {
  return server.play(
    (spot) => spot.command === command && spot.text.includes(words) && spot.index === 0,
    what,
  );
}

let last = 1_000;
/** A change of no row, with a unique text. */
const nothing = () => `UPDATE balances SET amount = amount WHERE id = ${++last}`;

const rows = serverErrors.filter(({ words, again }) => words === undefined && !again);
const numbers = rows.map((row) => [row.numbers[0] as number, row] as const);

describe("an error of the server's", () => {
  test.each(numbers)(
    "%i, of a statement: its code, and what becomes of the connection",
    async (errno, row) => {
      const sql = nothing();
      const played = refuse(sql, errorOf(errno));
      const answer = await caller.sql(sql);
      expectProblem(answer, errorKinds[row.code].status, row.code);
      expect(answer.body).toMatchObject({
        errno,
        retryable: row.retryable ?? errorKinds[row.code].retryable,
      });
      // The next caller is served, by the same connection or by another one.
      expect((await caller.sql("SELECT 1")).status).toBe(200);
      if (row.connection === "kept") expect(played.closed).toBe(false);
      else await expect.poll(() => played.closed).toBe(true);
    },
  );

  test.each(numbers.filter(([, { transaction }]) => transaction !== "either"))(
    "%i, in a transaction: what becomes of that",
    async (errno, { transaction }) => {
      const id = await caller.opened();
      const sql = nothing();
      refuse(sql, errorOf(errno));
      const answer = await caller.in(id, sql);
      expect(answer.body).toMatchObject({ errno, transaction });
      const next = await caller.in(id, "SELECT 1");
      expect(next.status).toBe(transaction === "open" ? 200 : 410);
      await caller.rollback(id);
    },
  );

  test.each(numbers)("%i, to a COMMIT: whether that has happened", async (errno, { commit }) => {
    const id = await caller.opened();
    expect((await caller.in(id, nothing())).status).toBe(200);
    refuse("COMMIT", errorOf(errno), "COM_QUERY");
    const answer = await caller.commit(id);
    expect(answer.body.transaction).toBe(commit === "refused" ? "rolled_back" : "unknown");
    expect(answer.body.code === "outcome_unknown").toBe(commit === "unknown");
  });
});

test("1461, as the server itself says it: the operator's limit, and nothing has happened", async () => {
  await administrator.query("SET GLOBAL max_prepared_stmt_count = 0");
  try {
    const answer = await caller.sql(nothing());
    expectProblem(answer, 503, "database_unavailable");
    expect(answer.body).toMatchObject({ errno: 1461, retryable: true });
  } finally {
    await administrator.query("SET GLOBAL max_prepared_stmt_count = DEFAULT");
  }
  expect((await caller.sql(nothing())).status).toBe(200);
});

describe("a statement that has to be prepared anew", () => {
  /** How often a text was prepared, and how often it was executed and its answer examined. */
  const prepared = (sql: string) =>
    server.proxy.commands().filter(({ command, text }) => command === "COM_STMT_PREPARE" && text === sql)
      .length;

  test.each([
    [1615, "m"],
    [1243, "m"],
    // TiDB's error.
    [1105, "ERROR 1243 (HY000): Unknown prepared statement handler 9999 given to stmt_execute"],
  ])("%i: is prepared again, and executed once more", async (errno, words) => {
    const sql = nothing();
    const played = refuse(sql, errorOf(errno, words));
    const answer = await caller.sql(sql);
    expect([answer.status, answer.body.rows_affected]).toEqual([200, 0]);
    expect(played.victim).toBeDefined();
    expect(prepared(sql)).toBe(2);
  });

  test("in a transaction, too, which goes on", async () => {
    const id = await caller.opened();
    const sql = nothing();
    const played = refuse(sql, errorOf(1615));
    expect((await caller.in(id, sql)).status).toBe(200);
    expect(played.victim).toBeDefined();
    expect((await caller.commit(id)).status).toBe(200);
  });

  test("in a batch: all of it is rolled back, and runs once more", async () => {
    const sql = nothing();
    const played = refuse(sql, errorOf(1243));
    const insert = "INSERT INTO entries (account, note) VALUES (1, 'once')";
    const answer = await caller.batch([{ sql: insert }, { sql }]);
    expect(answer.status).toBe(200);
    expect(played.victim).toBeDefined();
    expect(await entries()).toBe(1);
  });

  test("twice in a row: is told, and not tried again", async () => {
    const sql = nothing();
    refuse(sql, (packet, client) => {
      refuse(sql, errorOf(1615));
      return errorOf(1615)(packet, client);
    });
    const answer = await caller.sql(sql);
    expectProblem(answer, 409, "sql_transient");
    expect(answer.body).toMatchObject({ errno: 1615, retryable: true });
    expect(prepared(sql)).toBe(2);
  });

  test("a procedure may have run a part of itself: it is told at once", async () => {
    const played = refuse("add_entry", errorOf(1243));
    const answer = await caller.sql("CALL add_entry('one')");
    expect(played.victim).toBeDefined();
    expect(answer.body).toMatchObject({ errno: 1243, retryable: false });
    expect(await entries()).toBe(1);
  });
});

async function entries(): Promise<number> {
  const [found] = await administrator.query<RowDataPacket[]>("SELECT COUNT(*) AS n FROM ledger.entries");
  return Number(found[0]?.n);
}
