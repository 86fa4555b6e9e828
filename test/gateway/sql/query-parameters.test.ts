import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Answer, Gateway } from "../support/harness.ts";
import { engine, expectProblem, issuers, read, startGateway } from "../support/harness.ts";

/** What callers send is held to the bounds of the head, by GET and by POST, before anything is executed. */

const texts = {
  search: `-- @param code string default "NZ" pattern "[A-Z]{2}"
-- @param order string default "name" enum ["name", "size"]
-- @param limit integer default 2 min 0 max 5
-- @param skip integer default 0 min 0 max 100
-- @param least decimal default "0" min "0.00" max "999999999999.99"
-- @param name string default null length 1..3
SELECT id FROM cities WHERE country_code = :code AND population >= :least
  AND (:name IS NULL OR name = :name)
ORDER BY CASE :order WHEN 'size' THEN population ELSE id END LIMIT :limit OFFSET :skip`,
  many: '-- @param codes string[] pattern "[A-Z]{2}" items 2..4\nSELECT code FROM countries WHERE code IN (:codes) ORDER BY code',
  claimed: "-- @claim most integer\nSELECT id FROM cities ORDER BY id LIMIT :jwt.most",
};
const queries = Object.entries(texts).map(([name, text]) => ({ name: `${name}.sql`, text }));

let gateway: Gateway;
beforeAll(async () => {
  const grant = { issuer: issuers.remote };
  gateway = await startGateway({
    queries,
    // On TiDB an account that only reads must not be one that another grant writes with.
    grants: [
      { ...grant, account: "analyst", claims: { role: "tagged" }, allow: ["query:#geography"] },
      { ...grant, account: "editor", allow: ["query:*", "sql:read", "sql:write"] },
    ],
  });
});
afterAll(() => gateway?.close());

async function get(path: string, claims: Record<string, unknown> = {}): Promise<Answer> {
  const authorization = `Bearer ${await gateway.token(claims)}`;
  return await read(await gateway.fetch(`/v1/queries/${path}`, { headers: { authorization } }));
}

const post = (name: string, body: unknown) => gateway.sql(body, { path: `/v1/queries/${name}` });

/** @returns PATH REASON of every fault */
function faults({ body }: Answer): string[] {
  return body.errors.map(({ path, reason }: Record<string, string>) => `${path} ${reason}`);
}

describe("parameters of a saved query", () => {
  test("at their bounds are good", async () => {
    expect((await get("search")).body.rows).toHaveLength(2);
    expect((await get("search?limit=5&skip=1&least=0.00&order=size")).body.rows).toHaveLength(5);
    expect((await post("search", { limit: 0, skip: 100, name: "Xyz" })).body.rows).toHaveLength(0);
    expect((await post("search", { limit: "5", least: "999999999999.99" })).body.rows).toHaveLength(0);
    expect((await get("many?codes=NZ&codes=JP")).body.rows).toEqual([{ code: "JP" }, { code: "NZ" }]);
  });

  test("are told all at once, alike for GET and POST", async () => {
    const expected = [
      "/code pattern_mismatch",
      "/order not_in_enum",
      "/limit below_minimum",
      "/skip above_maximum",
      "/least below_minimum",
      "/name wrong_length",
      "/colour surplus_parameter",
    ];
    const wrong = { code: "nz", order: "id", limit: -2, skip: 101, least: "-0.01", name: "four", colour: 1 };
    const search = new URLSearchParams(Object.entries(wrong).map(([name, value]) => [name, String(value)]));
    for (const answer of [await get(`search?${search}`), await post("search", wrong)]) {
      expectProblem(answer, 400, "parameter_invalid");
      expect(faults(answer)).toEqual(expected);
      expect(answer.body).toMatchObject({
        reason: "pattern_mismatch",
        errors: expect.arrayContaining([
          { path: "/limit", reason: "below_minimum", detail: 'Parameter "limit" must be at least 0.' },
        ]),
      });
    }
  });

  test("have no value in the answer", async () => {
    const answer = await post("search", {
      code: "s3cret-value",
      order: "s3cret-value",
      limit: "s3cret-value",
    });
    expect(faults(answer)).toEqual(["/code pattern_mismatch", "/order not_in_enum", "/limit wrong_type"]);
    expect(JSON.stringify(answer.body)).not.toContain("s3cret");
  });

  test("are held to their bounds in each element of an array", async () => {
    expect(faults(await post("many", { codes: ["NZ", "x", "JP", 5] }))).toEqual([
      "/codes/1 pattern_mismatch",
      "/codes/3 wrong_type",
    ]);
    expect(faults(await get("many?codes=NZ"))).toEqual(["/codes too_few_items"]);
    expect(faults(await get(`many?${"codes=NZ&".repeat(5)}`))).toEqual(["/codes too_many_items"]);
    expect(faults(await get("many?x=1&x=2"))).toEqual(["/codes missing_parameter", "/x duplicate_parameter"]);
  });

  test("a claim at LIMIT may not be negative", async () => {
    expect((await get("claimed", { most: 3 })).body.rows).toHaveLength(3);
    const answer = await get("claimed", { most: -3 });
    expectProblem(answer, 403, "access_denied");
    expect(answer.body.reason).toBe("wrong_claim");
  });
});

describe("a negative number of rows in the caller's own SQL", () => {
  const base = "SELECT id FROM cities WHERE country_code = 'NZ' ORDER BY id";
  const forms: [sql: string, params: unknown][] = [
    [`${base} LIMIT ?`, [-2]],
    [`${base} LIMIT ?`, ["-2"]],
    [`${base} LIMIT ?`, [{ type: "INTEGER", value: "-2" }]],
    [`${base} LIMIT ?, 5`, [-2]],
    [`${base} LIMIT ?, ?`, [0, -2]],
    [`${base} LIMIT 5 OFFSET ?`, [-2]],
    [`${base} LIMIT :limit`, { limit: -2 }],
    ["SELECT COUNT(*) AS n FROM (SELECT id FROM cities LIMIT ?) AS page", [-2]],
    ...(engine === "mysql" ? [] : ([[`${base} FETCH FIRST ? ROWS ONLY`, [-2]]] as [string, unknown][])),
  ];
  test.each(forms)("%s is refused: %j", async (sql, params) => {
    const answer = await gateway.sql({ sql, params });
    expectProblem(answer, 400, "parameter_invalid");
    expect(answer.body).toMatchObject({
      reason: "below_minimum",
      detail: expect.stringContaining("0 or more"),
    });
  });

  test("in a batch too, with the statement's number", async () => {
    const statements = [{ sql: "SELECT 1" }, { sql: `${base} LIMIT ?`, params: [-2] }];
    const answer = await gateway.sql({ statements }, { path: "/v1/batch" });
    expectProblem(answer, 400, "parameter_invalid");
    expect(answer.body).toMatchObject({ reason: "below_minimum", statement: 1 });
  });

  test("in a change too: DELETE .. LIMIT ? deletes nothing", async () => {
    const sql = "DELETE FROM notes WHERE author = 'nobody at all' LIMIT ?";
    const answer = await gateway.sql({ sql, params: [-1] });
    expectProblem(answer, 400, "parameter_invalid");
  });

  test("elsewhere a negative number is a value", async () => {
    const { body } = await gateway.sql({ sql: "SELECT ? AS n LIMIT ?", params: [-2, 1] });
    expect(Number(body.rows[0].n)).toBe(-2);
  });
});

describe("a grant for a tag", () => {
  test("opens the queries of the tag, and no others", async () => {
    expect((await get("regions", { role: "tagged" })).status).toBe(200);
    expect((await get("cities-by-country?country=NZ&limit=1", { role: "tagged" })).body.rows).toHaveLength(1);
    for (const name of ["my-notes", "search", "add-note", "nothing"])
      expectProblem(await get(name, { role: "tagged" }), 403, "access_denied");
  });
});
