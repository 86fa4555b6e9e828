// Runs on mariadb only: the engine has no part in what it tests.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Gateway } from "../support/harness.ts";
import { expectProblem, read, startGateway } from "../support/harness.ts";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.close());

const json = "application/json; charset=utf-8";
const ndjson = "application/x-ndjson; charset=utf-8";
const csv = "text/csv; charset=utf-8; header=present";

const sql = "SELECT name, area_km2, NULL AS nothing FROM countries WHERE code IN ('JP', 'NZ') ORDER BY name";

function ask(accept: string | undefined, statement: string = sql, path?: string) {
  const headers = accept === undefined ? {} : { accept };
  return gateway.sql({ sql: statement }, { headers, ...(path && { path }) });
}

function lines(text: string): unknown[] {
  expect(text.endsWith("\n")).toBe(true);
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** The harness parses every answer with "json" in its type as one document, so this reads the text. */
async function text(path: string, accept: string, init: RequestInit = {}): Promise<[Response, string]> {
  const headers = { authorization: `Bearer ${await gateway.token()}`, accept, ...init.headers };
  const response = await gateway.fetch(path, { ...init, headers });
  return [response, await response.text()];
}

const statement = (of: string = sql): RequestInit => ({
  method: "POST",
  body: JSON.stringify({ sql: of }),
  headers: { "content-type": "application/json" },
});

describe("a statement's answer", () => {
  test.each([
    [undefined, json],
    ["*/*", json],
    ["text/html, */*;q=0.1", json],
    ["text/csv;q=0.5, application/json;q=0.6", json],
    ["text/csv, application/json", csv],
    ["application/json;odata=verbose", json],
    ["application/json;charset=utf8", json],
  ])("Accept: %s gives %s", async (accept, type) => {
    const answer = await ask(accept);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe(type);
    expect(answer.headers.get("vary")).toBe("Accept, Accept-Encoding");
  });

  test("as NDJSON has the columns, the rows and the counts", async () => {
    const [response, body] = await text("/v1/sql", "application/x-ndjson", statement());
    expect(response.headers.get("content-type")).toBe(ndjson);
    const [head, ...rest] = lines(body) as [{ columns: { name: string }[] }, ...unknown[]];
    expect(head.columns.map(({ name }) => name)).toEqual(["name", "area_km2", "nothing"]);
    expect(rest).toEqual([
      { name: "Japan", area_km2: "377930.00", nothing: null },
      { name: "New Zealand", area_km2: "270467.00", nothing: null },
      { rows_affected: 0, rows_changed: null, last_insert_id: null, info: null, warnings: [] },
    ]);
    const [, arrays] = await text("/v1/sql?rows=array", "application/x-ndjson", statement());
    expect(lines(arrays)[1]).toEqual(["Japan", "377930.00", null]);
  });

  test.each(["application/ndjson", "application/jsonl", "application/x-jsonlines"])(
    "as %s is NDJSON by that name",
    async (name) => {
      const [response, body] = await text("/v1/sql", name, statement());
      expect(response.headers.get("content-type")).toBe(`${name}; charset=utf-8`);
      expect(lines(body)).toHaveLength(4);
      const [head] = await text("/v1/queries/regions", name, { method: "HEAD" });
      expect(head.headers.get("content-type")).toBe(`${name}; charset=utf-8`);
      const [failed] = await text("/v1/sql", name, statement("SELECT nothing"));
      expect(failed.headers.get("content-type")).toBe("application/problem+json");
    },
  );

  test("as NDJSON has no end of a line but LF, for readers that know more of them", async () => {
    const value = "a\u0085b\u2028c\u2029d";
    // The value is in column names, in strings, and in JSON, whose text from the server is embedded.
    const sql = `SELECT ? AS \`n${value}\`, JSON_EXTRACT(?, '$') AS j, 1 / 0 AS warned`;
    const params = [value, JSON.stringify({ [value]: value })];
    const init = { ...statement(), body: JSON.stringify({ sql, params }) };
    const [, body] = await text("/v1/sql", "application/x-ndjson", init);
    expect(body).not.toMatch(/[\u0085\u2028\u2029]/);
    expect(lines(body)[1]).toEqual({ [`n${value}`]: value, j: { [value]: value }, warned: null });
    const [, whole] = await text("/v1/sql", "application/json", init);
    expect(JSON.parse(whole).rows).toEqual(lines(body).slice(1, 2));
  });

  test("as CSV has a header and the rows", async () => {
    const { body } = await ask("text/csv");
    expect(body).toBe("name,area_km2,nothing\r\nJapan,377930.00,\r\nNew Zealand,270467.00,\r\n");
    // An answer has all columns of the same name, whatever the shape of rows.
    expect((await ask("text/csv", "SELECT 'x' AS a, '' AS a")).body).toBe('a,a\r\nx,""\r\n');
  });

  test("is streamed whole in each", async () => {
    const every = "SELECT id, name FROM cities ORDER BY id";
    const expected = (await ask(undefined, every)).body.rows as { id: number; name: string }[];
    const [, rows] = await text("/v1/sql", "application/x-ndjson", statement(every));
    expect(lines(rows).slice(1, -1)).toEqual(expected);
    const records = ((await ask("text/csv", every)).body as string).split("\r\n").slice(1, -1);
    expect(records.map((record) => Number(record.split(",", 1)[0]))).toEqual(expected.map(({ id }) => id));
  });

  test("an error is a problem document in either case", async () => {
    expectProblem(await ask("text/csv", "SELECT nothing FROM countries"), 400, "sql_error");
    expectProblem(await ask("text/csv", "SET @a = 1"), 400, "statement_refused");
  });

  test.each([
    "text/html",
    "application/json;q=0",
    "text/csv; header=absent",
    "image/*;q=0.5",
    "nonsense",
    ",",
  ])("Accept: %s is refused", async (accept) => {
    const refused = await ask(accept);
    expectProblem(refused, 406, "not_acceptable");
    expect(refused.body.detail).toBe("It can be had as application/json, application/x-ndjson, text/csv.");
    expect(refused.headers.get("vary")).toBe("Accept");
  });
});

describe("elsewhere", () => {
  test("a saved query has all of them, and HEAD says which", async () => {
    const path = "/v1/queries/cities-by-country?country=NZ&limit=2";
    const [asCsv, records] = await text(path, "text/csv");
    expect(asCsv.headers.get("content-type")).toBe(csv);
    expect(records.split("\r\n")).toHaveLength(4);
    const [, rows] = await text(path, "application/x-ndjson");
    expect(lines(rows)).toHaveLength(4);
    const [head, nothing] = await text(path, "text/csv", { method: "HEAD" });
    expect(head.headers.get("content-type")).toBe(csv);
    expect(nothing).toBe("");
    const authorization = `Bearer ${await gateway.token()}`;
    const refused = await gateway.fetch(path, { headers: { authorization, accept: "image/png" } });
    expectProblem(await read(refused), 406, "not_acceptable");
  });

  test("a batch is JSON only", async () => {
    const body = { statements: [{ sql: "SELECT 1 AS a" }] };
    const ask = (accept: string) => gateway.sql(body, { path: "/v1/batch", headers: { accept } });
    expect((await ask("text/csv, application/*;q=0.1")).body.results).toHaveLength(1);
    const refused = await ask("text/csv");
    expectProblem(refused, 406, "not_acceptable");
    expect(refused.body.detail).toBe("It can be had as application/json.");
  });
});
