import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { QueryFile } from "../../../src/catalog/parse.ts";
import { limits } from "../../../src/limits.ts";
import { lineOf } from "../support/ask.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer, engine, expectProblem, read } from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";
import type { Started } from "../support/two-ways.ts";
import { startWay, ways } from "../support/two-ways.ts";

/** Saved queries that are answered in pages, through the pool and through Hyperdrive. */

interface KeyType {
  type: string;
  /** As SQL. Each value stands in two rows, so the pages end within equal values. */
  values: string[];
}

const keyTypes: Record<string, KeyType> = {
  tiny: { type: "TINYINT", values: ["-128", "0", "127"] },
  big: { type: "BIGINT", values: ["-9223372036854775808", "-1", "9007199254740993", "9223372036854775807"] },
  unsigned: { type: "BIGINT UNSIGNED", values: ["0", "9223372036854775808", "18446744073709551615"] },
  digits: {
    type: "DECIMAL(40, 10)",
    values: ["-0.5", "0", "0.0000000001", "123456789012345678901234567890.0000000001"],
  },
  day: { type: "DATE", values: ["'1000-01-01'", "'2026-02-28'", "'9999-12-31'"] },
  moment: {
    type: "DATETIME(6)",
    values: ["'2026-02-28 10:00:00'", "'2026-02-28 10:00:00.000001'", "'2026-02-28 10:00:00.1'"],
  },
  second: { type: "DATETIME", values: ["'2026-02-28 10:00:00'", "'2026-02-28 10:00:01'"] },
  stamp: { type: "TIMESTAMP(3) NULL", values: ["'2026-02-28 10:00:00.001'", "'2026-10-25 02:30:00'"] },
  // Upper and lower case are equal here, so `id` decides between them.
  word: {
    type: "VARCHAR(20) COLLATE utf8mb4_general_ci",
    values: ["''", "'a'", "'A'", "'b'", "'B '", "'it''s'", "'\\\\'", "'é'", "'日本'", "'💡'"],
  },
  exact: { type: "CHAR(5) COLLATE utf8mb4_bin", values: ["'A'", "'a'", "'b'"] },
  story: { type: "TEXT COLLATE utf8mb4_general_ci", values: ["'once'", "'Once upon'", "'twice'"] },
  bytes: { type: "BINARY(3)", values: ["x'000000'", "x'00ff00'", "x'41'", "x'ffffff'"] },
  varbytes: { type: "VARBINARY(8)", values: ["x''", "x'00'", "x'27'", "x'5c'", "x'ff'"] },
};

/** Columns that cannot order pages. */
const otherTypes: Record<string, KeyType> = {
  real: { type: "FLOAT", values: ["0.1", "0.2"] },
  double: { type: "DOUBLE", values: ["0.1", "0.2"] },
  choice: { type: "ENUM('b', 'a')", values: ["'a'", "'b'"] },
  clock: { type: "TIME", values: ["'10:00:00'", "'11:00:00'"] },
  nothing: { type: "INT NULL", values: ["NULL"] },
  some: { type: "INT NULL", values: ["1", "2", "NULL"] },
  long: { type: "VARCHAR(300)", values: ["REPEAT('x', 256)"] },
};

const tables = { ...keyTypes, ...otherTypes };

function file(name: string, head: string, sql: string): QueryFile {
  return { name: `${name}.sql`, text: `-- A query of this test.\n--\n${head}\n${sql}\n` };
}

const queries: QueryFile[] = [
  ...Object.keys(tables).flatMap((name) => [
    file(`all-${name}`, "-- @max_rows 100", `SELECT k, id FROM k_${name} ORDER BY k, id`),
    file(`up-${name}`, "-- @page keyset k, id size 3 max 50", `SELECT k, id FROM k_${name}`),
    file(`down-${name}`, "-- @page keyset k desc, id size 3 max 50", `SELECT k, id FROM k_${name}`),
  ]),
  file(
    "cities",
    "-- @page keyset country_code, population desc, id size 700 max 2000",
    "SELECT id, name, country_code, population FROM world.cities",
  ),
  file(
    "cities-counted",
    "-- @page offset size 700 max 2000",
    "SELECT id, name, country_code, population FROM world.cities ORDER BY country_code, population DESC, id",
  ),
  ...["items", "items-too"].map((name) =>
    file(
      name,
      "-- @claim team string\n-- @param kinds string[]\n-- @page keyset id size 2 max 4",
      "SELECT id, kind FROM items WHERE kind IN (:kinds) AND team = :jwt.team",
    ),
  ),
  file("changing", "-- @page keyset rank_of, id size 2 max 100", "SELECT rank_of, id FROM changing"),
  file("large", "-- @page keyset id size 100 max 100", "SELECT id, REPEAT('x', 200000) AS text FROM items"),
  file(
    "deep",
    "-- @page offset size 1 max 10000",
    "SELECT a.id FROM items AS a, items AS b, items AS c, items AS d WHERE d.id < 7 ORDER BY a.id",
  ),
  file("whole", "-- @max_rows 9", "SELECT id FROM items ORDER BY id"),
];

let administrator: Connection;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await administrator.query("DROP DATABASE IF EXISTS paging");
  await administrator.query("CREATE DATABASE paging");
  await administrator.query("USE paging");
  await administrator.query("SET time_zone = '+00:00'");
  for (const [name, { type, values }] of Object.entries(tables)) {
    await administrator.query(
      `CREATE TABLE k_${name} (id INT PRIMARY KEY, k ${type}, KEY (k${type.startsWith("TEXT") ? "(9)" : ""}))`,
    );
    const rows = [...values, ...values].map((value, id) => `(${id}, ${value})`);
    await administrator.query(`INSERT INTO k_${name} (id, k) VALUES ${rows.join(", ")}`);
  }
  await administrator.query("CREATE TABLE items (id INT PRIMARY KEY, kind VARCHAR(9), team VARCHAR(9))");
  const items = Array.from({ length: 25 }, (_, id) => `(${id}, '${"abc"[id % 3]}', 'red')`);
  await administrator.query(
    `INSERT INTO items VALUES ${items.join(", ")}, (98, 'a', 'blue'), (99, 'a', 'blue')`,
  );
  await administrator.query("CREATE TABLE changing (id INT PRIMARY KEY, rank_of INT NOT NULL)");
  await createLogin(administrator, "gw_paging", "IDENTIFIED BY SECRET REQUIRE SSL");
  await administrator.query("GRANT SELECT ON paging.* TO gw_paging");
});
afterAll(async () => {
  await administrator?.query("DROP DATABASE IF EXISTS paging");
  await administrator?.query("DROP USER IF EXISTS gw_paging");
  await administrator?.end();
});

describe.each(ways)("%s", (way) => {
  let started: Started;
  beforeAll(async () => {
    const accounts = { paging: {}, second: {}, narrow: {}, moved: { time_zone: "Europe/Berlin" } };
    started = await startWay(way, {
      ...{ database: "paging", user: "gw_paging", accounts, queries },
      allow: ["query:*", "sql:read"],
      ceilings: { narrow: { max_rows: 3 } },
    });
  });
  afterAll(() => started?.close());

  interface Asking {
    headers?: Record<string, string>;
    claims?: Record<string, unknown>;
    /** Sends a POST. */
    body?: unknown;
    method?: string;
  }

  async function ask(path: string, { headers, claims, body, method }: Asking = {}): Promise<Answer> {
    const { gateway } = started;
    const authorization = `Bearer ${await gateway.token({ role: "paging", team: "red", ...claims })}`;
    const json = body === undefined ? {} : { "content-type": "application/json" };
    return await read(
      await gateway.fetch(path, {
        method: method ?? (body === undefined ? "GET" : "POST"),
        headers: { authorization, ...json, ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
  }

  /** @returns the address behind a relation of the answer's Link; undefined if it has none */
  function link({ headers }: Answer, relation = "next"): string | undefined {
    const links = [...(headers.get("link") ?? "").matchAll(/<([^>]*)>; rel="(\w+)"/g)];
    return links.find(([, , rel]) => rel === relation)?.[1];
  }

  /** Follows the links from a first page to the last one. */
  async function walk(path: string, asking: Asking = {}): Promise<Answer[]> {
    const pages: Answer[] = [];
    for (let at: string | undefined = path; at !== undefined; ) {
      const page: Answer = await ask(at, asking);
      expect(page.status, JSON.stringify(page.body)).toBe(200);
      pages.push(page);
      at = link(page);
    }
    return pages;
  }

  const rowsOf = (pages: Answer[]) => pages.flatMap(({ body }) => body.rows);
  const cursorOf = (answer: Answer) =>
    new URL(link(answer) ?? "", "http://gateway.test").searchParams.get("cursor") ?? "";

  test.each(Object.keys(keyTypes))("pages in the order of %s have each row once", async (name) => {
    const { rows } = (await ask(`/v1/queries/all-${name}`)).body;
    expect(rows.length).toBe((keyTypes[name]?.values.length ?? 0) * 2);
    const pages = await walk(`/v1/queries/up-${name}`);
    expect(
      pages
        .map(({ body }) => body.rows.length)
        .slice(0, -1)
        .every((count) => count === 3),
    ).toBe(true);
    expect(rowsOf(pages)).toEqual(rows);
    // Every page size ends at other rows.
    for (const size of [1, 2, 5]) {
      expect(rowsOf(await walk(`/v1/queries/up-${name}?page_size=${size}`))).toEqual(rows);
    }
    const down = rowsOf(await walk(`/v1/queries/down-${name}?page_size=1`));
    const [sorted] = await administrator.query(`SELECT id FROM paging.k_${name} ORDER BY k DESC, id`);
    expect(down.map(({ id }: { id: number }) => id)).toEqual(
      (sorted as { id: number }[]).map(({ id }) => id),
    );
  });

  test.each(Object.keys(otherTypes))("%s cannot order pages: the operator's log says it", async (name) => {
    const answer = await ask(`/v1/queries/up-${name}?page_size=1`);
    expectProblem(answer, 500, "query_broken");
    expect(JSON.stringify(answer.body)).not.toMatch(/\bk\b|FLOAT|NULL/);
    expect((await lineOf(started.gateway, answer))?.reason).toMatch(/^@page: .*\bk\b/);
  });

  // NULL is behind every value in descending order, where a comparison alone would not find it.
  test("rows with NULL are answered or refused, and never lost", async () => {
    const whole = await walk("/v1/queries/down-some?page_size=2");
    expect(rowsOf(whole).map(({ k }: { k: number | null }) => k)).toEqual([2, 2, 1, 1, null, null]);
    const pages = await walk("/v1/queries/down-some?page_size=4");
    expect(pages.map(({ body }) => body.rows.length)).toEqual([4, 2]);
    const first = await ask("/v1/queries/down-some?page_size=5");
    expectProblem(first, 500, "query_broken");
    const four = link(await ask("/v1/queries/down-some?page_size=4")) ?? "";
    expectProblem(await ask(four.replace("page_size=4", "page_size=1")), 500, "query_broken");
  });

  // The other servers know a zone by its name only if its tables are filled.
  test.skipIf(engine !== "tidb")(
    "a TIMESTAMP orders no pages in a zone whose clocks are put back",
    async () => {
      const answer = await ask("/v1/queries/up-stamp", { claims: { role: "moved" } });
      expectProblem(answer, 500, "query_broken");
      expect((await lineOf(started.gateway, answer))?.reason).toContain("Europe/Berlin");
      expect((await ask("/v1/queries/up-moment", { claims: { role: "moved" } })).status).toBe(200);
    },
  );

  test.each(["cities", "cities-counted"])("all %s, with many ties, in mixed directions", async (name) => {
    const pages = await walk(`/v1/queries/${name}?rows=array&page_size=2000`);
    const rows = rowsOf(pages);
    const [sorted] = await administrator.query({
      sql: "SELECT id FROM world.cities ORDER BY country_code, population DESC, id",
      rowsAsArray: true,
    });
    expect(rows.map(([id]: [number]) => id)).toEqual((sorted as [number][]).flat());
    expect(pages.length).toBe(Math.ceil(rows.length / 2000));
  });

  test("rows that come and go between pages shift no other row", async () => {
    await administrator.query("DELETE FROM paging.changing");
    const ids = [10, 20, 30, 40, 50, 60];
    await administrator.query(`INSERT INTO paging.changing VALUES ${ids.map((id) => `(${id}, ${id / 20})`)}`);
    const first = await ask("/v1/queries/changing");
    // The last row of the page is gone, one came before it, and two behind it.
    await administrator.query("DELETE FROM paging.changing WHERE id IN (20, 40)");
    await administrator.query("INSERT INTO paging.changing VALUES (5, 0), (35, 2), (70, 4)");
    const rest = await walk(link(first) ?? "");
    const seen = rowsOf([first, ...rest]).map(({ id }: { id: number }) => id);
    const [sorted] = await administrator.query("SELECT id FROM paging.changing ORDER BY rank_of, id");
    const now = (sorted as { id: number }[]).map(({ id }) => id).filter((id) => id !== 5);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id: number) => ![20, 40].includes(id))).toEqual(now);
  });

  test("the link keeps the caller's parameters, the form of the rows and the size", async () => {
    const path = "/v1/queries/items?kinds=a&kinds=b%26%3E&rows=array&page_size=3&total=true";
    const page = await ask(path);
    const next = link(page) ?? "";
    expect(next).toMatch(
      /^\/v1\/queries\/items\?kinds=a&kinds=b%26%3E&rows=array&page_size=3&cursor=[\w-]+$/,
    );
    expect(link(page, "first")).toBe("/v1/queries/items?kinds=a&kinds=b%26%3E&rows=array&page_size=3");
    const last = (await walk(path)).at(-1);
    expect(last?.headers.get("link")).toBe(`<${link(page, "first")}>; rel="first"`);
  });

  test("a page that ends with the last row has no next page", async () => {
    const ids = [0, 3, 6, 9, 12, 15, 18, 21, 24];
    const page = await ask(`/v1/queries/items?kinds=a&page_size=4`);
    expect(page.body.rows).toEqual(ids.slice(0, 4).map((id) => ({ id, kind: "a" })));
    const pages = await walk("/v1/queries/items?kinds=a&page_size=3");
    expect(pages.map(({ body }) => body.rows.length)).toEqual([3, 3, 3]);
    const none = await ask("/v1/queries/items?kinds=nothing");
    expect([none.status, none.body.rows, link(none)]).toEqual([200, [], undefined]);
  });

  test("POST takes the paging in its query, and the same body for each page", async () => {
    const body = { kinds: ["a", "c"] };
    const pages = await walk("/v1/queries/items?page_size=4", { body });
    const ids = rowsOf(pages).map(({ id }: { id: number }) => id);
    expect(ids).toEqual(Array.from({ length: 25 }, (_, id) => id).filter((id) => id % 3 !== 1));
    // The cursor is the same for GET, whose parameters are the same.
    expect(
      (await ask(`/v1/queries/items?kinds=a&kinds=c&cursor=${cursorOf(pages[0] as Answer)}`)).status,
    ).toBe(200);
    const other = await ask(link(pages[0] as Answer) ?? "", { body: { kinds: ["a", "b"] } });
    expect(other.body).toMatchObject({ code: "parameter_invalid", reason: "cursor_invalid" });
  });

  test.each([
    [
      "application/x-ndjson",
      (text: string) => text.split("\n").filter((line) => line.startsWith('{"id"')).length,
    ],
    ["text/csv", (text: string) => text.trimEnd().split("\r\n").length - 1],
  ])("a page as %s", async (accept, count) => {
    const { gateway } = started;
    const headers = {
      accept,
      authorization: `Bearer ${await gateway.token({ role: "paging", team: "red" })}`,
    };
    const counts: number[] = [];
    for (let at: string | undefined = "/v1/queries/items?kinds=a&page_size=4"; at !== undefined; ) {
      const response: Response = await gateway.fetch(at, { headers });
      expect(response.headers.get("content-type")).toContain(accept);
      const text = await response.text();
      counts.push(count(text));
      at = link({ status: response.status, headers: response.headers, body: text });
    }
    expect(counts).toEqual([4, 4, 1]);
  });

  test("the total is counted on request only", async () => {
    expect((await ask("/v1/queries/items?kinds=a&total=false")).headers.has("total-count")).toBe(false);
    const first = await ask("/v1/queries/items?kinds=a&kinds=b&total=true");
    expect(first.headers.get("total-count")).toBe("17");
    expect((await ask(`${link(first)}&total=true`)).headers.get("total-count")).toBe("17");
    expect((await ask("/v1/queries/items?kinds=nothing&total=true")).headers.get("total-count")).toBe("0");
    const [[{ count }]] = (await administrator.query(
      "SELECT COUNT(*) AS count FROM world.cities",
    )) as unknown as [[{ count: number }]];
    const counted = await ask("/v1/queries/cities-counted?page_size=1&total=true");
    expect(counted.headers.get("total-count")).toBe(String(count));
    expect(counted.body.rows).toHaveLength(1);
  });

  describe("a cursor is refused", () => {
    const path = "/v1/queries/items?kinds=a&page_size=2";
    async function refused(at: string, asking: Asking = {}) {
      const answer = await ask(at, asking);
      expectProblem(answer, 400, "parameter_invalid");
      expect(answer.body.reason).toBe("cursor_invalid");
      expect(answer.headers.has("link")).toBe(false);
    }

    test("of another query, page, caller, account, parameter or claim", async () => {
      const cursor = cursorOf(await ask(path));
      expect((await ask(`${path}&cursor=${cursor}`)).status).toBe(200);
      // The size of the page is no part of it.
      expect((await ask(`/v1/queries/items?kinds=a&page_size=4&cursor=${cursor}`)).status).toBe(200);
      await refused(`/v1/queries/items-too?kinds=a&cursor=${cursor}`);
      await refused(`/v1/queries/cities?cursor=${cursor}`);
      await refused(`/v1/queries/cities-counted?cursor=${cursor}`);
      await refused(`${path}&cursor=${cursor}`, { claims: { sub: "someone else" } });
      await refused(`${path}&cursor=${cursor}`, { claims: { role: "second" } });
      await refused(`${path}&cursor=${cursor}`, { claims: { team: "blue" } });
      await refused(`/v1/queries/items?kinds=b&cursor=${cursor}`);
      await refused(`/v1/queries/items?kinds=a&kinds=b&cursor=${cursor}`);
      const up = cursorOf(await ask("/v1/queries/up-tiny"));
      await refused(`/v1/queries/down-tiny?cursor=${up}`);
      const counted = cursorOf(await ask("/v1/queries/cities-counted?page_size=1"));
      await refused(`/v1/queries/cities?cursor=${counted}`);
      await refused(`/v1/queries/deep?cursor=${counted}`);
    });

    test("changed, cut, longer, or of another form", async () => {
      const cursor = cursorOf(await ask(path));
      for (let at = 0; at < cursor.length; at += 5) {
        const other = cursor[at] === "A" ? "B" : "A";
        await refused(`${path}&cursor=${cursor.slice(0, at)}${other}${cursor.slice(at + 1)}`);
      }
      for (const wrong of [
        cursor.slice(0, -1),
        cursor.slice(0, 22),
        cursor.slice(1),
        `${cursor}A`,
        "",
        "A",
        "%20",
      ]) {
        await refused(`${path}&cursor=${wrong}`);
      }
      await refused(`${path}&cursor=${cursor}%3D`);
      await refused(`${path}&cursor=${"A".repeat(limits.cursorCharacters + 1)}`);
    });
  });

  test.each([
    ["page_size=0", "wrong_type"],
    ["page_size=-1", "wrong_type"],
    ["page_size=5", "wrong_type"],
    ["page_size=1.0", "wrong_type"],
    ["page_size=01", "wrong_type"],
    ["page_size=1e0", "wrong_type"],
    ["page_size=", "wrong_type"],
    ["page_size=%D9%A3", "wrong_type"],
    ["page_size=99999999999999999999", "wrong_type"],
    ["page_size=2&page_size=2", "duplicate_parameter"],
    ["cursor=A&cursor=A", "duplicate_parameter"],
    ["total=1", "wrong_type"],
    ["total=", "wrong_type"],
    ["total=true&total=true", "duplicate_parameter"],
  ])("?%s is refused", async (pair, reason) => {
    for (const body of [undefined, { kinds: ["a"] }]) {
      const own = body === undefined ? "kinds=a&" : "";
      const answer = await ask(`/v1/queries/items?${own}${pair}`, { body });
      expectProblem(answer, 400, "parameter_invalid");
      expect(answer.body.reason).toBe(reason);
    }
  });

  test("every wrong parameter is named at once", async () => {
    const answer = await ask("/v1/queries/items?kind=a&page_size=0&total=maybe&cursor=A&cursor=B");
    expectProblem(answer, 400, "parameter_invalid");
    const faults = answer.body.errors.map(({ path, reason }: Record<string, string>) => [path, reason]);
    expect(faults).toEqual(
      expect.arrayContaining([
        ["/page_size", "wrong_type"],
        ["/cursor", "duplicate_parameter"],
        ["/total", "wrong_type"],
        ["/kinds", "missing_parameter"],
        ["/kind", "surplus_parameter"],
      ]),
    );
    expect(answer.body.reason).toBe(faults[0][1]);
  });

  test("a query without pages takes none of these parameters", async () => {
    for (const pair of ["page_size=1", "cursor=A", "total=true"]) {
      for (const asking of [{}, { body: {} }]) {
        const answer = await ask(`/v1/queries/whole?${pair}`, asking);
        expectProblem(answer, 400, "parameter_invalid");
        expect(answer.body.reason).toBe("surplus_parameter");
      }
    }
  });

  test("a page has as many rows as the ceiling allows, and the next ones have the others", async () => {
    const asking = { claims: { role: "narrow" } };
    const pages = await walk("/v1/queries/large", asking);
    expect(pages.map(({ body }) => body.rows.length)).toEqual([3, 3, 3, 3, 3, 3, 3, 3, 3]);
    expect((await ask("/v1/queries/large?page_size=4", asking)).body.reason).toBe("wrong_type");
  });

  test("a page that is too large to be held is refused; a smaller one is not", async () => {
    expectProblem(await ask("/v1/queries/large"), 413, "result_too_large");
    const page = await ask("/v1/queries/large?page_size=2");
    expect([page.status, page.body.rows.length, link(page) !== undefined]).toEqual([200, 2, true]);
  });

  test("pages end where it becomes too expensive to count rows", async () => {
    let page = await ask("/v1/queries/deep?page_size=10000");
    for (let skipped = 0; skipped < limits.pageOffset; skipped += 10_000) {
      page = await ask(link(page) ?? "");
      expect(page.body.rows).toHaveLength(10_000);
    }
    expectProblem(await ask(link(page) ?? ""), 413, "result_too_large");
  });

  test("HEAD checks the parameters and runs no statement", async () => {
    const authorization = `Bearer ${await started.gateway.token({ role: "paging", team: "red" })}`;
    const head = (pair: string) =>
      started.gateway.fetch(`/v1/queries/items?kinds=a${pair}`, {
        method: "HEAD",
        headers: { authorization },
      });
    const good = await head("&page_size=2");
    expect([good.status, good.headers.get("server-timing"), good.headers.get("link")]).toEqual([
      ...[200, null, null],
    ]);
    for (const pair of ["&page_size=0", "&cursor=A"]) expect((await head(pair)).status).toBe(400);
  });
});
