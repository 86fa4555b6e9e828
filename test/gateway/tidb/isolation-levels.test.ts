import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connect, connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { restored } from "../support/commands.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer, expectProblem, issuers, startProxy } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, ledgerGrants, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";
import { drain } from "../support/logins.ts";

/** The rules of docs/reference/http.md about isolation on TiDB, in batches and in transactions. */

let administrator: Connection;
let proxy: CountingProxy;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  proxy = await startProxy();
  const operator = {
    issuer: issuers.remote,
    claims: { role: "operator" },
    account: "ledger",
    allow: ["operate"],
  };
  ledger = await startLedger(
    {},
    { cluster: { hosts: [`localhost:${proxy.port}`] }, grants: [...ledgerGrants, operator] },
  );
  caller = ledger.as();
});
afterAll(async () => {
  await ledger?.gateway.close();
  await proxy?.stop();
  await dropLedger(administrator);
  await administrator?.end();
});
beforeEach(() => resetLedger(administrator));

const read = { sql: "SELECT amount FROM balances WHERE id = 1" };
const add = { sql: "UPDATE balances SET amount = amount + ? WHERE id = 1", params: [5] };
/** The change that another session makes meanwhile. */
const others = () => administrator.query("UPDATE ledger.balances SET amount = amount + 20 WHERE id = 1");

async function amount(): Promise<number> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT amount FROM ledger.balances WHERE id = 1",
  );
  return rows[0]?.amount;
}

let disturbances = 0;

interface Locks {
  seen: string;
  pause: string;
}

/**
 * Sends statements that take the lock `seen` and then wait for the lock `pause`, while another session
 * changes the balance. These user locks do not belong to the transaction. The first one shows that the
 * balance has been read, the second one holds the caller.
 */
async function whileDisturbed(send: (locks: Locks) => Promise<Answer>): Promise<Answer> {
  disturbances += 1;
  const [seen, pause] = [`seen ${disturbances}`, `pause ${disturbances}`];
  await administrator.query("SELECT GET_LOCK(?, 0)", [pause]);
  const answer = send({ seen, pause });
  const isSeen = async () => {
    const [rows] = await administrator.query<RowDataPacket[]>("SELECT IS_FREE_LOCK(?) AS free", [seen]);
    return Number(rows[0]?.free) === 0;
  };
  await expect.poll(isSeen).toBe(true);
  await others();
  await administrator.query("SELECT RELEASE_LOCK(?)", [pause]);
  return await answer;
}

/** The values are parameters, because TiDB calls a function of constants during the PREPARE. */
const getLock = (name: string, seconds: number) => [name, { type: "INTEGER", value: seconds }];

/**
 * Sends a batch that begins with a read and then waits, while another session changes the row.
 * @param rest the statements after that: from result 3 on
 */
async function disturbed(rest: unknown[], more: Record<string, unknown> = {}) {
  const lock = (name: string, seconds: number) => ({
    sql: "SELECT GET_LOCK(?, ?) AS locked",
    params: getLock(name, seconds),
  });
  return await whileDisturbed(({ seen, pause }) =>
    caller.batch([read, lock(seen, 0), lock(pause, 30), ...rest], more),
  );
}

/**
 * Adds 5 by one statement of `/v1/sql`. Another session changes the balance after the statement has read
 * it.
 */
async function disturbedAlone() {
  // The sum takes its first lock first. TiDB would call a function that depends on no column before it
  // reads the row.
  const lock = "GET_LOCK(IF(amount < 0, '', ?), ?)";
  const sql = `${add.sql} AND ${lock} + ${lock} = 2`;
  return await whileDisturbed(({ seen, pause }) =>
    caller.sql(sql, [...add.params, ...getLock(seen, 0), ...getLock(pause, 30)]),
  );
}

describe.each(["read uncommitted", "serializable"])("%s, which TiDB does not have", (isolation) => {
  afterEach(() => administrator.query("SET GLOBAL tidb_skip_isolation_level_check = OFF"));

  test.each(["OFF", "ON"])(
    "is refused, and nothing is sent (tidb_skip_isolation_level_check = %s)",
    async (skip) => {
      await administrator.query(`SET GLOBAL tidb_skip_isolation_level_check = ${skip}`);
      // If the statements were prepared, they would be sent together with the beginning of the batch.
      for (let i = 0; i < 3; i++) expect((await caller.batch([add])).status).toBe(200);
      await restored(proxy);
      const before = await amount();
      const mark = proxy.mark();
      for (const answer of [await caller.batch([add], { isolation }), await caller.begin({ isolation })]) {
        expectProblem(answer, 400, "body_invalid");
        expect(answer.body.detail).toBe(
          "isolation: TiDB has read committed and repeatable read only (its error 8048)",
        );
      }
      expect(mark.commands).toEqual([]);
      expect(await amount()).toBe(before);
    },
  );
});

test("the reason: where TiDB is told to take serializable, two transactions break what each has looked at", async () => {
  const { administrator: root } = databaseServer();
  const two = await Promise.all([1, 2].map(() => connect(databaseServer(), root.user, root.password)));
  try {
    for (const one of two) {
      await one.query("SET SESSION tidb_skip_isolation_level_check = ON");
      await one.query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
      await one.query("START TRANSACTION");
      const [rows] = await one.query<RowDataPacket[]>("SELECT SUM(amount) AS sum FROM ledger.balances");
      expect(Number(rows[0]?.sum)).toBe(200);
    }
    for (const [index, one] of two.entries()) {
      await one.query("UPDATE ledger.balances SET amount = 0 WHERE id = ?", [index + 1]);
      await one.query("COMMIT");
    }
    expect(await amount()).toBe(0);
  } finally {
    for (const one of two) await one.end();
  }
});

describe("pessimistic transactions, TiDB's default", () => {
  test.each([
    ["repeatable read", 100],
    ["read committed", 120],
    [undefined, 100],
  ])(
    "a batch with the isolation %s reads %i when somebody else has changed it",
    async (isolation, second) => {
      const { status, body } = await disturbed([read], { isolation });
      expect(status).toBe(200);
      expect([0, 3].map((index) => body.results[index].rows[0].amount)).toEqual([100, second]);
    },
  );

  test.each(["repeatable read", "read committed"])(
    "a write meets what is committed by then (%s), and what it writes is kept",
    async (isolation) => {
      const { status, body } = await disturbed([add, read], { isolation });
      expect(status).toBe(200);
      expect(body.results[4].rows[0].amount).toBe(125);
      expect(await amount()).toBe(125);
    },
  );

  test("a caller who relies on a read locks it (FOR UPDATE): the other one waits", async () => {
    const looker = ledger.as({ sub: "looker" });
    const id = await looker.opened();
    const locked = await looker.in(id, `${read.sql} FOR UPDATE`);
    expect(locked.body.rows).toEqual([{ amount: 100 }]);
    const waiting = caller.sql(add.sql, add.params);
    await sleep(300);
    expect(await amount()).toBe(100);
    expect((await looker.commit(id)).status).toBe(200);
    expect((await waiting).status).toBe(200);
    expect(await amount()).toBe(105);
  });
});

describe("optimistic transactions (tidb_txn_mode)", () => {
  // The store of these tests shows a commit of one write (1PC) too late to concurrent reads, and so loses
  // updates that meet. TiKV does not: it makes such a read wait.
  const setMode = async (mode: "optimistic" | "pessimistic", onePhase: "ON" | "OFF") => {
    await administrator.query(`SET GLOBAL tidb_txn_mode = '${mode}', GLOBAL tidb_enable_1pc = ${onePhase}`);
    // Idle sessions took the server's value at their last reset.
    expect((await drain(ledger.gateway)).status).toBe(200);
  };
  /** @param limit how often TiDB tries a statement again; default: 10 */
  const setRetries = async (limit: 0 | "DEFAULT") => {
    await administrator.query(`SET GLOBAL tidb_retry_limit = ${limit}`);
    expect((await drain(ledger.gateway)).status).toBe(200);
  };
  /** The change has not happened, and may be sent again. */
  const expectLost = (answer: Answer) => {
    expectProblem(answer, 409, "sql_transient");
    expect(answer.body.retryable).toBe(true);
  };
  beforeAll(() => setMode("optimistic", "OFF"));
  afterAll(() => setMode("pessimistic", "ON"));

  test("a transaction that loses a race is told at its COMMIT, and has not happened", async () => {
    const id = await caller.opened();
    expect((await caller.in(id, add.sql, add.params)).status).toBe(200);
    await others();
    const lost = await caller.commit(id);
    expectProblem(lost, 409, "sql_transient");
    // The server's message names the row by its key.
    const told = { errno: 9007, retryable: true, transaction: "rolled_back", detail: "Write conflict" };
    expect(lost.body).toMatchObject(told);
    expect(await amount()).toBe(120);
  });

  test("a batch likewise; sent again it happens once", async () => {
    const lost = await disturbed([add]);
    expectLost(lost);
    expect(lost.body.errno).toBe(9007);
    expect(await amount()).toBe(120);
    expect((await caller.batch([read, add])).status).toBe(200);
    expect(await amount()).toBe(125);
  });

  test("read committed is taken, and is snapshot isolation", async () => {
    const { status, body } = await disturbed([read], { isolation: "read committed" });
    expect(status).toBe(200);
    expect([0, 3].map((index) => body.results[index].rows[0].amount)).toEqual([100, 100]);
  });

  describe.each([
    ["DEFAULT", 200, 125],
    [0, 409, 120],
  ] as const)("a statement of its own that loses a race (tidb_retry_limit = %s)", (limit, status, left) => {
    beforeAll(() => setRetries(limit));
    afterAll(() => setRetries("DEFAULT"));

    test(`is answered ${status}`, async () => {
      const answer = await disturbedAlone();
      expect(answer.status, JSON.stringify(answer.body)).toBe(status);
      if (status !== 200) expectLost(answer);
      expect(await amount()).toBe(left);
    });
  });

  test("statements of their own, at once: what is answered 200 is kept, and nothing else happens", async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => caller.sql(add.sql, add.params)));
    // How many statements TiDB gives up depends on the machine's load.
    const done = answers.filter(({ status }) => status === 200).length;
    for (const answer of answers) if (answer.status !== 200) expectLost(answer);
    expect(done).toBeGreaterThan(0);
    expect(await amount()).toBe(100 + 5 * done);
  });
});
