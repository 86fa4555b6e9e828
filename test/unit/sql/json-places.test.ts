import { describe, expect, test } from "vitest";
import { classify } from "../../../src/sql/guard.ts";
import { bindJson, bindPlan } from "../../../src/sql/placeholders.ts";
import { bindBatch } from "../../../src/sql/references.ts";

const json = (value: unknown = { b: 1 }, type = "JSON") => ({ type, value });
const bind = (sql: string, params: unknown[] | Record<string, unknown>) =>
  bindJson(bindPlan(classify(sql)), params);

/** ¶ in an expected text means a placeholder whose value is parsed. */
const written = (text: string) => text.replaceAll("¶", () => "JSON_INSERT(?, '$', 0)");

describe("a JSON parameter is parsed", () => {
  test.each([
    "SELECT JSON_SET(doc, '$.a', ¶)",
    "SELECT JSON_SET(doc, '$.a', ¶, '$.b', ¶)",
    "SELECT JSON_INSERT(?, ?, ¶)",
    "SELECT json_replace(doc,'$.a',¶)",
    "SELECT `Json_Set` ( doc , ? , ¶ )",
    "SELECT JSON_ARRAY_APPEND(doc, '$', ¶), JSON_ARRAY_INSERT(doc, '$[0]', ¶)",
    "SELECT JSON_ARRAY(), JSON_ARRAY(¶, 1, ¶)",
    "SELECT JSON_OBJECT(?, ¶, 'k', ¶)",
    "SELECT JSON_ARRAYAGG(¶), JSON_OBJECTAGG(?, ¶)",
    "SELECT JSON_ARRAYAGG(DISTINCT ¶ ORDER BY n LIMIT 1), JSON_ARRAYAGG(¶ ORDER BY n), JSON_ARRAYAGG(¶ LIMIT 1)",
    "SELECT JSON_SET(doc, '$.a', (¶), '$.b', ((¶))), JSON_ARRAY(((¶)))",
    "SELECT JSON_OBJECT('a', JSON_ARRAY(¶, JSON_SET(?, '$', ¶)), 'b', ¶)",
    "UPDATE t SET doc = JSON_SET(doc, CONCAT('$.', ?), ¶), note = ? WHERE id = ?",
    "INSERT INTO t VALUES (?, JSON_ARRAY(¶)) ON DUPLICATE KEY UPDATE doc = JSON_SET(doc, '$.a', ¶)",
    "SELECT 1 WHERE ¶ MEMBER OF(doc) AND NOT ¶ MEMBER OF (doc) OR (¶ member (doc))",
  ])("in %s", (sql) => {
    const text = sql.replaceAll("¶", "?");
    const count = text.split("?").length - 1;
    const bound = bind(text, Array(count).fill(json()));
    expect(bound.sql).toBe(written(sql));
    expect(bound.values).toEqual(Array(count).fill({ type: "string", value: '{"b":1}', json: true }));
    // The text does not depend on the JSON value, so it is one prepared statement.
    for (const value of [null, true, 0, "", "x", [], { "'": "?" }])
      expect(bind(text, Array(count).fill(json(value, "json"))).sql).toBe(bound.sql);
    // Only values with the type JSON are parsed.
    for (const value of [
      "{}",
      true,
      1,
      null,
      json("{}", "string"),
      json(true, "boolean"),
      json(null, "null"),
    ])
      expect(bind(text, Array(count).fill(value)).sql).toBe(text);
  });

  test.each([
    "SELECT ?",
    "SELECT (?), ? MEMBER, ? AS MEMBER",
    "SELECT 1 + ? MEMBER OF(doc)",
    "SELECT ? MEMBER OF(?)",
    "SELECT * FROM t WHERE doc = ? OR doc IN (?)",
    "INSERT INTO t VALUES (?), (?)",
    "UPDATE t SET doc = ?",
    "SELECT JSON_SET(?, ?, 1, ?, 2)",
    "SELECT JSON_ARRAY_APPEND(?, ?, 1), JSON_ARRAY_INSERT(?, ?, 1)",
    "SELECT JSON_OBJECT(?, 1, ?, 2), JSON_OBJECTAGG(?, 1)",
    "SELECT JSON_MERGE_PATCH(?, ?), JSON_MERGE_PRESERVE(?, ?), JSON_CONTAINS(?, ?), JSON_OVERLAPS(?, ?)",
    "SELECT JSON_VALID(?), JSON_TYPE(?), JSON_EXTRACT(?, ?), JSON_QUOTE(?), JSON_SEARCH(?, 'one', ?)",
    "SELECT JSON_ARRAY(CAST(? AS JSON), COALESCE(?, 1), ? + 1, -?, ? IS NULL, CASE WHEN ? THEN ? END)",
    "SELECT JSON_ARRAY((SELECT ?), (? + 1), f(?))",
    "SELECT shop.JSON_ARRAY(?), `shop`.`JSON_ARRAY`(?), JSON_ARRAYS(?), JSON_ARRAY, (?)",
    "SELECT 'JSON_ARRAY(', ?, \"JSON_ARRAY(\", ?, `JSON_ARRAY(`, ? FROM t",
  ])("not in %s", (sql) => {
    const bare = sql === "SELECT ? MEMBER OF(?)" ? "SELECT ¶ MEMBER OF(?)" : sql;
    const count = sql.split("?").length - 1;
    expect(bind(sql, Array(count).fill(json())).sql).toBe(written(bare));
  });

  test("at its place, beside other types, lists and names", () => {
    const list = { type: "ARRAY", value: [1, 2, 3] };
    const sql = "SELECT JSON_ARRAY(?, ?, ?) FROM t WHERE a IN (?) AND b = ? AND ? MEMBER OF(doc)";
    const bound = bind(sql, [1, json(), json("x", "string"), list, json(), json()]);
    expect(bound.sql).toBe(
      written("SELECT JSON_ARRAY(?, ¶, ?) FROM t WHERE a IN (?, ?, ?, ?) AND b = ? AND ¶ MEMBER OF(doc)"),
    );
    expect(bound.values.map(({ value }) => value)).toEqual([
      1,
      '{"b":1}',
      "x",
      1,
      2,
      3,
      3,
      '{"b":1}',
      '{"b":1}',
    ]);
    const named = bind("SELECT JSON_ARRAY(:a, :b, :a), :a", { a: json(), b: 1 });
    expect(named.sql).toBe(written("SELECT JSON_ARRAY(¶, ?, ¶), ?"));
  });

  test("in a batch, beside references to an earlier statement", () => {
    const plan = bindPlan(classify("SELECT JSON_ARRAY(?, ?)"));
    const { sql, values } = bindBatch(plan, [{ $ref: "0.last_insert_id" }, json()], 1);
    expect(sql).toBe(written("SELECT JSON_ARRAY(?, ¶)"));
    expect(values).toEqual([
      { reference: { statement: 0, of: "last_insert_id" } },
      { type: "string", value: '{"b":1}', json: true },
    ]);
  });

  test("in time linear in the text", () => {
    const many = 20_000;
    const sql = `SELECT JSON_ARRAY(${Array(many).fill("?").join()}), ${"(".repeat(1000)}?${")".repeat(1000)}`;
    const bound = bind(sql, Array(many + 1).fill(json(1)));
    expect(bound.sql.split("JSON_INSERT")).toHaveLength(many + 1);
  });
});
