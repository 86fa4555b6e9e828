import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { restored, texts } from "../support/commands.ts";
import { databaseServer, expectProblem, startProxy } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, ledgerGrants, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

let administrator: Connection;
let proxy: CountingProxy;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  proxy = await startProxy();
  const [writer = {}] = ledgerGrants;
  const rest = { ...writer, allow: ["sql:read", "sql:write"] };
  ledger = await startLedger(
    { connections_per_shard: 2 },
    {
      cluster: { hosts: [`localhost:${proxy.port}`] },
      grants: [
        { ...rest, claims: { role: "hasty" }, deadline_ms: 500 },
        { ...rest, claims: { role: "few" }, max_rows: 2 },
        { ...rest, claims: { role: "single" }, account: "other", max_concurrent: 1 },
        ...ledgerGrants,
      ],
    },
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

async function count(what: string): Promise<number> {
  const [rows] = await administrator.query<RowDataPacket[]>(`SELECT ${what} AS n FROM ledger.entries`);
  return Number(rows[0]?.n);
}

async function balances(): Promise<number[]> {
  const [rows] = await administrator.query<RowDataPacket[]>("SELECT amount FROM ledger.balances ORDER BY id");
  return rows.map(({ amount }) => amount);
}

const take = "UPDATE balances SET amount = amount - ? WHERE id = ?";
const note = "INSERT INTO entries (account, note) VALUES (?, ?)";
const transfer = (amount: number) => [
  { sql: take, params: [amount, 1] },
  { sql: take, params: [-amount, 2] },
];

describe("a batch", () => {
  test("happens as a whole, and its results are in order", async () => {
    const { status, body, headers } = await caller.batch([
      ...transfer(10),
      { sql: "SELECT id, amount FROM balances ORDER BY id" },
      { sql: note, params: [1, "moved"] },
    ]);
    expect(status).toBe(200);
    const said = { rows_changed: null, last_insert_id: null, info: null, warnings: [] };
    const changed = { columns: [], rows: [], rows_affected: 1, ...said };
    const info = "Rows matched: 1  Changed: 1  Warnings: 0";
    const updated = { ...changed, rows_changed: 1, info };
    expect(body).toEqual({
      results: [
        updated,
        updated,
        {
          columns: [
            { name: "id", type: "INT", nullable: false },
            { name: "amount", type: "INT", nullable: false },
          ],
          rows: [
            { id: 1, amount: 90 },
            { id: 2, amount: 110 },
          ],
          rows_affected: 0,
          ...said,
        },
        { ...changed, last_insert_id: expect.stringMatching(/^\d+$/) },
      ],
    });
    expect(headers.get("server-timing")).toMatch(/^queue;dur=\d+, connect;dur=\d+, db;dur=\d+$/);
    expect(await balances()).toEqual([90, 110]);
  });

  test("has rows as arrays with ?rows=array", async () => {
    const body = { statements: [{ sql: "SELECT 'a' AS a, 'b' AS a" }] };
    const answer = await (await caller.request("POST", "/v1/batch?rows=array", body)).json();
    expect(answer).toMatchObject({ results: [{ rows: [["a", "b"]] }] });
  });

  test("of a hundred statements is the largest", async () => {
    const statements = Array.from({ length: 100 }, (_, i) => ({ sql: note, params: [1, `n${i}`] }));
    expect((await caller.batch(statements)).body.results).toHaveLength(100);
    expect(await count("COUNT(*)")).toBe(100);
    expectProblem(await caller.batch([...statements, { sql: "SELECT 1" }]), 400, "body_invalid");
    expectProblem(await caller.batch([]), 400, "body_invalid");
  });

  test("as a dry run answers its results, and undoes it", async () => {
    const { body } = await caller.batch(
      [...transfer(10), { sql: "SELECT amount FROM balances WHERE id = 1" }],
      { dry_run: true },
    );
    expect(body.results[2].rows).toEqual([{ amount: 90 }]);
    expect(await balances()).toEqual([100, 100]);
  });

  test("may be read only", async () => {
    const refused = await caller.batch(transfer(10), { read_only: true });
    expectProblem(refused, 403, "sql_denied");
    expect(refused.body).toMatchObject({ statement: 0, reason: "read_only" });
    // A batch of reads needs no more permissions than this.
    const reader = ledger.as({ role: "reader" });
    const { body } = await reader.batch([{ sql: "SELECT amount FROM balances" }], {
      isolation: "read committed",
    });
    expect(body.results[0].rows).toHaveLength(2);
  });

  test("at once with others: nothing is lost", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ledger.as({ role: "plain", sub: `s${i}` }).batch(transfer(1))),
    );
    const done = answers.filter(({ status }) => status === 200).length;
    expect(answers.filter(({ status, body }) => status !== 200 && body.code !== "sql_transient")).toEqual([]);
    expect(await balances()).toEqual([100 - done, 100 + done]);
    expect(done).toBeGreaterThan(0);
  });
});

describe("a parameter that refers to an earlier result", () => {
  test("gets the id that was made, the rows that were affected, and a row's value", async () => {
    const { status, body } = await caller.batch([
      { sql: note, params: [1, "first"] },
      {
        sql: "SELECT note, account, CAST(1.50 AS DECIMAL(5,2)) AS price, x'00ff' AS bytes, NULL AS nothing FROM entries",
      },
      { sql: note, params: [{ $ref: "0.rows_affected" }, { $ref: "1.rows.0.note" }] },
      {
        sql: "SELECT id, :price AS price, HEX(:bytes) AS bytes, IF(:nothing IS NULL, 'absent', 'there') AS nothing FROM entries WHERE id = :id",
        params: {
          id: { $ref: "0.last_insert_id" },
          price: { $ref: "1.rows.0.price" },
          bytes: { $ref: "1.rows.0.bytes" },
          nothing: { $ref: "1.rows.0.nothing" },
        },
      },
    ]);
    expect(body.results?.[3].rows, JSON.stringify(body)).toEqual([
      {
        id: body.results[0].last_insert_id,
        price: expect.stringMatching(/^1\.50*$/),
        bytes: "00FF",
        nothing: "absent",
      },
    ]);
    expect(status).toBe(200);
    expect(await count("COUNT(DISTINCT id) * 10 + COUNT(DISTINCT note)")).toBe(21);
  });

  test.each([
    ["a statement that made no id", "1.last_insert_id", "made no id"],
    ["a row that is not there", "1.rows.2.amount", "has no such row"],
    ["a column that is not there", "1.rows.0.constructor", "has no such column"],
  ])("%s: the batch is undone", async (_, $ref, words) => {
    const refused = await caller.batch([
      { sql: note, params: [1, "undone"] },
      { sql: "SELECT amount FROM balances" },
      { sql: note, params: [1, { $ref }] },
    ]);
    expectProblem(refused, 400, "parameter_invalid");
    expect(refused.body).toMatchObject({ statement: 2, reason: "wrong_reference" });
    expect(refused.body.detail).toBe(`What placeholder 2 refers to ${words}.`);
    expect(await count("COUNT(*)")).toBe(0);
  });
});

describe("a batch that fails says which statement, and nothing has happened", () => {
  const undone = async (statements: unknown[], status: number, code: string, statement: number) => {
    const answer = await caller.batch([{ sql: note, params: [1, "undone"] }, ...statements]);
    expectProblem(answer, status, code);
    expect(answer.body.statement).toBe(statement);
    expect(await count("COUNT(*)")).toBe(0);
    expect(await balances()).toEqual([100, 100]);
    return answer.body;
  };

  test("by the server's word", async () => {
    await undone([...transfer(10), { sql: "INSERT INTO balances VALUES (1, 1)" }], 409, "sql_conflict", 3);
    await undone([{ sql: "SELECT nonsense" }], 400, "sql_error", 1);
  });

  test("before it is begun: what is no statement, or commits", async () => {
    await restored(proxy);
    const mark = proxy.mark();
    await undone([{ sql: "SELECT 1; SELECT 2" }], 400, "statement_refused", 1);
    await undone([{ sql: "SELECT ?", params: [] }], 400, "parameter_invalid", 1);
    await undone([{ sql: "SELECT ?", params: [{ $ref: "1.last_insert_id" }] }], 400, "parameter_invalid", 1);
    for (const sql of ["CREATE TABLE more (id INT)", "TRUNCATE TABLE balances", "CALL add_entry('x')"]) {
      expect(await undone([{ sql }], 400, "statement_refused", 1)).toMatchObject({
        reason: "implicit_commit",
      });
    }
    for (const sql of ["COMMIT", "BEGIN", "SET autocommit = 1", "SAVEPOINT a", "START TRANSACTION"]) {
      expect(await undone([{ sql }], 400, "statement_refused", 1)).toMatchObject({ reason: "not_allowed" });
    }
    await restored(proxy);
    expect(texts(mark.commands)).toEqual([]);
  });

  test("where more is affected than it may be", async () => {
    const all = "UPDATE balances SET amount = amount + 1";
    const body = await undone([{ sql: all, max_affected: 1 }], 409, "max_affected_exceeded", 1);
    expect(body.detail).toBe("It affected 2 rows and may affect 1.");
    expect((await caller.batch([{ sql: all, max_affected: 2 }])).status).toBe(200);
  });

  test("where its results are too large together", async () => {
    const long = { sql: "SELECT REPEAT('x', 1500000) AS x" };
    expect((await caller.batch([long, long])).status).toBe(200);
    await undone([long, long, long], 413, "result_too_large", 3);
    const few = ledger.as({ role: "few" });
    const refused = await few.batch([
      { sql: note, params: [1, "undone"] },
      { sql: "SELECT * FROM world.cities" },
    ]);
    expectProblem(refused, 413, "result_too_large");
    expect(refused.body).toMatchObject({ statement: 1, detail: "It may have 2 rows." });
    await expect.poll(() => count("COUNT(*)")).toBe(0);
  });

  test("where all of it takes too long", async () => {
    const hasty = ledger.as({ role: "hasty" });
    const late = await hasty.batch([
      { sql: note, params: [1, "undone"] },
      { sql: "SELECT SLEEP(0.3)" },
      { sql: "SELECT SLEEP(0.3)" },
    ]);
    expectProblem(late, 504, "deadline_exceeded");
    await expect.poll(() => count("COUNT(*)")).toBe(0);
    expect((await caller.batch(transfer(1))).status).toBe(200);
  });

  test("where the connection is lost", async () => {
    const running = caller.batch([{ sql: note, params: [1, "undone"] }, { sql: "SELECT SLEEP(20) AS lost" }]);
    const killed = async () => {
      const [rows] = await administrator.query<RowDataPacket[]>(
        "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(20) AS lost%'",
      );
      for (const { id, ID } of rows) await administrator.query(`KILL CONNECTION ${id ?? ID}`);
      return rows.length;
    };
    await expect.poll(killed, { interval: 50 }).toBe(1);
    const lost = await running;
    expect(lost.status).toBe(503);
    expect(lost.body).toMatchObject({ statement: 1, retryable: true });
    expect(await count("COUNT(*)")).toBe(0);
  });
});

test("whose COMMIT is not answered has an unknown outcome", async () => {
  await caller.batch(transfer(1));
  await restored(proxy);
  // The server gets the COMMIT, but its answer does not arrive.
  proxy.setDelayMs(150);
  const mark = proxy.mark();
  const running = caller.batch([{ sql: note, params: [1, "perhaps"] }]);
  await expect.poll(() => texts(mark.commands), { interval: 5 }).toContain("COMMIT");
  proxy.dropAll();
  proxy.setDelayMs(0);
  const unknown = await running;
  expectProblem(unknown, 503, "outcome_unknown");
  expect(unknown.body).toMatchObject({ retryable: false, transaction: "unknown" });
});

test("each statement needs its permission", async () => {
  const reader = ledger.as({ role: "reader" });
  expectProblem(await reader.batch([{ sql: "SELECT 1" }, ...transfer(1)]), 403, "access_denied");
  // In a transaction that may write, a function in any statement could write.
  expectProblem(await reader.batch([{ sql: "SELECT 1" }], { read_only: false }), 403, "access_denied");
  expect((await reader.batch([{ sql: "SELECT 1" }], { read_only: true })).status).toBe(200);
  expectProblem(await ledger.as({ role: "nobody" }).batch([{ sql: "SELECT 1" }]), 403, "access_denied");
});

test("a batch counts as one running statement of its grant", async () => {
  const single = ledger.as({ role: "single" });
  const first = single.batch([{ sql: "SELECT SLEEP(2) AS counted" }]);
  const running = async () => {
    const [rows] = await administrator.query<RowDataPacket[]>(
      "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(2) AS counted%'",
    );
    return Number(rows[0]?.n);
  };
  await expect.poll(running, { interval: 20 }).toBe(1);
  expectProblem(await single.batch([{ sql: "SELECT 1" }]), 429, "concurrency_exceeded");
  expect((await first).status).toBe(200);
});

test("a batch whose values are used again and again is one message of 48 MB, more than RPC takes in an argument", async () => {
  const [statements, times] = [12, 50];
  const value = "x".repeat(80_000);
  const sql = `SELECT ${Array.from({ length: times }, () => "LENGTH(:v)").join(" + ")} AS n`;
  const batch = Array.from({ length: statements }, () => ({ sql, params: { v: value } }));
  const { body } = await ledger.as().batch(batch);
  const rows = [{ n: String(times * value.length) }];
  expect(body).toMatchObject({ results: batch.map(() => ({ rows })) });
});
