import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { mint } from "../../../servers/issuer/issuer.ts";
import { audience, databaseServer, expectProblem, issuers, read } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, ledgerGrants, prepareLedger, resetLedger, startLedger } from "../support/ledger.ts";

/** Which callers may have a transaction, which may use it, and how many there may be. */

let administrator: Connection;
let ledger: Ledger;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  const [writer = {}] = ledgerGrants;
  ledger = await startLedger(
    {},
    {
      accounts: {
        wide: { user: "gw_ledger", password: "ANALYST_PASSWORD", shards: 2, connections_per_shard: 3 },
        small: { user: "gw_ledger", password: "ANALYST_PASSWORD", connections_per_shard: 2 },
      },
      grants: [
        ...ledgerGrants,
        { ...writer, claims: { role: "wide" }, account: "wide", max_transactions: 3 },
        { ...writer, claims: { role: "small" }, account: "small" },
        { ...writer, claims: { role: "one" }, max_transactions: 1 },
        { ...writer, issuer: issuers.fixed },
      ],
    },
  );
});
afterAll(async () => {
  await ledger?.gateway.close();
  await dropLedger(administrator);
  await administrator?.end();
});
beforeEach(() => resetLedger(administrator));

/** Every call with an id, as a caller sends it. */
function calls(caller: LedgerCaller, id: string) {
  return {
    sql: () => caller.in(id, "INSERT INTO entries (account, note) VALUES (1, 'foreign')"),
    commit: () => caller.commit(id),
    rollback: () => caller.rollback(id),
  };
}

describe("somebody else's transaction is as unknown as one that never was", () => {
  let owner: LedgerCaller;
  let id: string;
  beforeAll(async () => {
    owner = ledger.as({ sub: "owner" });
    id = await owner.opened();
  });
  afterAll(async () => {
    expect((await owner.in(id, "SELECT note FROM entries")).body.rows).toEqual([]);
    expect((await owner.rollback(id)).status).toBe(200);
  });

  const others: [string, () => LedgerCaller][] = [
    ["another subject of the same account", () => ledger.as({ sub: "another" })],
    ["the same subject as another account", () => ledger.as({ sub: "owner", role: "other" })],
    ["a subject that looks alike", () => ledger.as({ sub: "owner " })],
  ];
  describe.each(others)("for %s", (_, other) => {
    test.each(["sql", "commit", "rollback"] as const)("%s", async (call) => {
      const never = `0-${"0".repeat(32)}`;
      const foreign = await calls(other(), id)[call]();
      const unknown = await calls(other(), never)[call]();
      expectProblem(foreign, 404, "transaction_unknown");
      const without = ({ request_id: _, ...rest }: Record<string, unknown>) => rest;
      expect(without(foreign.body)).toEqual(without(unknown.body));
    });
  });

  test("for the same subject of another issuer", async () => {
    const token = await mint(ledger.gateway.key, {
      iss: issuers.fixed,
      aud: audience,
      sub: "owner",
      role: "writer",
    });
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const commit = await ledger.gateway.fetch(`/v1/transactions/${id}/commit`, { method: "POST", headers });
    expectProblem(await read(commit), 404, "transaction_unknown");
  });

  test("who has no permission is told nothing of any id", async () => {
    const plain = ledger.as({ sub: "owner", role: "plain" });
    for (const known of [id, `0-${"0".repeat(32)}`, "nonsense"]) {
      for (const call of Object.values(calls(plain, known)))
        expectProblem(await call(), 403, "access_denied");
    }
  });

  test.each([
    ["another shard", () => id.replace("0-", "1-")],
    ["a shard that there is not", () => id.replace("0-", "99-")],
    ["one digit changed", () => id.slice(0, -1) + (id.endsWith("0") ? "1" : "0")],
    ["capitals", () => id.toUpperCase()],
    ["more of it", () => `${id}0`],
    ["nothing like it", () => "x"],
    ["a path", () => encodeURIComponent("../sql")],
    ["a very long one", () => "0".repeat(5_000)],
  ])("its owner does not find it by a wrong id: %s", async (_, wrong) => {
    expectProblem(await owner.commit(wrong()), 404, "transaction_unknown");
    expectProblem(await owner.in(wrong(), "SELECT 1"), 404, "transaction_unknown");
  });
});

describe("callers who may begin a transaction", () => {
  test("no caller without the permission, or without a subject", async () => {
    expectProblem(await ledger.as({ role: "plain" }).begin(), 403, "access_denied");
    const nobody = await ledger.as({ sub: undefined }).begin();
    expectProblem(nobody, 403, "access_denied");
    expect(nobody.body.detail).toContain("subject");
  });

  test.each([
    ["an unknown isolation", { isolation: "snapshot" }],
    ["an isolation in capitals", { isolation: "SERIALIZABLE" }],
    ["more than its statement of isolation", { isolation: "serializable; DROP TABLE balances" }],
    ["more idle time than there is", { idle_timeout_ms: 60_001 }],
    ["more time than there is", { timeout_ms: 300_001 }],
    ["no time", { timeout_ms: 0 }],
    ["an unknown member", { shard: 0 }],
    ["a text for read_only", { read_only: "no" }],
  ])("not with %s", async (_, body) => {
    expectProblem(await ledger.as().begin(body), 400, "body_invalid");
  });
});

describe("what a transaction does not take", () => {
  test.each([
    ["CREATE TABLE more (id INT)", "implicit_commit"],
    ["TRUNCATE TABLE entries", "implicit_commit"],
    ["DROP TABLE IF EXISTS nothing", "implicit_commit"],
    ["COMMIT", "not_allowed"],
    ["ROLLBACK", "not_allowed"],
    ["BEGIN", "not_allowed"],
    ["START TRANSACTION", "not_allowed"],
    ["SAVEPOINT a", "not_allowed"],
    ["SET autocommit = 1", "not_allowed"],
    ["LOCK TABLES entries WRITE", "not_allowed"],
  ])("%s, and goes on", async (sql, reason) => {
    const caller = ledger.as();
    const id = await caller.opened();
    await caller.in(id, "INSERT INTO entries (account, note) VALUES (1, 'mine')");
    const refused = await caller.in(id, sql);
    expectProblem(refused, 400, "statement_refused");
    expect(refused.body.reason).toBe(reason);
    expect((await caller.in(id, "SELECT note FROM entries")).body.rows).toEqual([{ note: "mine" }]);
    await caller.rollback(id);
    expect((await caller.sql("SELECT note FROM entries")).body.rows).toEqual([]);
  });

  test("a write of a caller who may only read, before the id is checked", async () => {
    const reader = ledger.as({ role: "reader" });
    const id = await reader.opened();
    expectProblem(await reader.in(id, "DELETE FROM entries"), 403, "access_denied");
    expectProblem(await reader.in("nonsense", "DELETE FROM entries"), 403, "access_denied");
    expect((await reader.rollback(id)).status).toBe(200);
  });

  test("a second statement while one is running", async () => {
    const caller = ledger.as();
    const id = await caller.opened();
    const both = await Promise.all([1, 2].map(() => caller.in(id, "SELECT SLEEP(0.5) AS x")));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(both.map(({ body }) => body.code ?? "none").sort()).toEqual(["none", "transaction_busy"]);
    expect((await caller.rollback(id)).status).toBe(200);
  });
});

describe("how many there may be", () => {
  test("a caller's: as many as the grant says, at once", async () => {
    const one = ledger.as({ role: "one", sub: "one" });
    const begun = await Promise.all(Array.from({ length: 5 }, () => one.begin()));
    expect(begun.map(({ status }) => status).sort()).toEqual([201, 429, 429, 429, 429]);
    const refused = begun.find(({ status }) => status === 429);
    if (refused) expectProblem(refused, 429, "transactions_exceeded");
    const id = begun.find(({ status }) => status === 201)?.body.id;
    await one.commit(id);
    await one.rollback(await one.opened());
  });

  test("a shard has two at most, of all callers together, and statements go on", async () => {
    const [a, b, c] = ["a", "b", "c"].map((sub) => ledger.as({ sub })) as [
      LedgerCaller,
      LedgerCaller,
      LedgerCaller,
    ];
    const ids = [await a.opened(), await b.opened()] as const;
    const refused = await c.begin();
    expectProblem(refused, 503, "transactions_full");
    expect(refused.body.retryable).toBe(true);
    expect((await c.sql("SELECT 1")).status).toBe(200);
    await a.rollback(ids[0]);
    await c.rollback(await c.opened());
    await b.rollback(ids[1]);
  });

  test("of two connections one stays free", async () => {
    const small = ledger.as({ role: "small", sub: "a" });
    const id = await small.opened();
    expectProblem(await ledger.as({ role: "small", sub: "b" }).begin(), 503, "transactions_full");
    for (let i = 0; i < 3; i++) expect((await small.sql("SELECT 1")).status).toBe(200);
    await small.rollback(id);
  });

  test("over several shards: a caller's are counted together", async () => {
    const wide = ledger.as({ role: "wide", sub: "wide" });
    const ids = [await wide.opened(), await wide.opened(), await wide.opened()];
    // The first shard had no room for the third transaction.
    expect(new Set(ids.map((id) => id.split("-")[0])).size).toBe(2);
    expectProblem(await wide.begin(), 429, "transactions_exceeded");
    const other = ledger.as({ role: "wide", sub: "other" });
    const last = await other.opened();
    expectProblem(await other.begin(), 503, "transactions_full");
    for (const id of ids) expect((await wide.in(id, "SELECT 1")).status).toBe(200);
    for (const id of ids) await wide.rollback(id);
    await other.rollback(last);
  });
});
