import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { has } from "../support/features.ts";
import { databaseServer, engine, expectProblem, read, server } from "../support/harness.ts";
import type { ThroughHyperdrive } from "../support/through-hyperdrive.ts";
import { startThroughHyperdrive, written } from "../support/through-hyperdrive.ts";

let world: ThroughHyperdrive;
beforeAll(async () => {
  world = await startThroughHyperdrive();
});
afterAll(async () => {
  // The gateway sent Hyperdrive nothing that it does not support or may answer from its cache.
  expect([...world.standIns.analyst.refused, ...world.standIns.editor.refused]).toEqual([]);
  await world.close();
});

type Sql = ThroughHyperdrive["gateway"]["sql"];
const sql: Sql = (...request) => world.gateway.sql(...request);

async function ask(path: string, body?: unknown, claims: Record<string, unknown> = {}) {
  const headers = { authorization: `Bearer ${await world.gateway.token(claims)}` };
  if (body === undefined) return await read(await world.gateway.fetch(path, { headers }));
  return await read(
    await world.gateway.fetch(path, {
      ...{ method: "POST", body: JSON.stringify(body) },
      headers: { ...headers, "content-type": "application/json" },
    }),
  );
}

describe("reading", () => {
  const start = has.readOnly ? "START TRANSACTION READ ONLY" : "START TRANSACTION";

  test("rows, columns and headers are those of the pool", async () => {
    const answer = await sql({
      sql: "SELECT code, name, area_km2, un_member FROM countries WHERE code = :code",
      params: { code: "JP" },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("server-timing")).toMatch(/^queue;dur=0, connect;dur=\d+, db;dur=\d+$/);
    expect(answer.body).toEqual({
      columns: [
        { name: "code", type: "CHAR", nullable: false },
        { name: "name", type: "VARCHAR", nullable: false },
        { name: "area_km2", type: "DECIMAL", nullable: true },
        { name: "un_member", type: "TINYINT", nullable: false },
      ],
      rows: [{ code: "JP", name: "Japan", area_km2: "377930.00", un_member: 1 }],
      rows_affected: 0,
      rows_changed: null,
      last_insert_id: null,
      info: null,
      warnings: [],
    });
  });

  test("a statement is one transaction: state, proof, statement, end", async () => {
    const before = world.standIns.analyst.statements.length;
    await sql({ sql: "SELECT 'seen' AS v" });
    const statements = world.standIns.analyst.statements.slice(before);
    expect(statements.map((text) => text.split(" ")[0])).toEqual([
      "START",
      "SET",
      "SELECT",
      "SELECT",
      "COMMIT",
    ]);
    expect(statements[0]).toBe(start);
    expect(statements[3]).toBe("SELECT 'seen' AS v");
  });

  test("a saved query, its parameters from the query string and from JSON", async () => {
    const one = await ask("/v1/queries/cities-by-country?country=NZ");
    expect(one.body.rows[0]).toMatchObject({ name: "Auckland", country: "New Zealand" });
    const two = await ask("/v1/queries/cities-by-country", { country: "JP", limit: 2 });
    expect(two.body.rows.map((row: { name: string }) => row.name)).toEqual(["Tokyo", "Yokohama"]);
  });

  test("a large result streams whole", async () => {
    const { status, headers, body } = await sql({ sql: "SELECT * FROM cities ORDER BY id" });
    expect(status).toBe(200);
    expect(headers.has("content-length")).toBe(false);
    expect(body.rows).toHaveLength(5000);
  });

  test("requests at once do not mix, over few connections of Hyperdrive's", async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) => sql({ sql: "SELECT ? AS n, SLEEP(0.01) AS s", params: [n] })),
    );
    expect(answers.map(({ body }) => body.rows?.[0].n)).toEqual(answers.map((_, n) => String(n)));
    expect(world.standIns.analyst.opened).toBeLessThanOrEqual(31);
  });

  test("/readyz asks through the bindings", async () => {
    const before = world.standIns.editor.statements.length;
    expect((await ask("/readyz")).body).toEqual({ status: "ready" });
    expect(world.standIns.editor.statements.slice(before)[0]).toBe(start);
  });
});

describe("writing", () => {
  const role = "editor";

  test("rows_affected and last_insert_id, committed", async () => {
    const insert = await sql(
      { sql: "INSERT INTO notes (city_id, author, body) VALUES (?, ?, ?)", params: [1, "hyper", "é\\'"] },
      { role },
    );
    expect(insert.body).toMatchObject({ rows: [], rows_affected: 1 });
    const id = Number(insert.body.last_insert_id);
    const found = await sql({ sql: "SELECT body FROM notes WHERE id = ?", params: [id] });
    expect(found.body.rows).toEqual([{ body: "é\\'" }]);
    const remove = await sql({ sql: "DELETE FROM notes WHERE author = 'hyper'" }, { role });
    expect(remove.body.rows_affected).toBe(1);
  });

  test.runIf(engine === "mariadb")("rows of RETURNING are rows, and counted", async () => {
    const insert = "INSERT INTO notes (city_id, author, body) VALUES (1, 'hyper', ?), (1, 'hyper', ?)";
    const made = await sql({ sql: `${insert} RETURNING body`, params: ["r1", "r2"] }, { role });
    expect(made.body).toMatchObject({
      ...{ columns: [{ name: "body" }], rows: [{ body: "r1" }, { body: "r2" }] },
      ...{ rows_affected: 2, last_insert_id: null, warnings: [] },
    });
    const remove = "DELETE FROM notes WHERE author = 'hyper' AND body = ? RETURNING body";
    for (const [body, rows] of [
      ["r1", [{ body: "r1" }]],
      ["r2", [{ body: "r2" }]],
      ["r2", []],
    ] as const)
      expect((await sql({ sql: remove, params: [body] }, { role })).body).toMatchObject({
        ...{ rows, rows_affected: rows.length },
      });
  });

  test("once under its Idempotency-Key", async () => {
    const body = `hyper ${randomUUID()}`;
    const insert = {
      sql: "INSERT INTO notes (city_id, author, body) VALUES (1, 'hyper', ?)",
      params: [body],
    };
    const headers = { "idempotency-key": randomUUID() };
    const first = await sql(insert, { role, headers });
    expect(first.body).toMatchObject({ rows_affected: 1 });
    const again = await sql(insert, { role, headers });
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    const remove = await sql({ sql: "DELETE FROM notes WHERE body = ?", params: [body] }, { role });
    expect(remove.body.rows_affected).toBe(1);
  });

  test("a saved query that writes has the token's subject", async () => {
    const claims = { role, sub: "hyper-ann" };
    const { rows } = (await ask("/v1/queries/cities-by-country?country=NZ&limit=1")).body;
    const added = await ask("/v1/queries/add-note", { city_id: rows[0].id, body: "of ann" }, claims);
    expect(added.body.rows_affected).toBe(1);
    const own = await ask("/v1/queries/my-notes", undefined, { sub: "hyper-ann" });
    expect(own.body.rows.map((row: { body: string }) => row.body)).toEqual(["of ann"]);
    await sql({ sql: "DELETE FROM notes WHERE author = 'hyper-ann'" }, { role });
  });

  test("a write that fails is rolled back and leaves nothing to the next", async () => {
    const insert = "INSERT INTO notes (id, city_id, author, body) VALUES (?, 1, 'hyper-twice', '')";
    const id = 876_543_210;
    await sql({ sql: insert, params: [id] }, { role });
    const twice = await sql({ sql: `${insert}, (1, 1, 'hyper-twice', '')`, params: [id] }, { role });
    expectProblem(twice, 409, "sql_conflict");
    expect(twice.body.errno).toBe(1062);
    expect(twice.body.constraint).toBe(engine === "mariadb" ? "PRIMARY" : "notes.PRIMARY");
    const removed = await sql({ sql: "DELETE FROM notes WHERE author = 'hyper-twice'" }, { role });
    expect(removed.body.rows_affected).toBe(1);
  });

  test.skipIf(!has.storedPrograms)(
    "what passed as a read cannot write: the transaction is READ ONLY",
    async () => {
      const administrator = await connectAdministrator(databaseServer());
      const grantee = server.actsAs.editor === undefined ? "gw_editor" : "editor";
      try {
        await administrator.query("SET GLOBAL log_bin_trust_function_creators = 1").catch(() => {});
        await administrator.query("DROP FUNCTION IF EXISTS world.hyper_sneak");
        await administrator.query(
          "CREATE FUNCTION world.hyper_sneak() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO world.notes (city_id, author, body) VALUES (1, 'hyper-sneak', ''); RETURN 1; END",
        );
        await administrator.query(`GRANT EXECUTE ON FUNCTION world.hyper_sneak TO ${grantee}`);
        const answer = await sql({ sql: "SELECT hyper_sneak() AS x" }, { role });
        expectProblem(answer, 403, "sql_denied");
        expect(answer.body.errno).toBe(1792);
        expect(await written("hyper-sneak")).toBe(0);
      } finally {
        await administrator.query("DROP FUNCTION IF EXISTS world.hyper_sneak");
        await administrator.end();
      }
    },
  );

  test("a locking read is a write to the guard", async () => {
    expectProblem(await sql({ sql: "SELECT id FROM cities LIMIT 1 FOR UPDATE" }), 403, "access_denied");
  });
});

describe("values are written into the text", () => {
  const character = fc.oneof(
    fc.constantFrom(
      ..."'\"\\`\0\b\n\r\t\u001a%_?:;-#/*$ ",
      "--",
      "/*",
      "*/",
      "''",
      "\\'",
      "\u00bf'",
      "嘊",
      "\u2028",
    ),
    fc.string({ unit: "grapheme-ascii", maxLength: 1 }),
    fc.string({ unit: "binary", maxLength: 1 }),
  );
  const hostile = fc.array(character, { maxLength: 30 }).map((parts) => parts.join(""));

  test("any string comes back equal, and nothing beside it changes", async () => {
    await fc.assert(
      fc.asyncProperty(hostile, hostile, async (a, b) => {
        const { status, body } = await sql({
          sql: "SELECT ? AS a, 'marker?' AS m, ? AS b, CHAR_LENGTH(?) AS n -- ?",
          params: [a, b, a],
        });
        expect(status, JSON.stringify(body)).toBe(200);
        expect(body.rows).toEqual([{ a, m: "marker?", b, n: expect.anything() }]);
        expect(Number(body.rows[0].n)).toBe([...a].length);
      }),
      { numRuns: 100 },
    );
  });

  test("a placeholder may touch what is before it, and a minus begins no comment", async () => {
    const { body } = await sql({ sql: "SELECT 5--? AS a, 5-? AS b,? AS c LIMIT?", params: [2, -3, "x", 1] });
    expect(body.rows).toEqual([{ a: "7", b: "8", c: "x" }]);
  });

  test("a lone surrogate is refused, as it is by the pool", async () => {
    const answer = await sql({ sql: "SELECT ? AS v", params: ["\ud800"] });
    expectProblem(answer, 400, "parameter_invalid");
  });
});

describe("errors of the caller's own SQL", () => {
  test("have the server's number and words", async () => {
    const answer = await sql({ sql: "SELECT nope FROM cities WHERE id = ?", params: [1] });
    expectProblem(answer, 400, "sql_error");
    expect(answer.body).toMatchObject({ errno: 1054, sqlstate: "42S22" });
    expectProblem(await sql({ sql: "DELETE FROM cities" }, { role: "editor" }), 403, "sql_denied");
  });

  test("after the first byte they break the body off", async () => {
    const text = `SELECT c.*, (SELECT 1 FROM cities d WHERE c.id >= (SELECT MAX(id) FROM cities) LIMIT 2) AS boom
                  FROM cities c FORCE INDEX (PRIMARY) ORDER BY c.id`;
    const headers = {
      authorization: `Bearer ${await world.gateway.token()}`,
      "content-type": "application/json",
    };
    const response = await world.gateway.fetch("/v1/sql", {
      ...{ method: "POST", body: JSON.stringify({ sql: text }) },
      headers,
    });
    expect(response.status).toBe(200);
    await expect(response.json()).rejects.toThrow();
    expect((await sql({ sql: "SELECT 1 AS one" })).status).toBe(200);
  });
});

test("batches and transactions are refused", async () => {
  const batch = await ask("/v1/batch", { statements: [{ sql: "SELECT 1" }] });
  expectProblem(batch, 501, "unsupported_by_link");
  expectProblem(await ask("/v1/transactions", {}), 403, "access_denied");
});
