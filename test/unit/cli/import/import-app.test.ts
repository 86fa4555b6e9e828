// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a Data App writes its placeholders so.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { files, readDataApp } from "../../../../cli/import/data-app.ts";
import type { Wanted } from "../../../../cli/import/import-app.ts";
import { importApp } from "../../../../cli/import/import-app.ts";
import { packageRoot } from "../../../../cli/project/paths.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";

const folder = join(packageRoot, "test", "data-app");
const read = (path: string) =>
  existsSync(join(folder, path)) ? readFileSync(join(folder, path), "utf8") : undefined;
const textOf = (path: string) => readFileSync(join(folder, path), "utf8");

/** The sample of test/data-app. */
function sample(more: Partial<Wanted> = {}) {
  const app = readDataApp({
    app: textOf(files.app),
    clusters: textOf(files.clusters),
    endpoints: textOf(files.endpoints),
  });
  return importApp(app, { database: "bookshop", cluster: undefined, read, ...more });
}

interface Made {
  method?: string;
  params?: Record<string, unknown>[];
  settings?: Record<string, unknown>;
  more?: Record<string, unknown>;
}

/** One endpoint with this SQL. */
function one(sql: string, { method = "GET", params = [], settings = {}, more = {} }: Made = {}) {
  const endpoint = { name: "", endpoint: "/a", sql_file: "sql/a.sql", method, params, settings, ...more };
  const app = readDataApp({ endpoints: JSON.stringify([endpoint]) });
  const {
    files: made,
    report,
    complete,
  } = importApp(app, {
    ...{ database: "shop", cluster: undefined },
    read: () => sql,
  });
  const [file] = made;
  return { text: file?.text, query: file && parseQuery(file.name, file.text), report, complete };
}

describe("the sample Data App", () => {
  const { files: made, report, complete } = sample();
  const text = (name: string) => made.find((file) => file.name === name)?.text;

  test("becomes files that the gateway takes", () => {
    expect(made.map(({ name }) => name)).toEqual([
      ...["books-get.sql", "books-post.sql", "books-put.sql", "books-delete.sql", "books-id.sql"],
      ...["best-sellers.sql", "books-by-ids.sql", "visits.sql"],
    ]);
    for (const file of made) expect(parseQuery(file.name, file.text).name).toBe(file.name.slice(0, -4));
  });

  test("a search with pages, a tag and a cache", () => {
    expect(text("books-get.sql")).toBe(`-- Search books
--
-- Finds books by a part of their title.
--
-- An empty word finds every title.
--
-- Was GET /books of the Data App bookshop.
--
-- @param q string default null
-- @param genre string default "novel" enum ["novel","poetry","travel"] - The shelf
-- @page offset size 10 max 100
-- @deadline_ms 5000
-- @cache 60
-- @tags shop-window
SELECT id, title, price
FROM books
WHERE title LIKE CONCAT('%', :q, '%') AND genre = :genre
ORDER BY title, id;
`);
  });

  test("the report says what differs, and counts", () => {
    expect(complete).toBe(false);
    expect(report.at(-1)).toBe("8 carried over, 7 of them with remarks; 6 not");
    const told = report.join("\n");
    for (const line of [
      "queries/books-put.sql: PUT /books is now POST /v1/queries/books-put\n  - not carried over: batch_operation: ",
      "queries/books-id.sql: GET /books/{id} is now GET or POST /v1/queries/books-id\n  - id was a part of the path",
      "  - n counts rows: it is an integer from 1 to 50 now\n",
      "  - not carried over: unused is left out: the SQL does not use it\n",
      "  - not carried over: timeout 30 is left out: ",
      "  - ids is an array of unknown elements, declared integer[]: ",
      "  - total is called total_value: ",
      "  - not carried over: USE other_shop is left out, and the gateway's database is bookshop: write other_shop.TABLE\n",
      "  - it was a GET that writes: ",
      "NOT carried over: GET /report\n  - http_endpoints/sql/GET-report.sql:3: a second statement: ",
      "NOT carried over: GET /anyTable\n  - http_endpoints/sql/GET-anyTable.sql: table: no parameter can be a name\n",
      "NOT carried over: GET /orders\n  - its cluster is 1379661944646194202, ",
      "NOT carried over: GET /broken\n  - http_endpoints/config.json: The default of id must be an integer",
      "NOT carried over: GET /missing\n  - http_endpoints/sql/GET-missing.sql: there is no such file",
      "NOT carried over: POST /chat2data\n  - it is a system endpoint (system-data)",
    ])
      expect(told).toContain(line);
  });

  test("--cluster takes the endpoints of the other cluster", () => {
    const other = sample({ cluster: "1379661944646194202" });
    expect(other.files.map(({ name }) => name)).toEqual(["orders.sql"]);
  });
});

describe("an endpoint", () => {
  test("without anything that differs is complete", () => {
    const { complete, report, query } = one("USE shop;\nSELECT a FROM t WHERE b = ${b};", {
      params: [{ name: "b", type: "integer", required: 1 }],
      settings: { timeout: 2000, row_limit: 10 },
    });
    expect(complete).toBe(true);
    expect(report).toEqual([
      "queries/a.sql: GET /a is now GET or POST /v1/queries/a",
      "",
      "1 carried over, 0 of them with remarks; 0 not",
    ]);
    expect(query).toMatchObject({
      deadlineMs: 2000,
      maxRows: 10,
      parameters: [{ name: "b", type: "integer", required: true }],
    });
  });

  test.each([
    [{ type: "string" }, { type: "string", required: false, default: null }],
    [
      { type: "string", default: "a" },
      { type: "string", required: false, default: "a" },
    ],
    [
      { type: "string", default: "a", required: 1 },
      { type: "string", required: true },
    ],
    [
      { type: "integer", default: "7", enum: "7,8" },
      { type: "integer", default: 7, enum: [7, 8] },
    ],
    [
      { type: "number", default: "1.5" },
      { type: "number", default: 1.5 },
    ],
    [
      { type: "boolean", default: "false" },
      { type: "boolean", default: false },
    ],
    [
      { type: "uuid", required: 1 },
      { type: "string", required: true },
    ],
  ])("the parameter %j is %j", (source, parameter) => {
    const { query } = one("SELECT a FROM t WHERE b = ${b}", { params: [{ name: "b", ...source }] });
    expect(query?.parameters).toMatchObject([parameter]);
  });

  test("an array is declared by its default", () => {
    const { query, report } = one("SELECT a FROM t WHERE b IN ${b}", {
      params: [{ name: "b", type: "array", required: 1 }],
    });
    expect(query?.parameters).toMatchObject([{ type: "string", list: true, required: true }]);
    expect(report.join("\n")).toContain("b is an array of unknown elements, declared string[]");
  });

  test("a count of rows is bounded", () => {
    const params = ["n", "o"].map((name) => ({ name, type: "number" }));
    const { query } = one("SELECT a FROM t ORDER BY a LIMIT ${n} OFFSET ${o}", { params });
    expect(query?.parameters).toMatchObject([
      { type: "integer", min: 1, max: 1000, default: 1000 },
      { type: "integer", min: 0, max: 100_000, default: 0 },
    ]);
  });

  test.each([
    ["SELECT a FROM t", "the statement has no ORDER BY"],
    ["SELECT a FROM t ORDER BY a LIMIT 5", "the statement has its own LIMIT"],
    ["UPDATE t SET a = (SELECT 1 ORDER BY 1)", "a query that writes has no pages"],
  ])("pages of %s are not carried over", (sql, why) => {
    const { report, query, complete } = one(sql, { settings: { enable_pagination: 1 } });
    expect(query?.page).toBeUndefined();
    expect(report.join("\n")).toContain(why);
    expect(complete).toBe(false);
  });

  test("a placeholder that params lack is a text that must be sent", () => {
    const { query, report } = one("SELECT a FROM t WHERE b = ${b}");
    expect(query?.parameters).toMatchObject([{ name: "b", type: "string", required: true }]);
    expect(report.join("\n")).toContain("b is in the SQL and not in params");
  });

  test.each([
    ["", "http_endpoints/sql/a.sql: it has no statement"],
    ["USE a;", "http_endpoints/sql/a.sql: it has no statement"],
    ["USE a; USE b; SELECT 1", "http_endpoints/sql/a.sql: it uses several databases: a, b"],
    ["USE a;\n\nLOCK TABLES t READ", "http_endpoints/sql/a.sql:3: "],
    ["SELECT a\nFROM t\nWHERE b = $b", "http_endpoints/sql/a.sql:1: "],
    ["\nSELECT a\nFROM t\nWHERE b = ?", "http_endpoints/sql/a.sql:4: "],
  ])("%j is not carried over, with its place", (sql, reason) => {
    const { text, report, complete } = one(sql);
    expect({ text, complete }).toEqual({ text: undefined, complete: false });
    expect(report[1]).toContain(`  - ${reason}`);
  });

  test("names of several endpoints never collide", () => {
    const paths = ["/a/b", "/a-b", "/A/B", "/1", "/書籍"];
    const endpoints = paths.map((endpoint) => ({ method: "GET", endpoint, sql_file: "sql/a.sql" }));
    const app = readDataApp({ endpoints: JSON.stringify(endpoints) });
    const { files: made } = importApp(app, {
      database: "shop",
      cluster: undefined,
      read: () => "SELECT a FROM t",
    });
    expect(made.map(({ name }) => name)).toEqual([
      "a-b-get.sql",
      "a-b-get-2.sql",
      "a-b-get-3.sql",
      "n1.sql",
      "endpoint.sql",
    ]);
  });
});
