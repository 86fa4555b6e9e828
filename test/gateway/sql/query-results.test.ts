import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { QueryFile } from "../../../src/catalog/parse.ts";
import { limits } from "../../../src/limits.ts";
import { lineOf, logged } from "../support/ask.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer, engine, expectProblem, read } from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";
import type { Started } from "../support/two-ways.ts";
import { startWay, ways } from "../support/two-ways.ts";

/** What a saved query answers with, how long, and for how long it may be kept. */

function file(name: string, head: string, sql: string): QueryFile {
  return { name: `${name}.sql`, text: `-- A query of this test.\n--\n${head}\n${sql}\n` };
}

const words = "id, word, digits";
const named = "-- @param word string required";
const queries: QueryFile[] = [
  file("one", `${named}\n-- @result one`, `SELECT ${words} FROM words WHERE word = :word`),
  file("one-long", "-- @result one", "SELECT REPEAT('x', 5000000) AS text"),
  file("one-of-many", "-- @result one", "SELECT a.id FROM words AS a, words AS b, words AS c"),
  file("many", named, `SELECT ${words} FROM words WHERE word = :word`),
  file("exec", `${named}\n-- @result exec`, "INSERT INTO words (word, digits) VALUES (:word, 1.5)"),
  file("exec-some", "-- @result exec", "UPDATE words SET digits = 7 WHERE word = 'twice'"),
  file("slow", "-- @deadline_ms 300", "SELECT SLEEP(5) AS slept"),
  file("patient", "-- @deadline_ms 60000", "SELECT SLEEP(5) AS slept"),
  file("two-rows", "-- @max_rows 2", "SELECT id FROM words ORDER BY id"),
  file("kept", `${named}\n-- @cache 60`, `SELECT ${words} FROM words WHERE word = :word ORDER BY id`),
  file("checked", "-- @cache 0", "SELECT id FROM words ORDER BY id"),
  file("kept-one", `${named}\n-- @result one\n-- @cache 5`, `SELECT ${words} FROM words WHERE word = :word`),
  file("kept-long", "-- @cache 60", "SELECT REPEAT('x', 100000) AS text"),
  file("kept-page", "-- @page keyset id size 2 max 9\n-- @cache 60", "SELECT id FROM words"),
  file("dropped-table", "-- @max_rows 9", "SELECT id FROM secret_table"),
  file("dropped-column", "-- @max_rows 9", "SELECT secret_column FROM losing"),
  file("dropped-view", "-- @max_rows 9", "SELECT id FROM secret_view"),
  file("dropped-page", "-- @page keyset id size 2 max 9", "SELECT id FROM secret_table"),
  file("longer-table", "-- @result exec", "INSERT INTO secret_growing VALUES (1)"),
  ...(engine === "mariadb"
    ? [
        file(
          "take-one",
          `${named}\n-- @result one`,
          "DELETE FROM words WHERE word = :word RETURNING id, word",
        ),
        file("take-many", `${named}\n-- @result many`, "DELETE FROM words WHERE word = :word RETURNING id"),
      ]
    : []),
];

let administrator: Connection;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await administrator.query("DROP DATABASE IF EXISTS results");
  await administrator.query("CREATE DATABASE results");
  await administrator.query("USE results");
  await administrator.query(
    "CREATE TABLE words (id INT AUTO_INCREMENT PRIMARY KEY, word VARCHAR(20), digits DECIMAL(5, 2))",
  );
  await createLogin(administrator, "gw_results", "IDENTIFIED BY SECRET REQUIRE SSL");
  await administrator.query("GRANT ALL ON results.* TO gw_results");
});
afterAll(async () => {
  await administrator?.query("DROP DATABASE IF EXISTS results");
  await administrator?.query("DROP USER IF EXISTS gw_results");
  await administrator?.end();
});
beforeEach(async () => {
  await administrator.query("TRUNCATE TABLE words");
  await administrator.query(
    "INSERT INTO words (word, digits) VALUES ('once', 1), ('twice', 2), ('twice', 2.5), ('null', NULL)",
  );
});

describe.each(ways)("%s", (way) => {
  let started: Started;
  beforeAll(async () => {
    started = await startWay(way, {
      ...{ database: "results", user: "gw_results", accounts: { results: {}, hasty: {} }, queries },
      allow: ["query:*", "sql:read", "sql:write"],
      ceilings: { hasty: { deadline_ms: 300, max_rows: 1 } },
    });
  });
  afterAll(() => started?.close());

  interface Asking {
    headers?: Record<string, string>;
    role?: string;
    /** Sends a POST. */
    body?: unknown;
    method?: string;
  }

  async function send(
    path: string,
    { headers, role = "results", body, method }: Asking = {},
  ): Promise<Response> {
    const authorization = `Bearer ${await started.gateway.token({ role })}`;
    const json = body === undefined ? {} : { "content-type": "application/json" };
    return await started.gateway.fetch(`/v1/queries/${path}`, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: { authorization, ...json, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  const ask = async (path: string, asking?: Asking): Promise<Answer> => await read(await send(path, asking));

  /** What the operator's log says of a failure: the pool's line, or the request's own one. */
  async function reasonOf(answer: Answer): Promise<string> {
    const line = await lineOf(started.gateway, answer);
    const id = answer.headers.get("x-request-id");
    const failed = logged(started.gateway, "work_failed").find(({ request_id }) => request_id === id);
    return String(line?.reason ?? failed?.reason);
  }

  test("Tidegate-Result says in each format what is answered, of a replayed answer too", async () => {
    const kinds = async (headers: Record<string, string>) => {
      const answers = [
        await send("one?word=once", { headers }),
        await send("many?word=once", { headers }),
        await send("exec", { headers, body: { word: "thrice" } }),
      ];
      return answers.map((answer) => answer.headers.get("tidegate-result"));
    };
    const key = `"${crypto.randomUUID()}"`;
    for (const accept of ["application/json", "application/x-ndjson", "text/csv"])
      expect(await kinds({ accept })).toEqual(["one", "many", "exec"]);
    for (const replayed of [null, "true"]) {
      const answer = await send("exec", { headers: { "idempotency-key": key }, body: { word: "kept" } });
      expect(answer.headers.get("tidegate-result")).toBe("exec");
      expect(answer.headers.get("idempotency-replayed")).toBe(replayed);
    }
  });

  describe("one", () => {
    const row = { id: 1, word: "once", digits: "1.00" };

    test("is the row's object, for GET and POST; with ?rows=array the list of its values", async () => {
      for (const asking of [{}, { body: { word: "once" } }]) {
        const query = "body" in asking ? "" : "word=once&";
        const answer = await ask(`one?${query}`, asking);
        expect([answer.status, answer.body]).toEqual([200, row]);
        expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
        expect((await ask(`one?${query}rows=array`, asking)).body).toEqual([1, "once", "1.00"]);
      }
      expect((await ask("one?word=null")).body).toEqual({ id: 4, word: "null", digits: null });
    });

    test("is the usual form with one row in the other formats", async () => {
      const lines = await (
        await send("one?word=once", { headers: { accept: "application/x-ndjson" } })
      ).text();
      const [head, only, trailer] = lines
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect([head.columns.length, only, trailer.warnings]).toEqual([3, row, []]);
      const table = await (await send("one?word=once", { headers: { accept: "text/csv" } })).text();
      expect(table).toBe("id,word,digits\r\n1,once,1.00\r\n");
    });

    test.each(["application/json", "application/x-ndjson", "text/csv"])(
      "without a row it is 404, with several the operator's mistake: %s",
      async (accept) => {
        expectProblem(await ask("one?word=never", { headers: { accept } }), 404, "row_missing");
        const several = await ask("one?word=twice", { headers: { accept } });
        expectProblem(several, 500, "query_broken");
        expect(several.body.detail).toBeUndefined();
        expect(await reasonOf(several)).toContain("@result one");
      },
    );

    test("ends the statement at the second of very many rows", async () => {
      await administrator.query(
        `INSERT INTO words (word) VALUES ${Array.from({ length: 396 }, () => "('many')").join(", ")}`,
      );
      expectProblem(await ask("one-of-many"), 500, "query_broken");
    });

    test("is refused if it is too large to be held", async () => {
      const answer = await ask("one-long");
      expectProblem(answer, 413, "result_too_large");
      expect(answer.body.detail).toContain(String(limits.batchResultBytes));
    });

    test.skipIf(engine !== "mariadb")("of a change: the row, and what stays of the change", async () => {
      expect((await ask("take-one", { body: { word: "once" } })).body).toEqual({ id: 1, word: "once" });
      expectProblem(await ask("take-one", { body: { word: "once" } }), 404, "row_missing");
      const several = await ask("take-one", { body: { word: "twice" } });
      expectProblem(several, 500, "query_broken");
      expect(several.body.detail).toBe("The statement was executed, and its changes stay.");
      const [left] = await administrator.query("SELECT word FROM words");
      expect(left).toEqual([{ word: "null" }]);
    });
  });

  test("many is what it always was", async () => {
    const text = await (await send("many?word=once")).text();
    const columns = [
      { name: "id", type: "INT", nullable: false },
      { name: "word", type: "VARCHAR", nullable: true },
      { name: "digits", type: "DECIMAL", nullable: true },
    ];
    const after = { rows_affected: 0, rows_changed: null, last_insert_id: null, info: null, warnings: [] };
    const whole = { columns, rows: [{ id: 1, word: "once", digits: "1.00" }], ...after };
    expect(text).toBe(JSON.stringify(whole));
  });

  test("exec is the counts alone; other formats keep their form", async () => {
    const inserted = await ask("exec", { body: { word: "new" } });
    expect([inserted.status, inserted.body]).toEqual([
      200,
      { rows_affected: 1, rows_changed: null, last_insert_id: "5", info: null, warnings: [] },
    ]);
    const { body } = await ask("exec-some", { body: {} });
    expect(body).toMatchObject({ rows_affected: 2, rows_changed: 2, last_insert_id: null, warnings: [] });
    expect(Object.keys(body)).toEqual(Object.keys(inserted.body));
    const lines = await (
      await send("exec-some", { body: {}, headers: { accept: "application/x-ndjson" } })
    ).text();
    const [head, trailer, ...more] = lines
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect([head, trailer.rows_affected, more]).toEqual([{ columns: [] }, 2, []]);
  });

  test("an Idempotency-Key keeps the counts", async () => {
    const headers = { "idempotency-key": crypto.randomUUID() };
    const first = await ask("exec", { body: { word: "key" }, headers });
    const again = await ask("exec", { body: { word: "key" }, headers });
    expect([first.status, again.body]).toEqual([200, first.body]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
  });

  describe("a query's own ceilings", () => {
    test("end it sooner than the grant", async () => {
      expectProblem(await ask("slow"), 504, "deadline_exceeded");
      expectProblem(await ask("two-rows"), 413, "result_too_large");
    });

    test("never give more than the grant", async () => {
      expectProblem(await ask("patient", { role: "hasty" }), 504, "deadline_exceeded");
      const few = await ask("two-rows", { role: "hasty" });
      expectProblem(few, 413, "result_too_large");
      expect(few.body.detail).toContain("1 rows");
    });
  });

  describe("an answer that may be kept", () => {
    const tagOf = async (path: string, headers: Record<string, string> = {}) =>
      (await send(path, { headers })).headers.get("etag") ?? "";

    test("has an entity tag, and for how long it may be used", async () => {
      const { status, headers } = await send("kept?word=once");
      expect(status).toBe(200);
      expect(headers.get("etag")).toMatch(/^W\/"[\w-]{43}"$/);
      expect(headers.get("cache-control")).toBe("private, max-age=60");
      const vary = (headers.get("vary") ?? "").toLowerCase().split(", ");
      expect(vary).toEqual(expect.arrayContaining(["authorization", "tidegate-account", "accept"]));
      expect((await send("checked")).headers.get("cache-control")).toBe("private, no-cache");
      expect((await send("kept-one?word=once")).headers.get("cache-control")).toBe("private, max-age=5");
    });

    test("is a 304 while it is the same, also for HEAD, and a new one afterwards", async () => {
      const etag = await tagOf("kept?word=once");
      for (const method of ["GET", "HEAD"]) {
        const same = await send("kept?word=once", { method, headers: { "if-none-match": etag } });
        expect([same.status, await same.text()]).toEqual([304, ""]);
        expect(same.headers.get("etag")).toBe(etag);
        expect(same.headers.get("cache-control")).toBe("private, max-age=60");
        // The statement ran.
        expect(same.headers.get("server-timing")).toContain("db");
      }
      const head = await send("kept?word=once", { method: "HEAD" });
      expect([head.status, await head.text(), head.headers.get("etag")]).toEqual([200, "", etag]);
      await administrator.query("UPDATE words SET digits = 9 WHERE word = 'once'");
      const changed = await send("kept?word=once", { headers: { "if-none-match": etag } });
      expect(changed.status).toBe(200);
      expect((await read(changed)).body.rows).toEqual([{ id: 1, word: "once", digits: "9.00" }]);
      expect(changed.headers.get("etag")).not.toBe(etag);
    });

    test("has another tag for other rows, another format and another form", async () => {
      const tags = await Promise.all([
        tagOf("kept?word=once"),
        tagOf("kept?word=null"),
        tagOf("kept?word=once&rows=array"),
        tagOf("kept?word=once", { accept: "text/csv" }),
        tagOf("kept?word=once", { accept: "application/x-ndjson" }),
        tagOf("kept?word=once", { accept: "application/jsonl" }),
      ]);
      expect(new Set(tags).size).toBe(tags.length);
      expect(await tagOf("kept?word=once")).toBe(tags[0]);
    });

    test("of a page belongs to its links: a row that comes behind changes the tag", async () => {
      await administrator.query("DELETE FROM words WHERE id > 2");
      const last = await send("kept-page");
      expect(last.headers.get("link")).not.toContain("next");
      await administrator.query("INSERT INTO words (word) VALUES ('behind')");
      const etag = last.headers.get("etag") ?? "";
      const first = await send("kept-page", { headers: { "if-none-match": etag } });
      expect([first.status, first.headers.get("link")]).toEqual([200, expect.stringContaining('rel="next"')]);
      const head = await send("kept-page", { method: "HEAD" });
      for (const name of ["etag", "link"]) expect(head.headers.get(name)).toBe(first.headers.get(name));
    });

    test("is none that streams, no error, and no answer to POST or of another query", async () => {
      const answers = [
        await send("kept-long"),
        await send("kept", { body: { word: "once" } }),
        await send("kept-one?word=never"),
        await send("kept?word=once&word=twice"),
        await send("many?word=once"),
      ];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 400, 200]);
      for (const { headers } of answers) {
        expect([headers.get("etag"), headers.get("cache-control")]).toEqual([null, "no-store"]);
      }
      await Promise.all(answers.map((answer) => answer.text()));
    });
  });

  describe("what is gone since the build", () => {
    beforeAll(async () => {
      for (const sql of [
        "CREATE TABLE IF NOT EXISTS secret_table (id INT PRIMARY KEY)",
        "CREATE OR REPLACE VIEW secret_view AS SELECT id FROM secret_table",
        "CREATE TABLE IF NOT EXISTS losing (id INT PRIMARY KEY, secret_column INT)",
        "CREATE TABLE IF NOT EXISTS secret_growing (id INT)",
      ]) {
        await administrator.query(sql);
      }
    });

    test("is query_broken: the log names it, and the caller's document names nothing of it", async () => {
      const asked: [string, Asking][] = [
        ["dropped-table", {}],
        ["dropped-column", {}],
        ["dropped-view", {}],
        ["dropped-page", {}],
        ["longer-table", { body: {} }],
      ];
      for (const [name, asking] of asked) expect((await ask(name, asking)).status, name).toBe(200);
      await administrator.query("DROP TABLE secret_table");
      await administrator.query("ALTER TABLE losing DROP COLUMN secret_column");
      await administrator.query("ALTER TABLE secret_growing ADD COLUMN more INT");
      const named = ["secret_table", "secret_column", "secret_view", "secret_table", "1136"];
      for (const [index, [name, asking]] of asked.entries()) {
        const answer = await ask(name, asking);
        expectProblem(answer, 500, "query_broken");
        expect(answer.body).not.toHaveProperty("detail");
        expect(JSON.stringify(answer.body)).not.toMatch(/secret|results|SELECT|1146|1054|1356|1136/);
        expect(await reasonOf(answer), name).toContain(named[index]);
        // Other callers' connections serve on.
        expect((await ask("many?word=once")).status).toBe(200);
      }
      await administrator.query("DROP TABLE losing, secret_growing");
    });
  });
});
