import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { limits } from "../../../src/limits.ts";
import { restored } from "../support/commands.ts";
import type { Gateway } from "../support/harness.ts";
import {
  databaseServer,
  expectProblem,
  issuers,
  read,
  startGateway,
  startProxy,
  testAccount,
} from "../support/harness.ts";

/**
 * When TiDB prepares a statement, it executes functions of constants and subqueries that depend on nothing
 * outside.
 */

const grant = { issuer: issuers.remote, deadline_ms: 700 };

let administrator: Connection;
let proxy: CountingProxy;
let gateway: Gateway;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await administrator.query("USE world");
  await administrator.query(
    "CREATE OR REPLACE VIEW hidden AS SELECT GET_LOCK('prepare_view', 0) AS taken, LAST_INSERT_ID(77) AS id",
  );
  await administrator.query("DO RELEASE_ALL_LOCKS()");
  proxy = await startProxy();
  const one = { connections_per_shard: 1 };
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${proxy.port}`] },
    accounts: {
      analyst: testAccount("analyst", one),
      editor: testAccount("editor", { connections_per_shard: 2, connections_per_caller: 2 }),
    },
    grants: [
      { issuer: issuers.remote, claims: { role: "patient" }, account: "analyst", allow: ["sql:read"] },
      { ...grant, claims: { role: "analyst" }, account: "analyst", allow: ["sql:read"] },
      {
        ...grant,
        claims: { role: "editor" },
        account: "editor",
        allow: ["sql:read", "sql:write", "transaction"],
      },
    ],
  });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
  await administrator?.query("DROP VIEW IF EXISTS world.hidden");
  await administrator?.end();
});
beforeEach(() => restored(proxy));

const held = "prepare_held";
const endless =
  "(SELECT COUNT(*) FROM cities AS a JOIN cities AS b ON a.id <> b.id JOIN cities AS c ON b.id <> c.id)";
const waiting = {
  lock: `SELECT GET_LOCK('${held}', 30) AS n`,
  sleep: "SELECT (SELECT SLEEP(30)) AS n",
  join: `SELECT code FROM countries WHERE code = ${endless}`,
};
const write = `INSERT INTO notes (city_id, body, author) SELECT 1, 'prepare', 1 FROM countries WHERE GET_LOCK('${held}', 30) = 1 LIMIT 1`;

/** Runs `work` while another session holds the lock. */
async function whileHeld(work: () => Promise<void>): Promise<void> {
  await administrator.query(`SELECT GET_LOCK('${held}', 0)`);
  try {
    await work();
  } finally {
    await administrator.query("DO RELEASE_ALL_LOCKS()");
  }
}
const free = async (name: string) => {
  const [[row]] = await administrator.query<RowDataPacket[]>("SELECT IS_FREE_LOCK(?) AS free", [name]);
  return row?.free;
};
/**
 * During its PREPARE a statement is not in TiDB's process list. The test knows that it has ended when its
 * connection serves again.
 */
async function servesOn(role: string, opened: number): Promise<void> {
  expect((await gateway.sql({ sql: "SELECT 1" }, { role })).status).toBe(200);
  expect(proxy.accepted).toBe(opened);
}

/**
 * @returns the number of opened connections, after all are open: the pooled ones, and the one that sends
 * KILLs
 */
async function opened(role: string): Promise<number> {
  const late = { sql: "SELECT SLEEP(30)", timeout_ms: 300 };
  await Promise.all([late, late].map((body) => gateway.sql(body, { role })));
  await gateway.sql({ sql: "SELECT 1" }, { role });
  return proxy.accepted;
}

describe.each(["sleep", "join"] as const)(
  "what hangs as it is prepared (%s) ends at its deadline",
  (name) => {
    const sql = waiting[name];

    test("alone", async () => {
      const before = await opened("analyst");
      expectProblem(await gateway.sql({ sql }), 504, "deadline_exceeded");
      await servesOn("analyst", before);
    });

    test("as the third statement of a batch", async () => {
      const before = await opened("analyst");
      const statements = [{ sql: "SELECT 1" }, { sql: "SELECT 2" }, { sql }];
      expectProblem(await gateway.sql({ statements }, { path: "/v1/batch" }), 504, "deadline_exceeded");
      await servesOn("analyst", before);
    });

    test("in a transaction, which is rolled back", async () => {
      const role = "editor";
      const before = await opened(role);
      const begun = await gateway.sql({}, { role, path: "/v1/transactions" });
      const path = `/v1/transactions/${begun.body.id}`;
      const late = await gateway.sql({ sql }, { role, path: `${path}/sql` });
      expectProblem(late, 504, "deadline_exceeded");
      expect(late.body.transaction).toBe("rolled_back");
      await servesOn(role, before);
    });

    test("or when it is cancelled, or its caller goes away", async () => {
      const before = await opened("analyst");
      const id = randomUUID();
      const bearer = async (role: string) => `Bearer ${await gateway.token({ role })}`;
      // The same account with a longer deadline, which does not end the statement first on a busy machine.
      const authorization = await bearer("patient");
      const post = (by: string, signal?: AbortSignal) =>
        gateway.fetch("/v1/sql", {
          method: "POST",
          headers: { authorization: by, "content-type": "application/json", "x-request-id": id },
          body: JSON.stringify({ sql }),
          ...(signal && { signal }),
        });
      const prepares = () => proxy.commands().filter(({ text }) => text === sql).length;
      const answer = post(authorization);
      await expect.poll(prepares).toBeGreaterThan(0);
      await sleep(50);
      const stopped = await gateway.fetch(`/v1/requests/${id}`, {
        method: "DELETE",
        headers: { authorization },
      });
      expect(await stopped.json()).toEqual({ stopped: 1 });
      expectProblem(await read(await answer), 409, "request_cancelled");
      await servesOn("analyst", before);
      const leaving = new AbortController();
      const left = post(await bearer("analyst"), leaving.signal);
      left.catch(() => {});
      await sleep(100);
      leaving.abort();
      await servesOn("analyst", before);
    });
  },
);

test("TiDB does not end a GET_LOCK that waits: its caller is told in time, and another connection serves", () =>
  whileHeld(async () => {
    expectProblem(await gateway.sql({ sql: waiting.lock }), 504, "deadline_exceeded");
    expect((await gateway.sql({ sql: "SELECT 1" })).status).toBe(200);
  }));

test("a write that hangs as it is prepared ends at its deadline, and nothing is written", () =>
  whileHeld(async () => {
    expectProblem(await gateway.sql({ sql: write }, { role: "editor" }), 504, "deadline_exceeded");
    const count = { sql: "SELECT COUNT(*) AS n FROM notes WHERE body = 'prepare'" };
    expect((await gateway.sql(count, { role: "editor" })).body.rows).toEqual([{ n: "0" }]);
  }));

describe("a hot statement leaves nothing to the next caller", () => {
  const role = "patient";
  async function heat(sql: string, params: unknown[] = []): Promise<void> {
    for (let i = 0; i < limits.hotStatementWindow / 4; i++)
      expect((await gateway.sql({ sql, params }, { role })).status).toBe(200);
    await restored(proxy);
  }

  test.each([
    ["a lock", "SELECT GET_LOCK('prepare_hot', 0) AS n", "prepare_hot"],
    ["a lock that a view takes", "SELECT taken, id FROM hidden", "prepare_view"],
  ])("%s", async (_, sql, name) => {
    await heat(sql);
    expect(await free(name)).toBe(1);
  });

  test.each([
    ["LAST_INSERT_ID()", "SELECT LAST_INSERT_ID(42) AS n"],
    ["LAST_INSERT_ID() of a view", "SELECT taken, id FROM hidden"],
  ])("%s", async (_, sql) => {
    await heat(sql);
    expect((await gateway.sql({ sql: "SELECT LAST_INSERT_ID() AS n" })).body.rows).toEqual([{ n: "0" }]);
  });

  test("nor keeps it waiting: a lock that another session has meanwhile", async () => {
    const taken = { sql: `SELECT GET_LOCK('${held}', ?) AS n`, params: [0] };
    await heat(taken.sql, taken.params);
    const opened = proxy.accepted;
    await whileHeld(async () => {
      for (let i = 0; i < 3; i++) {
        const { status } = await gateway.sql(taken, { role });
        expect(status).toBe(200);
      }
      await restored(proxy);
    });
    expect(proxy.accepted).toBe(opened);
  });
});
