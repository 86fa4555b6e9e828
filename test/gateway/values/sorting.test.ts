import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer, engine, expectProblem } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, ledgerGrants, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

/**
 * A parameter is a value. It is not a column to sort by, and a repeated expression with it is not the same
 * expression.
 */

const queries = {
  grouped:
    "-- @param n integer\nSELECT amount + :n AS more, COUNT(*) AS n FROM balances GROUP BY amount + :n",
  aliased: "-- @param n integer\nSELECT amount + :n AS more, COUNT(*) AS n FROM balances GROUP BY more",
};

let administrator: Connection;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  await resetLedger(administrator);
  ledger = await startLedger(
    // MariaDB's default sql_mode does not have this mode. With it MariaDB answers 1055, like the others.
    { sql_mode: ["ONLY_FULL_GROUP_BY", "STRICT_TRANS_TABLES"] },
    {
      queries: Object.entries(queries).map(([name, text]) => ({ name: `${name}.sql`, text })),
      grants: ledgerGrants.map((grant) => ({ ...grant, allow: [...(grant.allow as string[]), "query:*"] })),
    },
  );
  caller = ledger.as();
});
afterAll(async () => {
  await ledger?.gateway.close();
  await dropLedger(administrator);
  await administrator?.end();
});

describe("a parameter to sort by", () => {
  test.each([
    "SELECT id FROM balances ORDER BY ?",
    "SELECT id FROM balances ORDER BY (?) DESC",
    "SELECT COUNT(*) FROM balances GROUP BY ?",
    "SELECT GROUP_CONCAT(id ORDER BY ?) FROM balances",
    "SELECT * FROM (SELECT id FROM balances ORDER BY ? LIMIT 1) x",
    "SELECT ROW_NUMBER() OVER (ORDER BY ?) FROM balances",
    "DELETE FROM balances ORDER BY ? LIMIT 1",
  ])("is refused, alone, in a batch and in a transaction: %s", async (sql) => {
    const expectRefused = (answer: Answer): void => {
      expectProblem(answer, 400, "statement_refused");
      expect(answer.body.reason).toBe("sorted_by_parameter");
    };
    expectRefused(await caller.sql(sql, ["id"]));
    expectRefused(await caller.batch([{ sql, params: ["id"] }]));
    const id = await caller.opened();
    expectRefused(await caller.in(id, sql, ["id"]));
    await caller.rollback(id);
    expect((await caller.sql("SELECT COUNT(*) AS n FROM balances")).body.rows).toEqual([{ n: "2" }]);
  });

  test("may choose a column, and how many rows", async () => {
    const sql = "SELECT id FROM balances ORDER BY CASE ? WHEN 'id' THEN -id ELSE id END LIMIT ?";
    const ids = async (by: string) => (await caller.sql(sql, [by, 2])).body.rows;
    expect(await ids("id")).toEqual([{ id: 2 }, { id: 1 }]);
    expect(await ids("amount")).toEqual([{ id: 1 }, { id: 2 }]);
  });
});

describe("a named parameter in SELECT and in GROUP BY", () => {
  const sql = "SELECT amount + :n AS more, COUNT(*) AS n FROM balances GROUP BY amount + :n";
  const aliased = sql.replace(/GROUP BY .*/, "GROUP BY more");

  test("is 1055, which says what to do", async () => {
    const expectAdvice = (answer: Answer): void => {
      expectProblem(answer, 400, "sql_error");
      expect(answer.body).toMatchObject({
        errno: 1055,
        detail: expect.stringMatching(/alias.*derived table/),
      });
    };
    expectAdvice(await caller.sql(sql, { n: 1 }));
    expectAdvice(await caller.batch([{ sql: "SELECT 1" }, { sql, params: { n: 1 } }]));
    const id = await caller.opened();
    expectAdvice(await caller.in(id, sql, { n: 1 }));
    expect((await caller.in(id, aliased, { n: 1 })).status).toBe(200);
    await caller.rollback(id);
  });

  test("is the operator's to mend in a saved query, and the log says how", async () => {
    const answer = await saved("grouped");
    expectProblem(answer, 500, "query_broken");
    expect(JSON.stringify(answer.body)).not.toContain("1055");
    await expect
      .poll(() => ledger.gateway.logs().map(({ message }) => message))
      .toContainEqual(expect.stringMatching(/query_broken.*1055.*derived table/));
    expect((await saved("aliased")).body.rows.map(({ n }: { n: string }) => n)).toEqual(["2"]);
  });

  test.runIf(engine === "mysql")("MySQL says it of DISTINCT and HAVING too", async () => {
    for (const [text, errno] of [
      ["SELECT DISTINCT amount + :n AS more FROM balances ORDER BY amount + :n", 3065],
      ["SELECT COUNT(*) FROM balances GROUP BY amount + :n HAVING amount + :n > 1", 1054],
    ] as const) {
      const { body } = await caller.sql(text, { n: 1 });
      expect(body).toMatchObject({ errno, detail: expect.stringMatching(/derived table/) });
    }
  });
});

async function saved(name: string): Promise<Answer> {
  const response = await caller.request("POST", `/v1/queries/${name}`, { n: 1 });
  return { status: response.status, headers: response.headers, body: await response.json() };
}
