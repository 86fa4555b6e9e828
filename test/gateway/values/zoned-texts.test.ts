import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer, engine, expectProblem } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, prepareLedger, startLedger } from "../support/ledger.ts";

/**
 * A time in the form of clients, sent as a plain string: how each server reads it, and what the gateway
 * answers.
 */

let administrator: Connection;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  await administrator.query("CREATE TABLE ledger.moments (id INT PRIMARY KEY, at DATETIME(3), note TEXT)");
  ledger = await startLedger();
  caller = ledger.as();
});
beforeEach(async () => {
  await administrator.query("DELETE FROM ledger.moments");
  await administrator.query("INSERT INTO ledger.moments VALUES (1, '2026-02-28 10:00:00', 'x')");
});
afterAll(async () => {
  await ledger?.gateway.close();
  await dropLedger(administrator);
  await administrator?.end();
});

const advice =
  engine === "mysql"
    ? 'send it as {"type": "DATETIME", "value": ..}'
    : 'send {"type": "DATETIME", "value": ..} in UTC, with Z.';
const typed = { type: "DATETIME", value: "2026-02-28T10:00:00Z" };
const insert = "INSERT INTO moments (id, at) VALUES (2, ?)";
const update = "UPDATE moments SET at = ? WHERE id = 1";

/** Each way to send a value. */
const ways: [string, (sql: string, value: unknown) => Promise<Answer>][] = [
  ["/v1/sql", (sql, value) => caller.sql(sql, [value])],
  ["/v1/batch", (sql, value) => caller.batch([{ sql, params: [value] }])],
  [
    "/v1/transactions",
    async (sql, value) => {
      const id = await caller.opened();
      const answer = await caller.in(id, sql, [value]);
      if (answer.status === 200) await caller.commit(id);
      else await caller.rollback(id);
      return answer;
    },
  ],
];

/** MySQL knows before the execution what the text is compared with, MariaDB only when it stores the text. */
function expectRefused(answer: Answer): void {
  const isKnown = engine === "mysql";
  expectProblem(answer, 400, isKnown ? "parameter_invalid" : "sql_error");
  expect([answer.body.reason, answer.body.errno]).toEqual(
    isKnown ? ["compared_with_date", undefined] : [undefined, 1292],
  );
  expect(answer.body.detail).toContain(advice);
}

/** TiDB reads `Z` and offsets, and converts them into the session's zone. */
const reads = engine === "tidb";

describe.each(ways)("%s: stored", (_, send) => {
  test.each([["2026-02-28T10:00:00Z"], ["2026-02-28T10:00:00.000Z"], ["2026-02-28 10:00:00Z"]])(
    "%s",
    async (text) => {
      for (const sql of [insert, update]) {
        const answer = await send(sql, text);
        if (reads) {
          expect(answer.status).toBe(200);
          continue;
        }
        expectRefused(answer);
        expect(answer.body.detail).not.toContain(text);
      }
      if (!reads) expect((await caller.sql("SELECT id FROM moments")).body.rows).toEqual([{ id: 1 }]);
    },
  );

  test("with the type that the advice says, or in words that are no moment", async () => {
    expect((await send(insert, typed)).status).toBe(200);
    const { body } = await caller.sql("SELECT id FROM moments WHERE at = ? ORDER BY id", [typed]);
    expect(body.rows).toEqual([{ id: 1 }, { id: 2 }]);
    const answer = await send(update, "yesterday");
    expectProblem(answer, 400, "sql_error");
    expect(answer.body.detail).not.toContain(advice);
  });
});

describe("compared", () => {
  const text = "2026-02-28T10:00:00Z";
  test.each([
    "SELECT id FROM moments WHERE at = ?",
    "SELECT id FROM moments WHERE at >= ? FOR UPDATE",
    "DELETE FROM moments WHERE at < ?",
    "UPDATE IGNORE moments SET note = 'y' WHERE at IN (?)",
  ])("%s", async (sql) => {
    const answer = await caller.sql(sql, [text]);
    if (reads) {
      expect(answer.status).toBe(200);
      return;
    }
    expectProblem(answer, 400, "parameter_invalid");
    expect(answer.body.detail).toContain('{"type": "DATETIME", "value": ');
    expect((await caller.sql("SELECT note FROM moments")).body.rows).toEqual([{ note: "x" }]);
    expect((await caller.sql(sql, [typed])).status).toBe(200);
  });
});

test("an offset is stored in UTC by MySQL and TiDB, and refused with the same words by MariaDB", async () => {
  const answer = await caller.sql(insert, ["2026-02-28T11:00:00+01:00"]);
  if (engine === "mariadb") {
    expectProblem(answer, 400, "sql_error");
    expect(answer.body.detail).toContain(advice);
  } else {
    const { body } = await caller.sql("SELECT at FROM moments WHERE id = 2");
    expect(body.rows).toEqual([{ at: "2026-02-28 10:00:00.000" }]);
  }
});

test("a text column takes the text as it is", async () => {
  const text = "2026-02-28T10:00:00Z";
  await caller.sql("UPDATE moments SET note = ? WHERE id = 1", [text]);
  const { body } = await caller.sql("SELECT note FROM moments WHERE note = ?", [text]);
  expect(body.rows).toEqual([{ note: text }]);
});
