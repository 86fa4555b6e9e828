import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Conversions } from "../../../client/index.ts";
import { createClient, ref, TidegateError, typed } from "../../../client/index.ts";
import type { Queries } from "../../../sample/generated/queries.ts";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, issuers, startGateway, testAccount } from "../support/harness.ts";

/** Every method of `tidegate/client` against a gateway and a real database. */

let gateway: Gateway;
let administrator: Connection;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  const allow = ["query:*", "sql:read", "sql:write", "transaction"];
  gateway = await startGateway({
    accounts: { editor: testAccount("editor") },
    grants: [
      { issuer: issuers.remote, claims: { role: "limited" }, account: "editor", allow, max_rows: 5_000 },
      { issuer: issuers.remote, account: "editor", allow },
    ],
  });
});
afterAll(async () => {
  await gateway?.close();
  await administrator?.query("DELETE FROM world.notes WHERE author LIKE 'client-%'");
  await administrator?.end();
});

const url = () => gateway.url;
/** @param sub also the author of the notes */
const token = (sub = "client-someone") => gateway.token({ sub });
const connect = (sub?: string, more: Conversions = {}) =>
  createClient<Queries>({ url: url(), token: () => token(sub), ...more });

async function notesOf(author: string): Promise<string[]> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT body FROM world.notes WHERE author = ? ORDER BY id",
    [author],
  );
  return rows.map(({ body }) => body);
}

async function errorOf(promise: PromiseLike<unknown>): Promise<TidegateError> {
  return await promise.then(
    () => {
      throw new Error("it went well");
    },
    (error: unknown) => {
      expect(error).toBeInstanceOf(TidegateError);
      return error as TidegateError;
    },
  );
}

describe("a saved query", () => {
  test("answers with its rows, by both forms of its name", async () => {
    const db = connect();
    const rows = await db.query.citiesByCountry({ country: "JP", limit: 2 });
    expect(rows).toMatchObject([{ name: "Tokyo" }, { name: "Yokohama" }]);
    expect(await db.query["cities-by-country"]({ country: "JP", limit: 2 })).toEqual(rows);
    expect(await db.query.citiesByCountry({ country: "JP", limit: 2 }, { method: "GET" })).toEqual(rows);
    expect(await db.query.countriesByCode({ codes: ["NZ", "JP"] }, { method: "GET" })).toMatchObject([
      { code: "JP" },
      { code: "NZ" },
    ]);
    const { columns, rowsAffected } = await db.query.citiesByCountry.result({ country: "JP" });
    expect([columns[0]?.name, rowsAffected]).toEqual(["id", 0]);
  });

  test("answers with one row, and maybe with none", async () => {
    const db = connect();
    const [{ id } = { id: 0 }] = await db.query.citiesByCountry({ country: "JP", limit: 1 });
    expect((await db.query.city({ id })).name).toBe("Tokyo");
    expect((await db.query.city.maybe({ id }))?.name).toBe("Tokyo");
    expect(await db.query.city.maybe({ id: 4294967295 })).toBeUndefined();
    expect(await errorOf(db.query.city({ id: 4294967295 }))).toMatchObject({
      code: "row_missing",
      status: 404,
      retryable: false,
      requestId: expect.any(String),
    });
  });

  test("answers with the counts of a change", async () => {
    const db = connect("client-counts");
    const counts = await db.query.addNote({ city_id: 1, body: "one" });
    expect(counts).toEqual({
      rowsAffected: 1,
      rowsChanged: null,
      lastInsertId: expect.stringMatching(/^\d+$/),
      info: null,
      warnings: [],
    });
    expect(await notesOf("client-counts")).toEqual(["one"]);
  });

  test("names every wrong parameter", async () => {
    const error = await errorOf(connect().query.citiesByCountry({ country: "japan", limit: 0 }));
    expect(error).toMatchObject({ code: "parameter_invalid", status: 400, reason: "pattern_mismatch" });
    expect(error.errors.map(({ path }) => path)).toEqual(["/country", "/limit"]);
    expect(error.problem.errors).toBe(error.errors);
    expect(JSON.stringify(error.message)).not.toContain("japan");
  });

  test("streams its rows", async () => {
    const names: string[] = [];
    for await (const { name } of connect().query.citiesByCountry.stream({ country: "NZ", limit: 3 }))
      names.push(name);
    expect(names).toEqual(["Auckland", "Wellington", "Christchurch"]);
  });

  test("has pages, from the first to the last", async () => {
    const db = connect();
    const seen: number[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await db.query.cities.page(
        { region: "Oceania" },
        { pageSize: 9, total: pages === 0, ...(cursor && { cursor }) },
      );
      if (pages++ === 0) expect(page.total).toBeGreaterThan(9);
      else expect(page.total).toBeUndefined();
      seen.push(...page.rows.map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== undefined);
    const [counted] = await administrator.query<RowDataPacket[]>(
      "SELECT COUNT(*) AS n FROM world.cities JOIN world.countries ON code = country_code WHERE region = 'Oceania'",
    );
    expect([seen.length, new Set(seen).size]).toEqual([counted[0]?.n, counted[0]?.n]);
    expect(pages).toBeGreaterThan(2);
    expect(await errorOf(db.query.cities.page({ region: "Asia" }, { cursor: "forged" }))).toMatchObject({
      reason: "cursor_invalid",
    });
  });

  test("db.query is no promise", async () => {
    const { query } = connect();
    expect(await (async () => query)()).toBe(query);
  });
});

describe("a statement", () => {
  test("binds values, and never writes them into the text", async () => {
    const db = connect("client-values");
    const body = "'); DROP TABLE notes; -- ";
    await db.sql`INSERT INTO notes (city_id, author, body) VALUES (${1}, ${"client-values"}, ${body})`;
    expect(await notesOf("client-values")).toEqual([body]);
    const rows = await db.sql<{
      code: string;
    }>`SELECT code FROM countries WHERE code IN (${["NZ", "JP"]}) ORDER BY code`;
    expect(rows).toEqual([{ code: "JP" }, { code: "NZ" }]);
    expect(await db.statement("SELECT code FROM countries WHERE code = :c", { c: "NZ" })).toEqual([
      { code: "NZ" },
    ]);
    expect(await db.statement("SELECT code FROM countries WHERE code = ?", ["NZ"])).toEqual([{ code: "NZ" }]);
  });

  test("takes values of every type", async () => {
    const db = connect(undefined, { bigint: "bigint", decimal: "number", datetime: "utc" });
    const moment = new Date("2026-02-28T10:00:00.250Z");
    const [row] = await db.sql`SELECT CAST(${9223372036854775807n} AS SIGNED) AS big,
      CAST(${moment} AS DATETIME(3)) AS moment, HEX(${new Uint8Array([0, 255])}) AS bytes, CAST(${null} AS CHAR) AS nothing,
      CAST(${typed("DECIMAL", "1.10")} AS DECIMAL(5, 2)) AS tenths, CAST(${true} AS CHAR) AS yes`;
    expect(row).toEqual({ big: 2n ** 63n - 1n, moment, bytes: "00FF", nothing: null, tenths: 1.1, yes: "1" });
  });

  test("is executed once, when it is awaited", async () => {
    const db = connect("client-lazy");
    const insert = db.sql`INSERT INTO notes (city_id, author, body) VALUES (1, 'client-lazy', 'x')`;
    expect(await notesOf("client-lazy")).toEqual([]);
    expect(await insert).toEqual([]);
    expect((await insert.result()).rowsAffected).toBe(1);
    expect(await insert).toEqual([]);
    expect(await notesOf("client-lazy")).toEqual(["x"]);
    expect(await db.sql`SELEC 1`.catch((error: TidegateError) => error.code)).toBe("statement_refused");
  });

  test("has columns of one name in its columns, and a name as no other object has it", async () => {
    const whole = await connect().sql`SELECT 1 AS a, 2 AS a, 3 AS __proto__`.result();
    expect(whole.columns.map(({ name }) => name)).toEqual(["a", "a", "__proto__"]);
    expect(Object.getOwnPropertyNames(whole.rows[0])).toEqual(["a", "__proto__"]);
  });

  test("that fails after its first rows throws its error, behind the rows that came", async () => {
    const token = () => gateway.token({ role: "limited" });
    const db = createClient({ url: url(), token, retry: { tries: 1 } });
    const many = () => db.sql`SELECT a.id, REPEAT('x', 100) AS filler FROM cities AS a, cities AS b`;
    let rows = 0;
    const read = async () => {
      for await (const { id } of many().stream()) rows += id === null ? 0 : 1;
    };
    expect(await errorOf(read())).toMatchObject({
      code: "result_too_large",
      status: 413,
      requestId: expect.any(String),
    });
    expect(rows).toBe(5_000);
    expect((await errorOf(many())).code).toBe("result_too_large");
    expect((await errorOf(db.sql`SELECT * FROM nowhere`)).problem.errno).toBe(1146);
  });

  test("tells what is no value, without sending it", () => {
    const { sql } = connect();
    const wrong = [
      undefined,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      {},
      () => 1,
      Symbol("s"),
      [[1]],
      [undefined],
    ];
    for (const value of wrong) expect(() => sql`SELECT ${value as string}`).toThrow(TypeError);
    expect(() => sql`SELECT ${new Date(Number.NaN)}`).toThrow(RangeError);
    expect(() => (sql as unknown as (text: string) => void)("SELECT 1")).toThrow(/tag/);
  });

  test("gives a BIGINT as a number, or says that it cannot", async () => {
    const db = connect(undefined, { bigint: "number" });
    expect(await db.sql`SELECT CAST(9007199254740991 AS SIGNED) AS n`).toEqual([{ n: 2 ** 53 - 1 }]);
    const error = await errorOf(db.sql`SELECT CAST(9007199254740993 AS SIGNED) AS n`);
    expect([error.code, error.message.includes("9007199254740993")]).toEqual(["number_unsafe", false]);
  });

  test("gives JSON with its digits", async () => {
    const text = '{"n": 12345678901234567890, "s": "[\\"},\\\\"}';
    await administrator.query("DROP TABLE IF EXISTS world.client_json");
    await administrator.query("CREATE TABLE world.client_json (id INT PRIMARY KEY, doc JSON)");
    try {
      await administrator.query("INSERT INTO world.client_json VALUES (1, ?), (2, NULL)", [text]);
      await administrator.query("GRANT SELECT ON world.client_json TO editor").catch(() => {});
      const db = connect(undefined, { json: "text" });
      const select = () =>
        db.sql<{ doc: string | null }>`SELECT id, doc, 'x,y' AS t FROM client_json ORDER BY id`;
      const rows = await select();
      expect(rows.map(({ doc }) => doc?.replaceAll(/\s/g, ""))).toEqual([
        text.replaceAll(/\s/g, ""),
        undefined,
      ]);
      const [batched] = await db.batch([select()]);
      expect(batched.rows).toEqual(rows);
      const plain = connect();
      const [first] = await plain.sql`SELECT doc FROM client_json`;
      expect(first).toEqual({ doc: JSON.parse(text) });
    } finally {
      await administrator.query("DROP TABLE world.client_json");
    }
  });
});

describe("a batch", () => {
  test("happens as a whole, and its statements refer to each other", async () => {
    const db = connect("client-batch");
    const [inserted, selected] = await db.batch([
      db.sql`INSERT INTO notes (city_id, author, body) VALUES (1, 'client-batch', 'both')`,
      db.sql<{ body: string }>`SELECT body FROM notes WHERE id = ${ref("0.last_insert_id")}`,
    ]);
    expect(inserted.rowsAffected).toBe(1);
    expect(selected.rows).toEqual([{ body: "both" }]);
    const error = await errorOf(
      db.batch([
        db.sql`INSERT INTO notes (city_id, author, body) VALUES (1, 'client-batch', 'undone')`,
        db.sql`SELECT * FROM nowhere`,
      ]),
    );
    expect([error.code, error.problem.statement]).toEqual(["sql_error", 1]);
    const tooMany = db.sql`DELETE FROM notes WHERE author = 'client-batch'`.maxAffected(0);
    expect((await errorOf(db.batch([tooMany]))).code).toBe("max_affected_exceeded");
    expect(await notesOf("client-batch")).toEqual(["both"]);
  });

  test("can be tried, and can be one that only reads", async () => {
    const db = connect("client-dry");
    const insert = () => db.sql`INSERT INTO notes (city_id, author, body) VALUES (1, 'client-dry', 'x')`;
    const [tried] = await db.batch([insert()], { dryRun: true, isolation: "read committed" });
    expect(tried.rowsAffected).toBe(1);
    expect((await errorOf(db.batch([insert()], { readOnly: true }))).reason).toBe("read_only");
    expect(await notesOf("client-dry")).toEqual([]);
  });
});
