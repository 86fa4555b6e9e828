import { setTimeout as sleep } from "node:timers/promises";
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { restored, texts } from "../support/commands.ts";
import { databaseServer, engine, expectProblem, startProxy } from "../support/harness.ts";
import type { Ledger } from "../support/ledger.ts";
import { dropLedger, ledgerGrants, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

/** Transactions that no caller ends: they end by time, by a lost connection, or by a lost object. */

let administrator: Connection;
let proxy: CountingProxy;
let ledger: Ledger;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  proxy = await startProxy();
  const [writer = {}] = ledgerGrants;
  ledger = await startLedger(
    {},
    {
      entry: "abort",
      cluster: { hosts: [`localhost:${proxy.port}`] },
      grants: [
        { ...writer, claims: { role: "hasty" }, deadline_ms: 500 },
        { ...writer, claims: { role: "few" }, max_rows: 2 },
        ...ledgerGrants,
      ],
    },
  );
});
afterAll(async () => {
  await ledger?.gateway.close();
  await proxy?.stop();
  await dropLedger(administrator);
  await administrator?.end();
});
beforeEach(() => resetLedger(administrator));

const note = "INSERT INTO entries (account, note) VALUES (1, ?)";

async function notes(): Promise<string[]> {
  const [rows] = await administrator.query<RowDataPacket[]>("SELECT note FROM ledger.entries ORDER BY id");
  return rows.map((row) => row.note);
}

/** InnoDB refreshes its list only after 100 ms without a query of it. */
const patiently = { timeout: 5_000, interval: 250 };

/** @returns the number of transactions that hold something, by the server's list */
async function open(): Promise<number> {
  const others =
    engine === "tidb"
      ? "tidb_trx WHERE USER LIKE 'gw%'"
      : "innodb_trx WHERE trx_mysql_thread_id <> CONNECTION_ID()";
  const [rows] = await administrator.query<RowDataPacket[]>(
    `SELECT COUNT(*) AS n FROM information_schema.${others}`,
  );
  return Number(rows[0]?.n);
}

describe("time", () => {
  test("nothing runs in it for too long: it is rolled back, and the next call says so", async () => {
    const caller = ledger.as();
    const id = await caller.opened({ idle_timeout_ms: 300 });
    await caller.in(id, note, ["undone"]);
    expect(await open()).toBe(1);
    await expect.poll(open, patiently).toBe(0);
    for (const late of [
      await caller.in(id, "SELECT 1"),
      await caller.commit(id),
      await caller.rollback(id),
    ]) {
      expectProblem(late, 410, "transaction_expired");
      expect(late.body).toMatchObject({ retryable: false, transaction: "rolled_back" });
    }
    expect(await notes()).toEqual([]);
    // Only its own caller is told.
    expectProblem(await ledger.as({ sub: "other" }).commit(id), 404, "transaction_unknown");
    // Its place is free again.
    const ids = [await caller.opened(), await caller.opened()];
    for (const another of ids) await caller.rollback(another);
  });

  test("each statement starts the idle time anew", async () => {
    const caller = ledger.as();
    const id = await caller.opened({ idle_timeout_ms: 1_500 });
    for (let i = 0; i < 4; i++) {
      await sleep(500);
      expect((await caller.in(id, "SELECT 1")).status).toBe(200);
    }
    expect((await caller.commit(id)).status).toBe(200);
  });

  test("it lasts too long, whatever runs in it", async () => {
    const caller = ledger.as();
    const begun = await caller.begin({ timeout_ms: 1_000 });
    const { id, expires_at } = begun.body;
    expect(Date.parse(expires_at) - Date.now()).toBeLessThanOrEqual(1_000);
    await caller.in(id, note, ["undone"]);
    const answers = [];
    while (answers.at(-1)?.status !== 410) {
      answers.push(await caller.in(id, "SELECT 1"));
      expect(answers.length).toBeLessThan(1_000);
    }
    expect(answers[0]?.status).toBe(200);
    expect(answers.at(-1)?.body.code).toBe("transaction_expired");
    expect(await notes()).toEqual([]);
  });

  test("a statement that runs at its end is stopped with it", async () => {
    const caller = ledger.as();
    const id = await caller.opened({ timeout_ms: 600 });
    await caller.in(id, note, ["undone"]);
    const stopped = await caller.in(id, "SELECT SLEEP(20) AS at_the_end");
    expectProblem(stopped, 504, "deadline_exceeded");
    expect(stopped.body.transaction).toBe("rolled_back");
    expectProblem(await caller.in(id, "SELECT 1"), 410, "transaction_expired");
    await expect.poll(open, patiently).toBe(0);
    expect(await notes()).toEqual([]);
  });

  test("a statement over its deadline is stopped at the server, and the transaction is over", async () => {
    const caller = ledger.as({ role: "hasty" });
    const id = await caller.opened();
    await caller.in(id, note, ["undone"]);
    const stopped = await caller.in(id, "SELECT SLEEP(20) AS too_long");
    expectProblem(stopped, 504, "deadline_exceeded");
    expect(stopped.body).toMatchObject({ detail: "The deadline is 500 ms.", transaction: "rolled_back" });
    const late = await caller.commit(id);
    expectProblem(late, 410, "transaction_ended");
    expect(late.body).toMatchObject({ reason: "deadline", transaction: "rolled_back" });
    await expect.poll(open, patiently).toBe(0);
    expect(await notes()).toEqual([]);
    expect((await caller.sql("SELECT 1")).status).toBe(200);
  });

  test("timeout_ms of a statement stops it sooner, and the transaction is over", async () => {
    const caller = ledger.as();
    const id = await caller.opened();
    await caller.in(id, note, ["undone"]);
    const stopped = await caller.in(id, "SELECT SLEEP(20) AS too_long", undefined, { timeout_ms: 300 });
    expectProblem(stopped, 504, "deadline_exceeded");
    expect(stopped.body).toMatchObject({ detail: "The deadline is 300 ms.", transaction: "rolled_back" });
    expect((await caller.commit(id)).body).toMatchObject({ code: "transaction_ended", reason: "deadline" });
    expect(await notes()).toEqual([]);
  });

  test("timeout_ms may be all that the grant gives, and no more; a refusal leaves the transaction as it is", async () => {
    const caller = ledger.as({ role: "hasty" });
    const id = await caller.opened();
    expect((await caller.in(id, note, ["kept"], { timeout_ms: 500 })).status).toBe(200);
    const refused = await caller.in(id, note, ["never"], { timeout_ms: 501 });
    expectProblem(refused, 400, "body_invalid");
    expect(refused.body.detail).toBe("timeout_ms: may be 500 at most for this grant");
    for (const timeout_ms of [0, 99, 1.5, "200", null])
      expectProblem(await caller.in(id, note, ["never"], { timeout_ms }), 400, "body_invalid");
    expect((await caller.commit(id)).status).toBe(200);
    expect(await notes()).toEqual(["kept"]);
  });

  test("a read with more rows than it may have ends it", async () => {
    const caller = ledger.as({ role: "few" });
    const id = await caller.opened();
    await caller.in(id, note, ["undone"]);
    const refused = await caller.in(id, "SELECT * FROM world.cities");
    expectProblem(refused, 413, "result_too_large");
    expect(refused.body.transaction).toBe("rolled_back");
    expect((await caller.commit(id)).body).toMatchObject({ code: "transaction_ended", reason: "abandoned" });
    await expect.poll(open, patiently).toBe(0);
    expect(await notes()).toEqual([]);
  });
});

describe("a lost connection", () => {
  const connectionId = "SELECT CAST(CONNECTION_ID() AS CHAR) AS id";

  test("while nothing runs: the next call says so", async () => {
    const caller = ledger.as();
    const id = await caller.opened();
    await caller.in(id, note, ["undone"]);
    await administrator.query(`KILL CONNECTION ${(await caller.in(id, connectionId)).body.rows[0].id}`);
    await expect.poll(open, patiently).toBe(0);
    for (const late of [
      await caller.in(id, "SELECT 1"),
      await caller.commit(id),
      await caller.rollback(id),
    ]) {
      expectProblem(late, 503, "transaction_lost");
      expect(late.body).toMatchObject({ retryable: false, transaction: "rolled_back" });
    }
    expect(await notes()).toEqual([]);
    const ids = [await caller.opened(), await caller.opened()];
    for (const another of ids) await caller.rollback(another);
  });

  test.each([
    ["a read", "SELECT SLEEP(20) AS killed"],
    ["a write", "INSERT INTO entries (account, note) SELECT SLEEP(20) AS killed, 'never'"],
  ])("while %s runs: the transaction is lost, and nothing is in doubt", async (_, sql) => {
    const caller = ledger.as();
    const id = await caller.opened();
    await caller.in(id, note, ["undone"]);
    const connection = (await caller.in(id, connectionId)).body.rows[0].id;
    const running = caller.in(id, sql);
    const isRunning = async () => {
      const [rows] = await administrator.query<RowDataPacket[]>(
        `SELECT COUNT(*) AS n FROM information_schema.processlist WHERE id = ${connection} AND info LIKE '%AS killed%'`,
      );
      return Number(rows[0]?.n);
    };
    await expect.poll(isRunning, { interval: 20 }).toBe(1);
    await administrator.query(`KILL CONNECTION ${connection}`);
    const lost = await running;
    expect(lost.status).toBe(503);
    expect(lost.body).toMatchObject({ code: "transaction_lost", transaction: "rolled_back" });
    expectProblem(await caller.commit(id), 503, "transaction_lost");
    await expect.poll(open, patiently).toBe(0);
    expect(await notes()).toEqual([]);
  });

  test("while COMMIT runs: its outcome is unknown, and stays so", async () => {
    const caller = ledger.as();
    const id = await caller.opened();
    await caller.in(id, note, ["perhaps"]);
    await restored(proxy);
    proxy.setDelayMs(150);
    const mark = proxy.mark();
    const running = caller.commit(id);
    await expect.poll(() => texts(mark.commands), { interval: 5 }).toContain("COMMIT");
    proxy.dropAll();
    proxy.setDelayMs(0);
    const unknown = await running;
    expectProblem(unknown, 503, "outcome_unknown");
    expect(unknown.body).toMatchObject({ retryable: false, transaction: "unknown" });
    expectProblem(await caller.commit(id), 503, "outcome_unknown");
  });

  test("before BEGIN is answered: nothing was begun, and it may be tried again", async () => {
    const caller = ledger.as();
    await caller.sql("SELECT 1");
    await restored(proxy);
    proxy.setDelayMs(150);
    const mark = proxy.mark();
    const beginning = caller.begin();
    await expect.poll(() => texts(mark.commands), { interval: 5 }).toContain("START");
    proxy.dropAll();
    proxy.setDelayMs(0);
    const lost = await beginning;
    expectProblem(lost, 503, "connection_lost");
    expect(lost.body.retryable).toBe(true);
    await caller.rollback(await caller.opened());
  });
});

async function abort(): Promise<void> {
  const name = encodeURIComponent(ledger.gateway.poolName("ledger"));
  expect((await ledger.gateway.fetch(`/test/abort?name=${name}`, { method: "PUT" })).status).toBe(204);
}

test("an object that ends takes its transactions along: they are unknown, and nothing is continued", async () => {
  const caller = ledger.as();
  const id = await caller.opened();
  await caller.in(id, note, ["undone"]);
  await abort();
  const late = await caller.in(id, note, ["alone"]);
  expectProblem(late, 404, "transaction_unknown");
  expectProblem(await caller.commit(id), 404, "transaction_unknown");
  await expect.poll(open, patiently).toBe(0);
  expect(await notes()).toEqual([]);
  await caller.rollback(await caller.opened());
});

test.each(["sql", "commit", "batch"] as const)(
  "an object that ends while it is at work: %s",
  async (what) => {
    const caller = ledger.as();
    const id = await caller.opened();
    await caller.in(id, note, ["kept or not"]);
    // The batch then finds an open connection.
    await caller.sql("SELECT 1");
    await restored(proxy);
    const mark = proxy.mark();
    proxy.setDelayMs(300);
    const working = {
      sql: () => caller.in(id, note, ["never"]),
      commit: () => caller.commit(id),
      batch: () => caller.batch([{ sql: note, params: ["never"] }]),
    }[what]();
    await expect.poll(() => mark.commands.length, { interval: 10 }).toBeGreaterThan(0);
    await abort();
    proxy.setDelayMs(0);
    const unknown = await working;
    expect(unknown.body).toMatchObject({ code: "outcome_unknown", retryable: false, status: 503 });
    expect(unknown.body.transaction).toBe(what === "batch" ? undefined : "unknown");
    expectProblem(await caller.in(id, note, ["alone"]), 404, "transaction_unknown");
    await expect.poll(open, patiently).toBe(0);
    expect((await notes()).filter((text) => text !== "kept or not")).toEqual([]);
  },
);
