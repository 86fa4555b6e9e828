import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { limits } from "../../../src/limits.ts";
import { restored, texts } from "../support/commands.ts";
import { databaseServer, engine, expectProblem, startProxy } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, ledgerGrants, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

/**
 * The statements that a batch sends together, and the effect of a failure on those behind it. One
 * connection, through the proxy.
 */

let administrator: Connection;
let proxy: CountingProxy;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  proxy = await startProxy();
  const [writer = {}] = ledgerGrants;
  const plain = { ...writer, claims: { role: "plain" }, allow: ["sql:read", "sql:write"] };
  const hasty = { ...plain, claims: { role: "hasty" }, deadline_ms: 500 };
  ledger = await startLedger(
    { connections_per_shard: 1 },
    { cluster: { hosts: [`localhost:${proxy.port}`] }, grants: [plain, hasty] },
  );
  caller = ledger.as({ role: "plain" });
});
afterAll(async () => {
  await ledger?.gateway.close();
  await proxy?.stop();
  await dropLedger(administrator);
  await administrator?.end();
});
beforeEach(() => resetLedger(administrator));

async function count(sql: string): Promise<number> {
  const [rows] = await administrator.query<RowDataPacket[]>(sql);
  return Number(Object.values(rows[0] ?? {})[0]);
}
const entries = () => count("SELECT COUNT(*) FROM ledger.entries");
const runningLike = (text: string) =>
  count(`SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '${text}%'`);

const note = { sql: "INSERT INTO entries (account, note) VALUES (?, ?)", params: [1, "noted"] };
const take = (id: number) => ({ sql: "UPDATE balances SET amount = amount - 1 WHERE id = ?", params: [id] });
const times = (n: number, statement: unknown) => Array.from({ length: n }, () => statement);

const prepare = "COM_STMT_PREPARE";
const execute = "COM_STMT_EXECUTE";
const begin = ["SET", "START"];

/** The commands of a batch before its answer, and the number of its round trips; the restore takes one. */
async function cost(statements: unknown[], more: Record<string, unknown> = {}) {
  await restored(proxy);
  const mark = proxy.mark();
  const { status, body } = await caller.batch(statements, more);
  expect(status, JSON.stringify(body)).toBe(200);
  await restored(proxy);
  const commands = texts(mark.commands);
  return {
    commands: commands.slice(0, commands.lastIndexOf("COM_RESET_CONNECTION")),
    roundTrips: mark.roundTrips - 1,
    results: body.results,
  };
}

let texted = 0;
/** New statements, which were never sent before. */
const unseen = (n: number, sql: (i: number) => string) =>
  Array.from({ length: n }, () => {
    texted += 1;
    return { sql: sql(texted) };
  });

/** Makes the restores prepare a statement ahead. */
async function heat(statement: unknown, more: Record<string, unknown> = {}): Promise<void> {
  await cost(times(limits.hotStatementWindow, statement), more);
}

describe("round trips before the answer", () => {
  const figures: Record<string, Record<string, number>> = {};
  afterAll(() => console.table(figures));

  test.each([1, 5, 40])("of a batch of %i: 2 when its statements are hot, else 3", async (n) => {
    await heat(note);
    const warm = await cost(times(n, note));
    expect(warm.commands).toEqual([...begin, ...times(n, execute), "COMMIT"]);
    const cold = await cost(unseen(n, (i) => `INSERT INTO entries (account, note) VALUES (${i}, 'cold')`));
    expect(cold.commands).toEqual([...begin, ...times(n, prepare), ...times(n, execute), "COMMIT"]);
    expect([warm.roundTrips, cold.roundTrips]).toEqual([2, 3]);
    figures[`${n} writes`] = { warm: warm.roundTrips, cold: cold.roundTrips };
  });

  test.each([1, 5, 40])("of a batch of %i that changes nothing: 1 when they are hot, else 2", async (n) => {
    const read = { sql: "SELECT amount FROM balances WHERE id = ?", params: [1] };
    await heat(read);
    const warm = await cost(times(n, read), { isolation: "read committed" });
    // A read's number must not be compared with text. MySQL has named the type; the others' warnings show
    // it, in the same write.
    const asked = times(n, engine === "mysql" ? [execute] : [execute, "SHOW"]).flat();
    expect(warm.commands).toEqual(["SET", "SET", "START", ...asked, "ROLLBACK"]);
    const cold = await cost(unseen(n, (i) => `SELECT ${i} AS n`));
    expect(cold.commands).toEqual([...begin, ...times(n, prepare), ...times(n, execute), "ROLLBACK"]);
    await heat(note);
    const tried = await cost(times(n, note), { dry_run: true });
    expect(tried.commands).toEqual([...begin, ...times(n, execute), "ROLLBACK"]);
    expect([warm.roundTrips, cold.roundTrips, tried.roundTrips]).toEqual([1, 2, 1]);
    figures[`${n} reads`] = { warm: warm.roundTrips, cold: cold.roundTrips };
    figures[`${n} writes, dry run`] = { warm: tried.roundTrips };
  });

  test("one more for each result that is waited for", async () => {
    const [first] = unseen(1, (i) => `INSERT INTO entries (account, note) VALUES (${i}, 'first')`);
    const chain = [
      first,
      { sql: "SELECT id AS first_id FROM entries WHERE id = ?", params: [{ $ref: "0.last_insert_id" }] },
      { sql: "DELETE FROM entries WHERE id = ?", params: [{ $ref: "1.rows.0.first_id" }] },
      { sql: "INSERT INTO entries (account, note) VALUES (2, ?)", params: [{ $ref: "0.rows_affected" }] },
    ];
    const cold = await cost(chain);
    const commands = cold.commands.filter((command) => command !== "SHOW");
    expect(commands).toEqual([...begin, ...times(4, prepare), ...times(4, execute), "COMMIT"]);
    expect(cold.results[2]).toMatchObject({ rows_affected: 1 });
    // Prepared, then three waves, then COMMIT.
    expect(cold.roundTrips).toBe(1 + 3 + 1);
  });

  test("what one connection may have prepared goes together", async () => {
    const many = unseen(limits.batchStatements, (i) => `SELECT ${i} AS many`);
    const first = limits.preparedStatementsPerConnection;
    const rest = many.length - first;
    const { commands, roundTrips, results } = await cost(many);
    const chunk = (n: number) => [...times(n, prepare), ...times(n, execute)];
    expect(commands).toEqual([...begin, ...chunk(first), ...chunk(rest), "ROLLBACK"]);
    expect(roundTrips).toBe(4);
    const numbers = results.map(({ rows }: { rows: { many: unknown }[] }) => Number(rows[0]?.many));
    expect(numbers).toEqual(many.map(({ sql }) => Number(/\d+/.exec(sql)?.[0])));
  });

  test("one text with parameters of several types is a statement for each", async () => {
    const typed = (value: unknown) => ({ sql: "SELECT ? AS typed", params: [value] });
    const { commands, results } = await cost(["a", 1, "b", null, 2].map(typed));
    expect(commands.filter((command) => command === prepare)).toHaveLength(3);
    const values = results.map(({ rows }: { rows: { typed: unknown }[] }) => rows[0]?.typed);
    expect(values.map((value: unknown) => (value === null ? null : String(value)))).toEqual([
      "a",
      "1",
      "b",
      null,
      "2",
    ]);
  });
});

describe("what is on the way at once", () => {
  test("may fill the socket in both directions", async () => {
    const long = { sql: "SELECT ? AS x, REPEAT(?, 4) AS y", params: ["x".repeat(9_000), "y".repeat(9_000)] };
    const { results, roundTrips } = await cost(times(50, long));
    expect(results).toHaveLength(50);
    expect(results[49].rows[0].y).toHaveLength(36_000);
    expect(roundTrips).toBe(2);
  });

  test("is bounded, whatever references stand for", async () => {
    const long = { sql: "SELECT REPEAT('x', 400000) AS x" };
    const length = { sql: "SELECT LENGTH(?) AS n", params: [{ $ref: "0.rows.0.x" }] };
    const { results, roundTrips } = await cost([long, ...times(10, length)]);
    expect(Number(results[10].rows[0].n)).toBe(400_000);
    // Both are prepared; the first one; then two at a time.
    expect(roundTrips).toBe(1 + 1 + 5);
    const params = times(11, { $ref: "0.rows.0.x" });
    const refused = await caller.batch([
      long,
      { sql: `SELECT CONCAT(${params.map(() => "?").join()})`, params },
    ]);
    expectProblem(refused, 400, "parameter_invalid");
    expect(refused.body).toMatchObject({
      statement: 1,
      reason: "wrong_reference",
      detail: `What its placeholders refer to may have ${limits.batchReferredBytes} bytes together.`,
    });
  });
});

describe("statements behind a failed one are rolled back with it", () => {
  const slow = { sql: "SELECT SLEEP(20) AS behind" };
  const twice = { sql: "INSERT INTO balances (id, amount) VALUES (1, 0)" };

  test("where it was executed already", async () => {
    const mark = proxy.mark();
    const refused = await caller.batch([note, twice, note, note]);
    expectProblem(refused, 409, "sql_conflict");
    expect(refused.body).toMatchObject({ statement: 1, errno: 1062 });
    expect(texts(mark.commands).filter((command) => command === execute)).toHaveLength(4);
    expect(texts(mark.commands)).not.toContain("COMMIT");
    expect(await entries()).toBe(0);
  });

  test("after a deadlock, which ends the transaction: nothing of it is committed, and it may be tried again", async () => {
    await restored(proxy);
    const other = await connectAdministrator(databaseServer());
    try {
      await other.query("START TRANSACTION");
      // This transaction has much to undo, so MySQL and MariaDB roll back the other one.
      await other.query(
        `INSERT INTO ledger.entries (account, note) VALUES ${times(100, "(9, 'heavy')").join()}`,
      );
      await other.query("UPDATE ledger.balances SET amount = amount + 1 WHERE id = 2");
      const pause = { sql: "SELECT SLEEP(2) AS paused" };
      const locked = caller.batch([
        note,
        take(1),
        pause,
        take(2),
        note,
        { sql: "SELECT @@autocommit" },
        note,
      ]);
      await expect.poll(() => runningLike(pause.sql), { interval: 50, timeout: 5_000 }).toBe(1);
      // This statement waits for the batch. Then the batch closes the circle, and TiDB rolls back the
      // transaction that closes it.
      const waiting = other.query("UPDATE ledger.balances SET amount = amount + 1 WHERE id = 1");
      const refused = await locked;
      expectProblem(refused, 409, "sql_transient");
      expect(refused.body).toMatchObject({ statement: 3, errno: 1213, retryable: true });
      await waiting;
      await other.query("COMMIT");
    } finally {
      await other.end();
    }
    expect(await count("SELECT SUM(amount) FROM ledger.balances")).toBe(202);
    expect(await count("SELECT COUNT(*) FROM ledger.entries WHERE note = 'noted'")).toBe(0);
    expect((await caller.batch([note, take(1), take(2)])).status).toBe(200);
  });

  test("without waiting for it to end", async () => {
    const mark = proxy.mark();
    const refused = await caller.batch([note, twice, slow, note]);
    expectProblem(refused, 409, "sql_conflict");
    expect(refused.body.statement).toBe(1);
    await expect.poll(() => runningLike(slow.sql), { interval: 50, timeout: 5_000 }).toBe(0);
    expect(mark.commands.flatMap(({ text }) => text ?? [])).toContainEqual(
      expect.stringMatching(/^KILL CONNECTION \d+$/),
    );
    expect(await entries()).toBe(0);
    expect((await caller.batch([note])).status).toBe(200);
  });
});

test("a batch that is stopped is stopped as a whole", async () => {
  const mark = proxy.mark();
  const slow = { sql: "SELECT SLEEP(20) AS stopped" };
  const late = await ledger.as({ role: "hasty" }).batch([note, slow, note, slow, slow]);
  expectProblem(late, 504, "deadline_exceeded");
  await expect.poll(() => runningLike(slow.sql), { interval: 50, timeout: 5_000 }).toBe(0);
  expect(mark.commands.flatMap(({ text }) => text ?? [])).toContainEqual(
    expect.stringMatching(/^KILL CONNECTION \d+$/),
  );
  expect(await entries()).toBe(0);
  expect((await caller.batch([note])).status).toBe(200);
});

test("autocommit is off in a batch, and on for the connection's next caller", async () => {
  const autocommit = { sql: "SELECT @@SESSION.autocommit AS autocommit" };
  const { body } = await caller.batch([autocommit, note]);
  expect(Number(body.results[0].rows[0].autocommit)).toBe(0);
  expect(Number((await caller.sql(autocommit.sql)).body.rows[0].autocommit)).toBe(1);
});
