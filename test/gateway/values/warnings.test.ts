import { randomUUID } from "node:crypto";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { errPacket, frame } from "../../../servers/wire/packets.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import type { Trick } from "../../../servers/wire/tampering.ts";
import { TrickMeddler } from "../../../servers/wire/tampering.ts";
import { limits } from "../../../src/limits.ts";
import { databaseServer, engine, issuers, startProxy } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";
import type { Lines } from "../support/lines.ts";
import { inLines } from "../support/lines.ts";
import type { ThroughHyperdrive } from "../support/through-hyperdrive.ts";
import { startThroughHyperdrive } from "../support/through-hyperdrive.ts";

/**
 * The gateway asks for a statement's warnings on every engine and every link. If the server does not show
 * its warnings, a read in which a number could have met a text is refused.
 */

let administrator: Connection;
let proxy: CountingProxy;
let ledger: Ledger;
let caller: LedgerCaller;
let hyperdrive: ThroughHyperdrive;
/** The trick for answers to SHOW WARNINGS. */
let trick: Trick | undefined;

const isQuestion = (sql: string) => sql.startsWith("SHOW WARNINGS ");

/** Replaces the whole answer by an error. */
const refuse: Trick = ({ sequence }, { index }) => ({
  send: index === 0 ? frame(sequence, errPacket(1064, "no such question")) : Buffer.alloc(0),
});
const cut: Trick = () => ({ send: Buffer.alloc(0), after: "cut" });

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  proxy = await startProxy({
    meddle: (client) =>
      new TrickMeddler(client, (packet, spot) =>
        spot.command === "COM_QUERY" && isQuestion(spot.text) ? trick?.(packet, spot) : undefined,
      ),
  });
  const own = { hosts: [`localhost:${proxy.port}`] };
  ledger = await startLedger({ connections_per_shard: 2 }, { cluster: own });
  caller = ledger.as();
  hyperdrive = await startThroughHyperdrive({
    grants: [
      { issuer: issuers.remote, claims: { role: "analyst" }, account: "analyst", allow: ["sql:read"] },
    ],
  });
});
beforeEach(async () => {
  trick = undefined;
  hyperdrive.standIns.analyst.react();
  await resetLedger(administrator);
});
afterAll(async () => {
  await ledger?.gateway.close();
  await hyperdrive?.close();
  await proxy?.stop();
  await dropLedger(administrator);
  await administrator?.end();
});

const declared = { type: "INTEGER", value: 1 };
const divided = "SELECT amount / (amount - amount) AS q FROM balances WHERE id = ? + 0";
const insert = { sql: "INSERT INTO entries (account, note) VALUES (7, 'more')" };
const zero = { level: "Warning", code: 1365, message: "Division by 0" };

async function entries(): Promise<number> {
  return Number((await alone("SELECT COUNT(*) AS n FROM entries")).body.rows[0].n);
}

const alone = (sql: string, params: unknown[] = []) =>
  inLines(ledger.gateway, { sql, params }, { role: "writer" });
const within = (id: string, sql: string, params: unknown[] = []) =>
  inLines(ledger.gateway, { sql, params }, { role: "writer", path: `/v1/transactions/${id}/sql` });
const throughHyperdrive = (sql: string, params: unknown[] = []) =>
  inLines(hyperdrive.gateway, { sql, params });

describe("are told", () => {
  test("of a single statement, in a transaction, and by a batch that has to know them", async () => {
    for (let time = 0; time < 3; time++) {
      expect((await alone(divided, [declared])).body).toMatchObject({
        rows: [{ q: null }],
        warnings: [zero],
      });
      expect((await alone("SELECT 8 / 2 AS q", [])).body.warnings).toEqual([]);
    }
    const id = await caller.opened();
    for (let time = 0; time < 3; time++) {
      expect((await within(id, divided, [1])).body.warnings).toEqual([zero]);
      expect((await within(id, "SELECT 8 / 2 AS q")).body.warnings).toEqual([]);
    }
    await caller.commit(id);
    const answer = await caller.batch([
      { sql: divided, params: [1] },
      { sql: "SELECT 1 AS one" },
      { sql: divided, params: [1] },
    ]);
    expect(answer.body.results.map(({ warnings }: { warnings: unknown }) => warnings)).toEqual([
      [zero],
      [],
      [zero],
    ]);
  });

  test("through Hyperdrive, again and again over the same server's connection", async () => {
    const sql = "SELECT population / (population - population) AS q FROM cities WHERE id > ? LIMIT 40";
    for (let time = 0; time < 4; time++) {
      const { body } = await throughHyperdrive(sql, [1]);
      expect(body.warnings).toEqual(Array(40).fill(zero));
    }
    expect(hyperdrive.standIns.analyst.opened).toBe(1);
  });

  test("through Hyperdrive, where a number would match every text as well", async () => {
    for (const value of [0, false, 0.5]) {
      const answer = await throughHyperdrive("SELECT name FROM countries WHERE name = ?", [value]);
      expectRefused(answer, 400, "parameter_invalid", { reason: "compared_with_text", retryable: false });
    }
  });

  test("by TiDB without what it says of its plans", async () => {
    const told = async (sql: string, params: unknown[]) => (await alone(sql, params)).body.warnings;
    // With each of these executions TiDB gives the warning "skip prepared plan-cache: ..".
    expect(await told("SELECT id FROM balances WHERE id = ?", [{ type: "DOUBLE", value: 0.5 }])).toEqual([]);
    expect(await told("SELECT id FROM balances LIMIT ?", [20_000])).toEqual([]);
    expect(await told("SHOW COLUMNS FROM balances", [])).toEqual([]);
    expect(await told("SELECT id FROM balances WHERE id = 1 AND COALESCE(?, 1) > 1", [1])).toEqual([]);
  });
});

function expectRefused({ status, body }: Lines, expected: number, code: string, more: object = {}): void {
  expect({ status, body }).toMatchObject({ status: expected, body: { status: expected, code, ...more } });
}

const expectUnread = (answer: Lines) =>
  expectRefused(answer, 400, "parameter_invalid", { reason: "warnings_unread", retryable: false });

describe("that are too many to be read", () => {
  const most = limits.warnings;

  test("refuse the read of a number that could have met a text, and no other", async () => {
    const many = Array.from({ length: most + 10 }, (_, i) => `(${i + 10}, 1)`);
    await administrator.query(`REPLACE INTO ledger.balances VALUES ${many.join()}`);
    const all = divided.replace("id =", "id >=");
    try {
      expectUnread(await alone(all, [10]));
      const batch = await caller.batch([insert, { sql: all, params: [10] }]);
      expectUnread(batch);
      expect([batch.body.statement, await entries()]).toEqual([1, 0]);
      const told = await alone(all, [{ type: "INTEGER", value: 10 }]);
      expect(told.body.warnings).toEqual(Array(most).fill(zero));
      expect((await alone(`${all} AND id < ${10 + most}`, [10])).body.warnings).toHaveLength(most);
    } finally {
      await administrator.query("DELETE FROM ledger.balances WHERE id >= 10");
    }
  });

  // The driver reads a number beyond 32,767 as a negative one.
  test("through Hyperdrive, 50,000 of them", async () => {
    const sql =
      "SELECT COUNT(population / (population - population)) AS n FROM cities JOIN (SELECT code FROM countries LIMIT 10) AS ten WHERE id > ?";
    expectUnread(await throughHyperdrive(sql, [1]));
    const { status, body } = await throughHyperdrive(sql, [declared]);
    expect([status, body.rows, body.warnings.length]).toEqual([200, [{ n: "0" }], most]);
  });
});

describe("that the server refuses to tell", () => {
  test("refuse the read of a number that could have met a text, and no other", async () => {
    trick = refuse;
    for (let time = 0; time < 3; time++) expectUnread(await alone(divided, [1]));
    const told = await alone(divided, [declared]);
    expect([told.status, told.body.warnings]).toEqual([200, null]);
    expect((await alone("SELECT amount FROM balances WHERE id = ?", [1])).status).toBe(200);
  });

  test("in a batch: nothing is applied", async () => {
    trick = refuse;
    const answer = await caller.batch([insert, { sql: divided, params: [1] }, insert]);
    expectUnread(answer);
    expect(answer.body.statement).toBe(1);
    expect(await entries()).toBe(0);
  });

  test("in a transaction: it stays open", async () => {
    const id = await caller.opened();
    await within(id, insert.sql);
    trick = refuse;
    const answer = await within(id, divided, [1]);
    expectUnread(answer);
    expect(answer.body.transaction).toBe("open");
    expect((await caller.commit(id)).status).toBe(200);
    expect(await entries()).toBe(1);
  });

  test("through Hyperdrive", async () => {
    const sql = "SELECT population / (population - population) AS q FROM cities WHERE id > ? LIMIT 1";
    hyperdrive.standIns.analyst.react((text) =>
      isQuestion(text) ? { errno: 1064, message: "no such question" } : "forward",
    );
    expectUnread(await throughHyperdrive(sql, [1]));
    const told = await throughHyperdrive(sql, [declared]);
    expect([told.status, told.body.warnings]).toEqual([200, null]);
  });
});

describe("that are lost with the connection", () => {
  test("refuse the read of a number that could have met a text: it may come again", async () => {
    trick = cut;
    const answer = await alone(divided, [1]);
    expectRefused(answer, 503, "connection_lost", { retryable: true });
    const told = await alone(divided, [declared]);
    expect([told.status, told.body.warnings]).toEqual([200, null]);
    trick = undefined;
    expect((await alone(divided, [1])).body.warnings).toEqual([zero]);
  });

  test("in a batch: nothing is applied", async () => {
    trick = cut;
    const answer = await caller.batch([insert, { sql: divided, params: [1] }]);
    expectRefused(answer, 503, "connection_lost");
    trick = undefined;
    expect(await entries()).toBe(0);
  });

  test("in a transaction: it is rolled back", async () => {
    const id = await caller.opened();
    await within(id, insert.sql);
    trick = cut;
    const answer = await within(id, divided, [1]);
    expectRefused(answer, 503, "transaction_lost");
    expect(answer.body.transaction).toBe("rolled_back");
    trick = undefined;
    expect(await entries()).toBe(0);
  });

  test("through Hyperdrive", async () => {
    hyperdrive.standIns.analyst.react((text) => (isQuestion(text) ? "cut" : "forward"));
    const sql = "SELECT population / (population - population) AS q FROM cities WHERE id > ? LIMIT 1";
    expectRefused(await throughHyperdrive(sql, [1]), 503, "connection_lost");
  });
});

describe.runIf(engine === "mariadb")("a DELETE that MariaDB only warns of", () => {
  const remove = "DELETE FROM entries WHERE account = ? AND note = ?";

  test.each([
    ["is taken back where its warnings cannot be told", refuse, 400, "parameter_invalid"],
    ["is not committed where they are lost", cut, 503, "connection_lost"],
  ])("%s", async (_, what, status, code) => {
    await administrator.query("INSERT INTO ledger.entries (account, note) VALUES (7, 'abc'), (7, 'xyz')");
    trick = what;
    expectRefused(await alone(remove, [7, 0]), status, code);
    trick = undefined;
    expect(await entries()).toBe(2);
  });
});

test("a statement that has warned is stopped as every other: its connection serves on", async () => {
  const sql = `SELECT amount / (amount - amount) AS q, SLEEP(?) AS s, '${randomUUID()}' AS mark FROM balances WHERE id = 1`;
  const timed = async (seconds: number) =>
    await ledger.gateway.sql(
      { sql, params: [{ type: "INTEGER", value: seconds }], timeout_ms: 1_000 },
      { role: "writer" },
    );
  expect((await timed(0)).body.warnings).toEqual([zero]);
  const mark = proxy.mark();
  expectRefused(await timed(30), 504, "deadline_exceeded");
  expect((await timed(0)).body.warnings).toEqual([zero]);
  const said = mark.commands.map(({ command, text = "" }) => (text.startsWith("KILL") ? text : command));
  const kills = said.filter((one) => one.startsWith("KILL"));
  expect(kills).toEqual([expect.stringMatching(/^KILL QUERY \d+$/)]);
  expect(said.slice(said.indexOf(kills[0] ?? ""))).toContain("COM_RESET_CONNECTION");
});
