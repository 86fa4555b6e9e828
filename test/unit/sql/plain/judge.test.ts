import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../../../../cli/project/paths.ts";
import { parseCatalog } from "../../../../src/catalog/parse.ts";
import { limits } from "../../../../src/limits.ts";
import { classify } from "../../../../src/sql/guard.ts";
import { lex } from "../../../../src/sql/lexer.ts";
import { judgePlain } from "../../../../src/sql/plain/judge.ts";
import type { PlainServer } from "../../../../src/sql/plain/servers.ts";
import { sqlish } from "../../../statements/arbitrary.ts";
import { looksNotPlain, looksPlain } from "../../../statements/plain-table.ts";

const servers: readonly PlainServer[] = [
  { engine: "mysql", version: "9.7.4-2" },
  { engine: "mariadb", version: "10.11.18-MariaDB-0+deb12u1" },
  { engine: "tidb", version: "8.0.11-TiDB-v8.5-20251126-e4e814fdc0af" },
];

const plainOn = (sql: string) => servers.filter((server) => judgePlain(sql, server) !== undefined);

describe("the table", () => {
  test.each(looksPlain)("looks plain: %s", (sql) => {
    expect(plainOn(sql)).toEqual(servers);
  });

  test.each(looksNotPlain)("does not: %j", (sql) => {
    expect(plainOn(sql)).toEqual([]);
  });

  test("has no text twice, and many", () => {
    const all = [...looksPlain, ...looksNotPlain];
    expect(all.filter((sql, at) => all.indexOf(sql) !== at)).toEqual([]);
    expect(looksPlain.length).toBeGreaterThan(80);
    expect(looksNotPlain.length).toBeGreaterThan(350);
  });

  test("of plain SELECTs has reads that the guard accepts unchanged", () => {
    for (const sql of looksPlain) expect(classify(sql)).toMatchObject({ kind: "read", text: sql });
  });

  test("names the tables, each beginning with t", () => {
    for (const sql of looksPlain) {
      for (const server of servers) {
        const { tables, names } = judgePlain(sql, server) ?? { tables: [], names: [] };
        const expected = [...sql.matchAll(/\bt[0-9]?\b/g)].map(([name]) => name);
        expect(new Set(tables)).toEqual(new Set(expected));
        for (const table of tables) expect(names).toContain(table);
      }
    }
  });
});

/** Each makes a statement leave or observe something, or makes it one that is not understood. */
const fragments = [
  "@a",
  "@@a",
  "@a := 1",
  ":=",
  ":a",
  ";",
  "FOR",
  "INTO",
  "LOCK",
  "PROCEDURE",
  "DEFAULT",
  "PREVIOUS",
  "NEXT",
  "OF",
  "SQL_CALC_FOUND_ROWS",
  "WITH",
  "TABLE",
  "VALUES",
  "CURRENT_USER",
  "/*+ a */",
  "/*! a */",
  "/* a */",
  "{",
  "N'a'",
  "é",
  "own(1)",
  "`abs`(1)",
  "own.abs(1)",
  "GET_LOCK('a', 0)",
  "LAST_INSERT_ID(1)",
  "RAND()",
];

test("a plain SELECT with a harmful piece between any two of its tokens is not plain", () => {
  let tried = 0;
  for (const sql of looksPlain) {
    const tokens = lex(sql);
    for (let at = 0; at <= tokens.length; at++) {
      for (const fragment of fragments) {
        const changed = `${sql.slice(0, tokens.start(at))} ${fragment} ${sql.slice(tokens.start(at))}`;
        tried += 1;
        if (judgePlain(changed, servers[at % 3] as PlainServer) !== undefined) expect.fail(changed);
      }
    }
  }
  expect(tried).toBeGreaterThan(30_000);
});

test("a name in place of any table's or column's name is told", () => {
  for (const sql of looksPlain) {
    const tokens = lex(sql);
    for (let at = 0; at < tokens.length; at++) {
      if (!/^(?:[a-eg-z]|t[0-9]?)$/.test(tokens.text(at))) continue;
      const changed = `${sql.slice(0, tokens.start(at))}harmful_view${sql.slice(tokens.end(at))}`;
      for (const server of servers)
        expect(judgePlain(changed, server)?.names, changed).toContain("harmful_view");
    }
  }
});

test("every table of a random text is one of its names, and no text makes it throw", () => {
  fc.assert(
    fc.property(sqlish, fc.constantFrom(...servers), (text, server) => {
      const judged = judgePlain(text, server);
      for (const table of judged?.tables ?? []) expect(judged?.names).toContain(table);
    }),
    { numRuns: 3_000 },
  );
});

describe("names", () => {
  const [mysql] = servers as [PlainServer];

  test("are told without backquotes, each once, whatever their role", () => {
    const sql =
      "SELECT x.`a`, x.a AS b, CAST(c AS SIGNED) FROM (SELECT d AS a FROM `t`) AS x ORDER BY b LIMIT 1 OFFSET 2";
    expect(judgePlain(sql, mysql)).toEqual({
      names: ["x", "a", "b", "c", "SIGNED", "d", "t", "OFFSET"],
      tables: ["t"],
      functions: ["CAST"],
    });
  });

  test("in backquotes may equal keywords", () => {
    expect(judgePlain("SELECT `for`, `INTO` FROM `select`", mysql)).toEqual({
      names: ["for", "INTO", "select"],
      tables: ["select"],
      functions: [],
    });
  });

  test("are 64 characters at most", () => {
    expect(judgePlain(`SELECT a FROM ${"t".repeat(64)}`, mysql)?.tables).toEqual(["t".repeat(64)]);
    expect(judgePlain(`SELECT a FROM ${"t".repeat(65)}`, mysql)).toBeUndefined();
  });

  test("are bounded in number", () => {
    const columns = (count: number) => Array.from({ length: count }, (_, i) => `c${i}`).join(", ");
    expect(judgePlain(`SELECT ${columns(limits.plainNames - 1)} FROM t`, mysql)).toBeDefined();
    expect(judgePlain(`SELECT ${columns(limits.plainNames)} FROM t`, mysql)).toBeUndefined();
  });
});

describe("a function", () => {
  test.each([
    ["MD5('a')", ["mariadb", "tidb"]],
    ["SHA1('a')", ["mariadb", "tidb"]],
    ["REGEXP_LIKE('a', 'b')", ["mysql", "tidb"]],
    ["ANY_VALUE(1)", ["mysql", "tidb"]],
    ["INET6_ATON('::1')", ["mysql", "tidb"]],
    ["SOUNDEX('a')", ["mysql", "mariadb"]],
    ["JSON_VALUE('{}', '$.a')", ["mysql", "mariadb"]],
  ])("%s is known on %j alone", (call, engines) => {
    expect(plainOn(`SELECT ${call}`).map(({ engine }) => engine)).toEqual(engines);
  });
});

describe("the version", () => {
  test.each<PlainServer>([
    { engine: "mysql", version: "8.0.44" },
    { engine: "mysql", version: "8.4.7" },
    { engine: "mysql", version: "9.6.0" },
    { engine: "mysql", version: "9.8.0" },
    { engine: "mysql", version: "19.7.4" },
    { engine: "mysql", version: "9.70.1" },
    { engine: "mysql", version: "9.7.4-MariaDB" },
    { engine: "mysql", version: "" },
    { engine: "mariadb", version: "10.6.22-MariaDB" },
    { engine: "mariadb", version: "11.4.8-MariaDB-ubu2404" },
    { engine: "mariadb", version: "10.11.18" },
    { engine: "tidb", version: "8.0.11-TiDB-v7.5.6" },
    { engine: "tidb", version: "8.0.11-TiDB-v8.50.0" },
    { engine: "tidb", version: "8.0.11-TiDB-v9.0.0-beta.1" },
  ])("$engine $version has no list, so nothing is plain", (server) => {
    expect(judgePlain("SELECT 1", server)).toBeUndefined();
  });

  test.each<PlainServer>([
    { engine: "mysql", version: "9.7.0" },
    { engine: "mariadb", version: "10.11.2-MariaDB-log" },
    { engine: "tidb", version: "8.0.11-TiDB-v8.5.3" },
  ])("$engine $version has one", (server) => {
    expect(judgePlain("SELECT 1", server)).toBeDefined();
  });
});

test("each saved query of the sample is plain, except the one that writes", () => {
  const directory = join(packageRoot, "sample", "queries");
  const files = readdirSync(directory).filter((file) => file.endsWith(".sql"));
  const queries = parseCatalog(
    files.map((file) => ({ name: file, text: readFileSync(join(directory, file), "utf8") })),
  );
  expect(queries.length).toBeGreaterThan(4);
  const notPlain = queries.filter(({ sql }) => plainOn(sql).length < servers.length);
  expect(notPlain.map(({ name }) => name)).toEqual(["add-note"]);
});
