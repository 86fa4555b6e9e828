import { describe, expect, test } from "vitest";
import { createClient, TidegateError } from "../../../client/index.ts";

/** What the client sends, and what it makes of answers that no gateway of the tests gives. */

interface Seen {
  method: string;
  path: string;
  key: string | undefined;
  body: unknown;
}

const counts = { rows_affected: 1, rows_changed: null, last_insert_id: null, info: null, warnings: [] };
const lines = (...values: unknown[]) =>
  new Response(values.map((value) => `${JSON.stringify(value)}\n`).join(""), {
    headers: { "content-type": "application/x-ndjson" },
  });
const done = () => lines({ columns: [] }, counts);
const json = (value: unknown, status = 200, headers = {}) =>
  new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": `application/${status < 400 ? "json" : "problem+json"}`, ...headers },
  });

/** @param answer to each request, by its number; it may throw, as fetch does */
function clientOf(answer: (seen: Seen, number: number) => Response) {
  const requests: Seen[] = [];
  const db = createClient({
    url: "http://gateway.example",
    token: "t",
    retry: { baseMs: 1, totalMs: 1000 },
    async fetch(url, { method = "", headers, body }) {
      const key = (headers as Record<string, string>)["idempotency-key"];
      const seen = { method, path: new URL(url).pathname, key, body: body && JSON.parse(String(body)) };
      return answer(seen, requests.push(seen));
    },
  });
  return { db, requests };
}

const errorOf = (promise: PromiseLike<unknown>) =>
  promise.then(
    () => expect.unreachable("it went well"),
    (error: unknown) => error as TidegateError,
  );

test("an empty key is none: the write gets a key of its own", async () => {
  const { db, requests } = clientOf((_, number) => {
    if (number === 1) throw new TypeError("lost");
    return done();
  });
  await db.sql`INSERT INTO t VALUES (1)`.result({ idempotencyKey: "" });
  const [first, second] = requests;
  expect(first?.key).toMatch(/^[\d-]+$/);
  expect(second?.key).toBe(first?.key);
});

test("the bound of a batch goes with a statement that stands alone, so the gateway refuses it", async () => {
  const { db, requests } = clientOf(done);
  await db.sql`DELETE FROM t`.maxAffected(1);
  expect(requests[0]?.body).toEqual({ sql: "DELETE FROM t", params: [], max_affected: 1 });
});

describe("a problem document that is not the gateway's has no code", () => {
  test.each([
    [401, 1],
    [502, 5],
  ])("%d", async (status, tries) => {
    const { db, requests } = clientOf(() => json({ title: "a proxy's" }, status));
    const error = await errorOf(db.sql`INSERT INTO t VALUES (1)`);
    expect(error).toBeInstanceOf(TidegateError);
    expect([error.code, error.status, requests.length]).toEqual(["answer_foreign", status, tries]);
  });
});

describe("a commit whose answer was lost", () => {
  const commitThen = (answer: () => Response) => {
    let commits = 0;
    return clientOf(({ path, method }) => {
      if (path === "/v1/transactions") return json({ id: "x" }, 200);
      if (method === "DELETE") return json({ status: "rolled_back" });
      if (!path.endsWith("/commit")) return done();
      commits += 1;
      if (commits === 1) throw new TypeError("lost");
      return answer();
    });
  };

  test.each([
    [429, { code: "rate_limited", retryable: true }],
    [403, { code: "access_denied" }],
    [409, { code: "transaction_busy", retryable: true }],
    [404, { code: "transaction_unknown" }],
  ])(
    "is of unknown outcome if the next answer is %d %o, and never to be repeated",
    async (status, problem) => {
      const { db } = commitThen(() => json(problem, status, { "retry-after": "60" }));
      const error = await errorOf(db.transaction((tx) => tx.sql`UPDATE t SET a = 1`));
      expect([error.code, error.retryable]).toEqual(["outcome_unknown", false]);
    },
  );

  test("has the outcome that the gateway then tells", async () => {
    const told = (problem: object) => commitThen(() => json(problem, 409)).db;
    const work = (db: ReturnType<typeof told>) => db.transaction((tx) => tx.sql`UPDATE t SET a = 1`);
    await work(told({ code: "transaction_ended", reason: "committed" }));
    const error = await errorOf(work(told({ code: "transaction_expired", transaction: "ended" })));
    expect(error.code).toBe("transaction_expired");
  });
});
