import { describe, expect, test } from "vitest";
import { classify } from "../../../src/sql/statement.ts";
import * as vocabulary from "../../../src/sql/vocabulary.ts";
import { accepted, refused } from "./statement-table.ts";

describe("the table", () => {
  test.each(accepted.map(([kind, verb, sql]) => ({ kind, verb, sql })))(
    "$kind $verb: $sql",
    ({ kind, verb, sql }) => {
      expect(classify(sql)).toMatchObject({ kind, verb });
    },
  );

  test.each(refused)("%s: %j", (reason, sql) => {
    expect(() => classify(sql)).toThrow(expect.objectContaining({ name: "StatementError", reason }));
  });

  test("has no statement twice, and enough of each kind", () => {
    const all = [...accepted.map(([, , sql]) => sql), ...refused.map(([, sql]) => sql)];
    expect(all.filter((sql, i) => all.indexOf(sql) !== i)).toEqual([]);
    const kinds = Object.groupBy(accepted, ([kind]) => kind);
    for (const rows of [kinds.read, kinds.write, kinds.ddl]) expect(rows?.length).toBeGreaterThan(30);
    expect(refused.length).toBeGreaterThan(250);
  });

  test("has every word that is never accepted", () => {
    const statements = refused.flatMap(([reason, sql]) => (reason === "not_allowed" ? [sql] : []));
    const verbs = statements.map((sql) => /^\w+/.exec(sql)?.[0]);
    expect([...vocabulary.refused.keys()].filter((word) => !verbs.includes(word))).toEqual([]);
    const objects = statements.filter((sql) => /^(?:CREATE|ALTER|DROP|RENAME) /.test(sql)).join(" ");
    const missing = [...vocabulary.refusedObjects.keys()].filter(
      (word) => !objects.split(/\W/).includes(word),
    );
    expect(missing).toEqual([]);
  });
});

describe("the text that travels", () => {
  const table: [string, string][] = [
    ["  SELECT 1 ;  ", "SELECT 1"],
    ["/* a */ SELECT 1 -- b", "SELECT 1"],
    ["SELECT/* a */1", "SELECT 1"],
    ["SELECT 1 -- a\n+ 2", "SELECT 1  \n+ 2"],
    ["SELECT /* a\nb\n*/ 1", "SELECT  \n\n 1"],
    ["SELECT /*+ BKA(t) */ 1", "SELECT /*+ BKA(t) */ 1"],
    ["SELECT '/* a */', \"-- b\", `# c`", "SELECT '/* a */', \"-- b\", `# c`"],
    ["SELECT ? /* ? */, :a # :b\n, :c", "SELECT ?  , :a  \n, :c"],
  ];
  test.each(table)("%j", (sql, expected) => {
    expect(classify(sql).text).toBe(expected);
  });

  test("keeps the placeholders' places in both texts", () => {
    const sql = "/* x */ SELECT :a /* ? */, ':b', ? /* y */ + :jwt.sub;";
    const { text, placeholders } = classify(sql);
    expect(placeholders.map(({ name }) => name)).toEqual(["a", null, "jwt.sub"]);
    expect(placeholders.map(({ start, end }) => text.slice(start, end))).toEqual([":a", "?", ":jwt.sub"]);
    expect(placeholders.map(({ sourceStart }) => sql.slice(sourceStart, sourceStart + 2))).toEqual([
      ":a",
      "? ",
      ":j",
    ]);
  });
});
