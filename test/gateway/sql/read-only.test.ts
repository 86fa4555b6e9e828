import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { restored, texts } from "../support/commands.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { expectProblem, issuers, read, startGateway, startProxy, testAccount } from "../support/harness.ts";

/**
 * The gateway itself enforces `read_only: true` on every engine: it refuses a statement that writes before
 * it sends any of it. TiDB would execute it.
 */

let gateway: Gateway;
let proxy: CountingProxy;
beforeAll(async () => {
  proxy = await startProxy();
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${proxy.port}`] },
    accounts: { editor: testAccount("editor", { connections_per_shard: 2 }) },
    grants: [
      {
        ...{ issuer: issuers.remote, claims: { role: "editor" }, account: "editor" },
        allow: ["sql:read", "sql:write", "sql:ddl", "transaction"],
      },
    ],
  });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
});

const send = (path: string, body: unknown) => gateway.sql(body, { role: "editor", path });
const batch = (statements: unknown[], more: object = { read_only: true }) =>
  send("/v1/batch", { statements, ...more });

const mark = `read only ${randomUUID()}`;
const insert = { sql: "INSERT INTO notes (city_id, author, body) VALUES (1, 'me', ?)", params: [mark] };
const seen = { sql: "SELECT COUNT(*) AS n FROM notes WHERE body = ?", params: [mark] };
async function written(): Promise<string> {
  return (await send("/v1/sql", seen)).body.rows[0].n;
}

const writes: [string, { sql: string; params?: unknown[] }][] = [
  ["INSERT", insert],
  [
    "INSERT .. SELECT",
    { sql: "INSERT INTO notes (city_id, author, body) SELECT 1, 'me', ? FROM countries", params: [mark] },
  ],
  ["REPLACE", { sql: "REPLACE INTO notes (city_id, author, body) VALUES (1, 'me', ?)", params: [mark] }],
  ["UPDATE", { sql: "UPDATE notes SET body = ?", params: [mark] }],
  [
    "UPDATE behind WITH",
    {
      sql: "WITH x AS (SELECT 1 AS a) UPDATE notes SET body = ? WHERE id IN (SELECT a FROM x)",
      params: [mark],
    },
  ],
  ["DELETE", { sql: "DELETE FROM notes" }],
  ["SELECT .. FOR UPDATE", { sql: "SELECT * FROM notes FOR UPDATE" }],
  ["SELECT .. FOR SHARE", { sql: "SELECT * FROM notes WHERE id = 1 FOR SHARE" }],
  ["SELECT .. LOCK IN SHARE MODE", { sql: "SELECT * FROM notes LOCK IN SHARE MODE" }],
  ["a lock in a subquery", { sql: "SELECT (SELECT MAX(id) FROM notes FOR UPDATE) AS n" }],
  ["NEXTVAL", { sql: "SELECT NEXTVAL(numbers)" }],
  ["NEXT VALUE FOR", { sql: "SELECT NEXT VALUE FOR numbers" }],
  ["SETVAL", { sql: "SELECT SETVAL(numbers, 7)" }],
  ["NEXTVAL in backquotes", { sql: "SELECT `nextval`(?)", params: ["numbers"] }],
  ["DEFAULT(), which may be a sequence's", { sql: "SELECT DEFAULT(id) FROM notes" }],
];

/** 403 `sql_denied` from the gateway: there is no number of the server. */
function expectRefused(answer: Answer, more: object): void {
  expectProblem(answer, 403, "sql_denied");
  expect(answer.body).toMatchObject({ reason: "read_only", retryable: false, ...more });
  expect(answer.body).not.toHaveProperty("errno");
}

describe("a batch that is read_only", () => {
  test.each(writes)("refuses %s, before anything runs", async (_, statement) => {
    expect(await written()).toBe("0");
    await restored(proxy);
    const before = proxy.mark();
    const refused = await batch([{ sql: "SELECT 1" }, seen, statement, statement]);
    expectRefused(refused, { statement: 2, detail: "The batch is read_only, and this statement writes." });
    expectRefused(await batch([statement], { read_only: true, dry_run: true }), { statement: 0 });
    expect(texts(before.commands)).toEqual([]);
    expect(await written()).toBe("0");
  });

  test.each([
    ["ddl", "CREATE TABLE t (a INT)"],
    ["TRUNCATE", "TRUNCATE TABLE notes"],
    ["CALL", "CALL anything()"],
  ])("refuses %s as every batch does", async (_, sql) => {
    const refused = await batch([{ sql }]);
    expectProblem(refused, 400, "statement_refused");
    expect(refused.body).toMatchObject({ reason: "implicit_commit", statement: 0 });
  });

  test("reads", async () => {
    const { status, body } = await batch([{ sql: "SELECT 'x' AS one" }, seen]);
    expect(status).toBe(200);
    expect(body.results.map(({ rows }: { rows: unknown }) => rows)).toEqual([[{ one: "x" }], [{ n: "0" }]]);
  });
});

describe("a transaction that is read_only", () => {
  const begin = async (body: object = { read_only: true }): Promise<string> => {
    const begun = await send("/v1/transactions", body);
    expect(begun.status).toBe(201);
    return begun.body.id;
  };
  const run = (id: string, statement: object) => send(`/v1/transactions/${id}/sql`, statement);

  test("refuses whatever writes, and goes on without it", async () => {
    const id = await begin();
    expect((await run(id, seen)).body.rows).toEqual([{ n: "0" }]);
    const before = proxy.mark();
    for (const [, statement] of [...writes, ["CALL", { sql: "CALL anything()" }] as const]) {
      const detail = "The transaction is read_only, and this statement writes.";
      expectRefused(await run(id, statement), { transaction: "open", detail });
    }
    const ddl = await run(id, { sql: "CREATE TABLE t (a INT)" });
    expectProblem(ddl, 400, "statement_refused");
    expect(ddl.body.reason).toBe("implicit_commit");
    expect(texts(before.commands)).toEqual([]);
    expect((await run(id, seen)).status).toBe(200);
    expect((await send(`/v1/transactions/${id}/commit`, undefined)).body).toEqual({ status: "committed" });
    expect(await written()).toBe("0");
  });

  test("is only one that says so", async () => {
    const id = await begin({ read_only: false });
    expect((await run(id, insert)).body.rows_affected).toBe(1);
    const headers = { authorization: `Bearer ${await gateway.token({ role: "editor" })}` };
    const ended = await read(await gateway.fetch(`/v1/transactions/${id}`, { method: "DELETE", headers }));
    expect(ended.body).toEqual({ status: "rolled_back" });
    const { body } = await batch([insert, seen], { read_only: false, dry_run: true });
    expect(body.results[1].rows).toEqual([{ n: "1" }]);
    expect(await written()).toBe("0");
  });
});
