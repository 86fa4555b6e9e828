import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Gateway } from "../support/harness.ts";
import { expectProblem, read, startGateway } from "../support/harness.ts";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(async () => {
  // The gateway still answers after these requests.
  const answer = await gateway.sql({ sql: "SELECT 'alive' AS state" });
  expect(answer.body.rows).toEqual([{ state: "alive" }]);
  await gateway.close();
});

async function send(path: string, init: RequestInit & { headers?: Record<string, string> } = {}) {
  const headers = { authorization: `Bearer ${await gateway.token()}`, ...init.headers };
  return await read(await gateway.fetch(path, { ...init, headers }));
}

describe("the form of a request", () => {
  test("an unknown path: 404", async () => {
    expectProblem(await send("/v2/sql"), 404, "route_unknown");
  });

  test.each([
    ["GET", "/v1/sql", "POST"],
    ["DELETE", "/v1/queries/regions", "GET, HEAD, POST"],
    ["POST", "/livez", "GET, HEAD"],
  ])("%s %s: 405 with Allow", async (method, path, allow) => {
    const answer = await send(path, { method });
    expectProblem(answer, 405, "method_not_allowed");
    expect(answer.headers.get("allow")).toBe(allow);
  });

  test.each([
    ["no content type", {}],
    ["text", { "content-type": "text/plain" }],
    ["a form", { "content-type": "application/x-www-form-urlencoded" }],
    ["another character set", { "content-type": "application/json; charset=utf-16" }],
    ["another one in quotes", { "content-type": 'application/json; charset="latin1"' }],
    ["another one behind UTF-8", { "content-type": "application/json; charset=utf-8; charset=utf-16" }],
    ["another one with spaces", { "content-type": "application/json; charset = utf-16" }],
    ["two types", { "content-type": "application/json, text/plain" }],
  ])("%s: 415", async (_, headers) => {
    const body = new Blob(['{"sql":"SELECT 1"}']);
    const answer = await send("/v1/sql", { method: "POST", body, headers });
    expectProblem(answer, 415, "media_type_unsupported");
    expect(answer.headers.get("accept")).toBe("application/json");
  });

  test.each(["utf8", "UTF-8", '"utf-8"', '"UTF8"', "utf-8;odata=verbose"])(
    "charset=%s is UTF-8",
    async (charset) => {
      const headers = { "content-type": `Application/JSON;charset=${charset}` };
      const answer = await send("/v1/sql", { method: "POST", body: '{"sql":"SELECT \'ä\' AS a"}', headers });
      expect(answer.body.rows).toEqual([{ a: "ä" }]);
    },
  );

  test.each(["gzip", "GZIP", "br", "deflate", "x-unknown", "identity, gzip"])(
    "a body in %s: 415",
    async (coding) => {
      const headers = { "content-type": "application/json", "content-encoding": coding };
      for (const path of ["/v1/sql", "/v1/batch", "/v1/queries/regions"]) {
        const answer = await send(path, { method: "POST", body: gzipSync('{"sql":"SELECT 1"}'), headers });
        expectProblem(answer, 415, "media_type_unsupported");
        expect(answer.headers.get("accept-encoding")).toBe("identity");
        expect(answer.body.detail).toBe(
          "Send the body without a Content-Encoding: the gateway unpacks none.",
        );
      }
    },
  );

  test("a body in identity is one as it is", async () => {
    const headers = { "content-type": "application/json", "content-encoding": "Identity" };
    const answer = await send("/v1/sql", { method: "POST", body: '{"sql":"SELECT 1 AS a"}', headers });
    expect(answer.status).toBe(200);
  });

  test.each([
    ["with its length", JSON.stringify({ sql: `SELECT '${"x".repeat(1_100_000)}'` })],
    ["without", new Blob([JSON.stringify({ sql: `SELECT '${"x".repeat(1_100_000)}'` })]).stream()],
  ])("a body that is too large, %s: 413", async (_, body) => {
    const init = { method: "POST", body, headers: { "content-type": "application/json" }, duplex: "half" };
    expectProblem(
      await send("/v1/sql", init as RequestInit & { headers: Record<string, string> }),
      413,
      "body_too_large",
    );
  });

  test.each([
    ["not JSON", "SELECT 1", "The body is not JSON."],
    ["not UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), "The body is not JSON."],
    ["empty", "", "The body is not JSON."],
    ["an array", "[]", "Invalid input: expected object, received array"],
    ["no sql", "{}", "sql: Invalid input: expected string, received undefined"],
    ["sql of the wrong type", '{"sql":1}', "sql: Invalid input: expected string, received number"],
    ["an unknown field", '{"sql":"SELECT 1","parms":[]}', 'Unrecognized key: "parms"'],
    ["params of the wrong type", '{"sql":"SELECT 1","params":"1"}', "params: must be an array or an object"],
  ])("a body that is %s: 400", async (_, body, detail) => {
    const headers = { "content-type": "application/json" };
    const answer = await send("/v1/sql", { method: "POST", body, headers });
    expectProblem(answer, 400, "body_invalid");
    expect(answer.body.detail).toBe(detail);
  });
});

describe("a member twice: 400", () => {
  test.each([
    ["sql", "/v1/sql", '{"sql":"SELECT 1","sql":"SELECT 2"}', "sql"],
    ["another spelling", "/v1/sql", '{"sql":"SELECT 1","\\u0073ql":"SELECT 2"}', "sql"],
    ["a parameter", "/v1/sql", '{"sql":"SELECT :a","params":{"a":1,"a":2}}', "a"],
    [
      "a value's type",
      "/v1/sql",
      '{"sql":"SELECT ?","params":[{"type":"INT","value":1,"type":"DATE"}]}',
      "type",
    ],
    [
      "in JSON",
      "/v1/sql",
      '{"sql":"SELECT ?","params":[{"type":"JSON","value":[{"b":{"c":1,"c":1}}]}]}',
      "c",
    ],
    [
      "beside a large integer",
      "/v1/sql",
      '{"sql":"SELECT ?","params":[9007199254740993],"sql":"SELECT 1"}',
      "sql",
    ],
    ["in a batch", "/v1/batch", '{"statements":[{"sql":"SELECT 1","sql":"SELECT 2"}]}', "sql"],
    ["of a saved query", "/v1/queries/cities-by-country", '{"country":"NZ","country":"JP"}', "country"],
  ])("%s", async (_, path, body, name) => {
    const answer = await gateway.sql(body, { path });
    expectProblem(answer, 400, "body_invalid");
    expect(answer.body.detail).toBe(`An object of the body has a member twice: "${name}".`);
  });
});

describe("what a body has too much is not said at length", () => {
  const bodies = {
    "many names": {
      sql: "SELECT 1",
      ...Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`n${i}`, 1])),
    },
    "a long name": { sql: "SELECT 1", ["n".repeat(100_000)]: 1 },
    "names with controls": { sql: "SELECT 1", "\x1b[31m\x7f\u0085\u2028\u202e": 1, "\x00": 1 },
    "many long names": {
      sql: "SELECT 1",
      ...Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}${"ä".repeat(1_000)}`, 1])),
    },
  };
  test.each(Object.entries(bodies))("%s", async (_, body) => {
    for (const [path, sent] of [
      ["/v1/sql", body],
      ["/v1/batch", { statements: Array(8).fill(body) }],
    ] as const) {
      const answer = await gateway.sql(sent, { path });
      expectProblem(answer, 400, "body_invalid");
      expect(answer.body.detail.length).toBeLessThan(path === "/v1/sql" ? 900 : 4_500);
      expect(answer.body.detail).toMatch(/Unrecognized keys?: "/);
      expect(answer.body.detail).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    }
  });

  test("nor is a parameter", async () => {
    const names = Object.fromEntries([..."\x1b\x85\u2028\u202e"].map((odd) => [odd + "n".repeat(1_000), 1]));
    const answer = await gateway.sql({ sql: "SELECT :a", params: { a: 1, ...names } });
    expectProblem(answer, 400, "parameter_invalid");
    expect(answer.body.detail.length).toBeLessThan(500);
    expect(answer.body.detail).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  });
});

describe("the statement and its parameters", () => {
  test.each([
    ["", "empty"],
    [" ; -- nothing", "empty"],
    ["SELECT 1; SELECT 2", "multiple_statements"],
    ["SET @a = 1", "not_allowed"],
    ["USE mysql", "not_allowed"],
    ["BEGIN", "not_allowed"],
    ["SELECT 1 INTO OUTFILE '/tmp/x'", "not_allowed"],
    ["SELECT /*!50000 1 */", "executable_comment"],
    ["SELECT 'a", "unterminated"],
    ["FROBNICATE", "unknown_statement"],
    ["ALTER USER CURRENT_USER() IDENTIFIED BY 'x'", "not_allowed"],
  ])("%j: 400", async (sql, reason) => {
    const answer = await gateway.sql({ sql }, { role: "editor" });
    expectProblem(answer, 400, "statement_refused");
    expect(answer.body.reason).toBe(reason);
  });

  test.each([
    ["missing", "SELECT ?", [], "missing_parameter"],
    ["surplus", "SELECT ?", [1, 2], "surplus_parameter"],
    ["none declared", "SELECT 1", [1], "surplus_parameter"],
    ["missing by name", "SELECT :a, :b", { a: 1 }, "missing_parameter"],
    ["surplus by name", "SELECT :a", { a: 1, b: 2 }, "surplus_parameter"],
    ["an object for ?", "SELECT ?", { a: 1 }, "wrong_shape"],
    ["an array for :a", "SELECT :a", [1], "wrong_shape"],
    ["an object as value", "SELECT ?", [{ secret: "s3cret" }], "wrong_type"],
    ["an array as value", "SELECT ?", [["s3cret"]], "wrong_type"],
    ["an inherited name", "SELECT :toString", {}, "missing_parameter"],
  ])("parameters: %s: 400", async (_, sql, params, reason) => {
    const answer = await gateway.sql({ sql, params });
    expectProblem(answer, 400, "parameter_invalid");
    expect(answer.body.reason).toBe(reason);
    expect(JSON.stringify(answer.body)).not.toContain("s3cret");
  });

  test("an integer beyond 64 bits: 400", async () => {
    const answer = await gateway.sql('{"sql":"SELECT ?","params":[18446744073709551616]}');
    expectProblem(answer, 400, "parameter_invalid");
  });

  test("rows of an unknown shape: 400", async () => {
    expectProblem(
      await gateway.sql({ sql: "SELECT 1" }, { path: "/v1/sql?rows=xml" }),
      400,
      "parameter_invalid",
    );
  });
});

describe("a shape of rows that is given twice: 400", () => {
  test.each(["rows=array&rows=object", "rows=array&rows=array", "rows=array&%72ows=array"])(
    "%s",
    async (twice) => {
      const sql = "SELECT 1";
      for (const answer of [
        await gateway.sql({ sql }, { path: `/v1/sql?${twice}` }),
        await gateway.sql({ statements: [{ sql }] }, { path: `/v1/batch?${twice}` }),
        await gateway.sql({}, { path: `/v1/queries/regions?${twice}` }),
        await send(`/v1/queries/regions?${twice}`),
      ]) {
        expectProblem(answer, 400, "parameter_invalid");
        expect(answer.body.reason).toBe("duplicate_parameter");
      }
    },
  );
});

describe("saved queries", () => {
  test("an unknown one: 404", async () => {
    expectProblem(await send("/v1/queries/nothing"), 404, "query_unknown");
  });

  test("one that writes, by GET: 405", async () => {
    const headers = { authorization: `Bearer ${await gateway.token({ role: "editor" })}` };
    const answer = await send("/v1/queries/add-note?city_id=1&body=x", { headers });
    expectProblem(answer, 405, "method_not_allowed");
    expect(answer.headers.get("allow")).toBe("POST");
  });

  test.each([
    ["missing", "", "missing_parameter"],
    ["unknown", "?country=NZ&colour=red", "surplus_parameter"],
    ["twice", "?country=NZ&country=AU", "duplicate_parameter"],
    ["of the wrong type", "?country=NZ&limit=s3cret", "wrong_type"],
  ])("a parameter that is %s: 400", async (_, query, reason) => {
    const answer = await send(`/v1/queries/cities-by-country${query}`);
    expectProblem(answer, 400, "parameter_invalid");
    expect(answer.body.reason).toBe(reason);
    expect(JSON.stringify(answer.body)).not.toContain("s3cret");
  });
});
