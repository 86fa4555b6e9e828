// Runs on mariadb only: the engine has no part in what becomes of a request.
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ClientOptions } from "../../../client/index.ts";
import { createClient, TidegateError } from "../../../client/index.ts";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, issuers, startGateway, startProxy, testAccount } from "../support/harness.ts";
import type { Meddler } from "./meddler.ts";
import { startMeddler } from "./meddler.ts";

/** What goes wrong between `tidegate/client` and the database: the typed error or the right answer, nothing twice. */

let administrator: Connection;
let database: CountingProxy;
let gateway: Gateway;
let meddler: Meddler;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  database = await startProxy();
  const allow = ["query:*", "sql:read", "sql:write", "transaction"];
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${database.port}`] },
    accounts: { editor: testAccount("editor") },
    grants: [{ issuer: issuers.remote, account: "editor", allow }],
  });
  meddler = await startMeddler(gateway.url);
});
afterEach(async () => {
  await administrator.query("DELETE FROM world.notes WHERE author LIKE 'faults-%'");
});
afterAll(async () => {
  await meddler?.stop();
  await gateway?.close();
  await database?.stop();
  await administrator?.end();
});

const author = "faults-someone";
const connect = (more: Partial<ClientOptions> = {}) =>
  createClient({
    url: meddler.url,
    token: () => gateway.token({ sub: author }),
    retry: { baseMs: 20 },
    ...more,
  });
type Database = ReturnType<typeof connect>;
const insert = (db: Pick<Database, "sql">, body: string) =>
  db.sql`INSERT INTO notes (city_id, author, body) VALUES (1, ${author}, ${body})`;

async function notes(): Promise<string[]> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT body FROM world.notes WHERE author = ? ORDER BY id",
    [author],
  );
  return rows.map(({ body }) => body);
}

async function errorOf(promise: PromiseLike<unknown>): Promise<TidegateError> {
  const error = await promise.then(
    () => "it went well",
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(TidegateError);
  return error as TidegateError;
}

/** @returns the requests that come while something is done */
async function during<T>(work: () => PromiseLike<T>): Promise<[result: T, requests: string[]]> {
  const before = meddler.requests.length;
  const result = await work();
  return [result, meddler.requests.slice(before)];
}

describe("a write whose answer is lost", () => {
  test("is sent again under its key, and happens once", async () => {
    const db = connect();
    meddler.lose(2);
    const [result, requests] = await during(() => insert(db, "statement").result());
    expect([result.rowsAffected, requests]).toEqual([1, Array(3).fill("POST /v1/sql?rows=array")]);
    meddler.lose(1);
    const [[inBatch]] = await during(() => db.batch([insert(db, "batch")]));
    expect(inBatch.rowsAffected).toBe(1);
    meddler.lose(1);
    expect(await db.query.addNote?.({ city_id: 1, body: "query" })).toMatchObject({ rowsAffected: 1 });
    expect(await notes()).toEqual(["statement", "batch", "query"]);
  });

  test("is not sent again without a key", async () => {
    meddler.lose(1);
    const [error, requests] = await during(() =>
      errorOf(insert(connect({ idempotencyKeys: false }), "once")),
    );
    expect(error).toMatchObject({ code: "network_failed", status: 0, retryable: false });
    expect([requests.length, await notes()]).toEqual([1, ["once"]]);
  });

  test("is given up after the tries that retry allows", async () => {
    meddler.lose(9);
    const [error, requests] = await during(() =>
      errorOf(insert(connect({ retry: { tries: 3, baseMs: 1 } }), "lost")),
    );
    meddler.lose(0);
    expect([error.code, error.retryable, requests.length]).toEqual(["network_failed", true, 3]);
    expect(await notes()).toEqual(["lost"]);
    meddler.lose(1);
    expect((await errorOf(insert(connect({ retry: { tries: 1 } }), "lost too"))).code).toBe("network_failed");
  });

  test("takes a key of the caller's own, also in another session", async () => {
    const key = { idempotencyKey: `own-${Date.now()}` };
    meddler.lose(1);
    await errorOf(insert(connect({ retry: { tries: 1 } }), "own").result(key));
    expect((await insert(connect(), "own").result(key)).rowsAffected).toBe(1);
    expect(await notes()).toEqual(["own"]);
  });
});

describe("an answer that is not the gateway's", () => {
  const page = "<html>secret of a proxy</html>";
  const answer = (status: string, type = "text/html", more = "") =>
    `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${page.length}\r\n${more}\r\n${page}`;

  test.each(["502 Bad Gateway", "503 Unavailable", "504 Timeout", "429 Slow down"])(
    "%s is as a lost one",
    async (status) => {
      meddler.answer(answer(status));
      const [{ rowsAffected }, requests] = await during(() => insert(connect(), "x").result());
      expect([rowsAffected, requests.length, await notes()]).toEqual([1, 2, ["x"]]);
      meddler.answer(answer(status));
      const error = await errorOf(insert(connect({ idempotencyKeys: false }), "y"));
      expect(error).toMatchObject({ code: "answer_foreign", status: Number(status.slice(0, 3)) });
      expect(error.message).not.toContain("secret");
    },
  );

  test.each([
    ["404 Not Found", "answer_foreign"],
    ["302 Found", "answer_foreign"],
    ["200 OK", "content_type_wrong"],
  ])("%s is %s, and nothing is sent again", async (status, code) => {
    meddler.answer(answer(status, "text/html", `Location: ${meddler.url}/elsewhere\r\n`));
    const [error, requests] = await during(() => errorOf(insert(connect(), "x")));
    expect([error.code, error.status, requests.length]).toEqual([code, Number(status.slice(0, 3)), 1]);
  });

  test("a problem document that is none is an answer of its status", async () => {
    meddler.answer(answer("400 Bad Request", "application/problem+json"));
    expect(await errorOf(connect().sql`SELECT 1`)).toMatchObject({ code: "answer_foreign", status: 400 });
  });
});

describe("Retry-After", () => {
  const busy = (seconds: number) => {
    const body = JSON.stringify({ code: "pool_full", status: 503, retryable: true, title: "Busy" });
    return `HTTP/1.1 503 Busy\r\nContent-Type: application/problem+json\r\nRetry-After: ${seconds}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };

  test("is waited for", async () => {
    meddler.answer(busy(1));
    const began = Date.now();
    expect(await connect().sql`SELECT 'x' AS x`).toEqual([{ x: "x" }]);
    expect(Date.now() - began).toBeGreaterThanOrEqual(1000);
  });

  test("is not waited for beyond the total time", async () => {
    meddler.answer(busy(60));
    const began = Date.now();
    const error = await errorOf(connect().sql`SELECT 1`);
    expect([error.code, error.retryAfterMs]).toEqual(["pool_full", 60_000]);
    expect(Date.now() - began).toBeLessThan(1000);
  });

  test("a signal ends the wait, and nothing is sent any more", async () => {
    meddler.answer(busy(5));
    const signal = AbortSignal.timeout(200);
    const [error, requests] = await during(() =>
      connect().sql`SELECT 1`.result({ signal }).catch((cause: unknown) => cause),
    );
    expect(error).toBe(signal.reason);
    expect(requests.length).toBe(1);
  });
});

const many = (db: Pick<Database, "sql">) =>
  db.sql<{
    id: number;
    name: string;
  }>`SELECT a.id, b.name, REPEAT('x', 50) AS filler FROM cities AS a, cities AS b LIMIT 200000`;

describe("an answer that is cut", () => {
  test("is asked for again as long as its caller has seen no row", async () => {
    meddler.cutAfter(50_000);
    const [rows, requests] = await during(() => many(connect()));
    expect([rows.length, requests.length]).toEqual([200_000, 2]);
  }, 120_000);

  test("in the middle of a stream is an error behind its rows", async () => {
    meddler.cutAfter(500_000);
    let rows = 0;
    const [error, requests] = await during(() =>
      errorOf(
        (async () => {
          for await (const { id } of many(connect()).stream()) rows += id > 0 ? 1 : 0;
        })(),
      ),
    );
    expect(error).toMatchObject({ code: "answer_cut", status: 200 });
    expect(rows).toBeGreaterThan(1000);
    expect(rows).toBeLessThan(200_000);
    expect(requests.length).toBe(1);
  });
});

describe("lines that are no whole answer, although their body has its end", () => {
  const columns = '{"columns":[{"name":"a","type":"INT","nullable":false}]}\n';
  const counts = '{"rows_affected":0,"rows_changed":null,"last_insert_id":null,"info":null,"warnings":[]}\n';
  const answer = (lines: string) =>
    `HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${lines.length}\r\n\r\n${lines}`;

  test.each([
    ["no counts", `${columns}[1]\n`],
    ["half a row", `${columns}[1]\n[2`],
    ["counts without the line's end", `${columns}[1]\n${counts.trimEnd()}`],
    ["a row before the columns", `[1]\n${counts}`],
    ["a row behind the counts", `${columns}${counts}[1]\n`],
    ["no JSON", `${columns}[1}\n${counts}`],
    ["nothing", ""],
  ])("%s", async (_, lines) => {
    meddler.answer(answer(lines));
    const once = connect({ retry: { tries: 1 } });
    expect((await errorOf(once.sql`SELECT 1`)).code).toBe("answer_cut");
    meddler.answer(answer(lines));
    const stream = async () => {
      for await (const row of once.sql`SELECT 1`.stream()) expect(row).toEqual({ a: 1 });
    };
    expect((await errorOf(stream())).code).toBe("answer_cut");
  });

  test("a saved query's answer that a proxy took the header away from is not taken for rows", async () => {
    meddler.answer(answer(`${columns}[1]\n${counts}`));
    const asked = connect().query.city?.({ id: 1 });
    expect(await errorOf(asked as Promise<unknown>)).toMatchObject({ code: "answer_foreign", status: 200 });
  });

  test("and one that is whole", async () => {
    meddler.answer(answer(`${columns}[1]\n[2]\n${counts}`));
    expect(await connect().sql`SELECT 1`).toEqual([{ a: 1 }, { a: 2 }]);
  });
});

describe("a stream", () => {
  test("that is left early ends its request", async () => {
    for await (const { name } of many(connect()).stream()) {
      expect([typeof name, await running()]).toEqual(["string", 1]);
      break;
    }
    await expect.poll(() => meddler.open).toBe(0);
    await expect.poll(running).toBe(0);
  });

  test("that is aborted throws the signal's reason", async () => {
    const controller = new AbortController();
    const rows = async () => {
      for await (const { id } of many(connect()).stream({ signal: controller.signal }))
        if (id > 0) controller.abort(new Error("enough"));
    };
    await expect(rows()).rejects.toThrow("enough");
    await expect.poll(running).toBe(0);
  });

  test("of an aborted client is never begun", async () => {
    const db = connect({ signal: AbortSignal.abort(new Error("gone")) });
    const [error, requests] = await during(() => many(db).catch((cause: Error) => cause.message));
    expect([error, requests]).toEqual(["gone", []]);
  });
});

/** @returns how many statements of the editor run at the server */
async function running(): Promise<number> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE command <> 'Sleep' AND info LIKE '%filler%' AND id <> CONNECTION_ID()",
  );
  return Number(rows[0]?.n);
}

describe("a transaction", () => {
  test("is committed at the end, and unseen before", async () => {
    const db = connect();
    const answer = await db.transaction(
      async (tx) => {
        await insert(tx, "one");
        const seen = await tx.sql<{ body: string }>`SELECT body FROM notes WHERE author = ${author}`;
        expect([seen, await notes()]).toEqual([[{ body: "one" }], []]);
        return "done";
      },
      { isolation: "read committed" },
    );
    expect([answer, await notes()]).toEqual(["done", ["one"]]);
  });

  test("is rolled back if its function throws", async () => {
    const failed = connect().transaction(async (tx) => {
      await insert(tx, "one");
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect(await notes()).toEqual([]);
  });

  test("is rolled back when the statement ends that still runs: its locks are free then", async () => {
    // The usual waits between the tries are longer than this statement.
    const failed = connect({ retry: {} }).transaction(async (tx) => {
      await insert(tx, "one");
      const slow = tx.sql`SELECT SLEEP(1)`.result();
      slow.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 200));
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    const [transactions] = await administrator.query<RowDataPacket[]>(
      "SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX WHERE trx_rows_modified > 0",
    );
    expect([transactions[0]?.n, await notes()]).toEqual([0, []]);
  });

  test("runs again from its beginning after a deadlock, and both happen", async () => {
    await administrator.query(
      "INSERT INTO world.notes (city_id, author, body) VALUES (1, ?, 'a'), (1, ?, 'b')",
      [author, author],
    );
    const [ids] = await administrator.query<RowDataPacket[]>(
      "SELECT id FROM world.notes WHERE author = ? ORDER BY id",
      [author],
    );
    const [a, b] = ids.map(({ id }) => String(id)) as [string, string];
    let met = 0;
    let runs = 0;
    let meet = () => {};
    const meeting = new Promise<void>((resolve) => {
      meet = resolve;
    });
    const change = (first: string, second: string) =>
      connect().transaction(async (tx) => {
        runs += 1;
        await tx.sql`UPDATE notes SET body = CONCAT(body, '+') WHERE id = ${BigInt(first)}`;
        if (++met === 2) meet();
        await meeting;
        await tx.sql`UPDATE notes SET body = CONCAT(body, '+') WHERE id = ${BigInt(second)}`;
      });
    await Promise.all([change(a, b), change(b, a)]);
    expect([runs, await notes()]).toEqual([3, ["a++", "b++"]]);
  });

  test("whose server goes away has not happened, and its function does not run again", async () => {
    let runs = 0;
    const error = await errorOf(
      connect().transaction(async (tx) => {
        runs += 1;
        await insert(tx, "one");
        database.dropAll();
        await insert(tx, "two");
      }),
    );
    expect(error).toMatchObject({ status: 503, code: "transaction_lost", transaction: "rolled_back" });
    expect([runs, await notes()]).toEqual([1, []]);
  });

  test("whose commit has no answer is committed once", async () => {
    const [answer, requests] = await during(() =>
      connect().transaction(async (tx) => {
        await insert(tx, "one");
        meddler.lose(1);
        return "done";
      }),
    );
    expect([answer, await notes()]).toEqual(["done", ["one"]]);
    expect(requests.map((request) => request.replace(/0-[0-9a-f]{32}/, "ID"))).toEqual([
      "POST /v1/transactions",
      "POST /v1/transactions/ID/sql?rows=array",
      "POST /v1/transactions/ID/commit",
      "POST /v1/transactions/ID/commit",
    ]);
  });

  test("whose commit never has an answer says that its outcome is unknown", async () => {
    const error = await errorOf(
      connect({ retry: { tries: 2, baseMs: 1 } }).transaction(async (tx) => {
        await insert(tx, "one");
        meddler.lose(2);
      }),
    );
    expect(error).toMatchObject({ code: "outcome_unknown", retryable: false });
    expect(await notes()).toEqual(["one"]);
  });

  test("whose statement has no answer is rolled back", async () => {
    const [error, requests] = await during(() =>
      errorOf(
        connect().transaction(async (tx) => {
          meddler.lose(1);
          await insert(tx, "one");
        }),
      ),
    );
    expect(error.code).toBe("network_failed");
    expect(requests.at(-1)).toMatch(/^DELETE /);
    expect(await notes()).toEqual([]);
  });

  test("of an aborted signal is rolled back", async () => {
    const controller = new AbortController();
    const aborted = connect().transaction(
      async (tx) => {
        await insert(tx, "one");
        controller.abort(new Error("enough"));
        await insert(tx, "two");
      },
      { signal: controller.signal },
    );
    await expect(aborted).rejects.toThrow("enough");
    expect(meddler.requests.at(-1)).toMatch(/^DELETE /);
    expect(await notes()).toEqual([]);
  });
});
