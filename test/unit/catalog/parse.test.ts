import { describe, expect, test } from "vitest";
import { CatalogError, type Mistake, parseCatalog, parseQuery } from "../../../src/catalog/parse.ts";

function mistakes(text: string, file = "q.sql"): readonly Mistake[] {
  try {
    parseQuery(file, text);
  } catch (error) {
    if (error instanceof CatalogError) return error.mistakes;
    throw error;
  }
  return [];
}

describe("a saved query", () => {
  test("has all parts of its file", () => {
    const text = [
      "-- Cities of a country.",
      "--",
      "--   Most populous first.",
      "-- @param country string required  Two letters",
      "-- @param limit integer default 10 min 0 max 50 How many at most",
      "-- @param since date default null",
      "-- @param name string Part of the name",
      '-- @param order string default "by \\"name\\" -- x" The order',
      "",
      "SELECT * FROM cities -- of :nobody",
      "WHERE country = :country AND owner = :jwt.sub AND tenant = :jwt.app.tenant",
      "  AND (:since IS NULL OR founded > :since) AND name LIKE :name AND :order <> ':x'",
      "LIMIT :limit;",
      "-- the end",
    ].join("\n");
    expect(parseQuery("cities-by-country.sql", text)).toEqual({
      name: "cities-by-country",
      summary: "Cities of a country.",
      description: "Most populous first.",
      result: "many",
      tags: [],
      examples: [],
      sql: [
        "SELECT * FROM cities  ",
        "WHERE country = ? AND owner = ? AND tenant = ?",
        "  AND (? IS NULL OR founded > ?) AND name LIKE ? AND ? <> ':x'",
        "LIMIT ?",
      ].join("\n"),
      kind: "read",
      verb: "SELECT",
      returning: false,
      lenient: "read",
      parameters: [
        { name: "country", type: "string", required: true, description: "Two letters" },
        {
          ...{ name: "limit", type: "integer", required: false, default: 10, min: 0, max: 50 },
          description: "How many at most",
        },
        { name: "since", type: "date", required: false, default: null, description: "" },
        { name: "name", type: "string", required: true, description: "Part of the name" },
        {
          name: "order",
          type: "string",
          required: false,
          default: 'by "name" -- x',
          description: "The order",
        },
      ],
      order: ["country", "jwt.sub", "jwt.app.tenant", "since", "since", "name", "order", "limit"],
      claims: [
        { name: "sub", path: ["sub"] },
        { name: "app.tenant", path: ["app", "tenant"] },
      ],
    });
  });

  test.each([
    ["SELECT 1", "read"],
    ["\ufeffSELECT 1", "read"],
    ["-- x\r\n-- @param a integer\r\nSELECT :a\r\n", "read"],
    ["--\tx\nSELECT 1", "read"],
    ["SELECT * FROM t FOR UPDATE", "write"],
    ["DELETE FROM t WHERE author = :jwt.sub AND owner = :jwt.sub", "write"],
    ["TRUNCATE t", "ddl"],
    ["-- @param a integer default 9007199254740991\nSELECT :a", "read"],
    ['-- @param a integer default "9007199254740993"\nSELECT :a', "read"],
    ['-- @param a decimal default "1.10"\nSELECT :a', "read"],
    ["-- @param a boolean default true\nSELECT :a", "read"],
    ['-- @param a datetime default "2026-01-01 00:00:00"\nSELECT :a', "read"],
    ["-- @param a number default -1.5e3 x\nSELECT :a", "read"],
    ["-- @param required string required\nSELECT :required", "read"],
    ["-- @param a integer[]\nSELECT 1 FROM t WHERE a IN (:a) OR b NOT IN ( :a )", "read"],
  ])("%j is a %s", (text, kind) => {
    expect(parseQuery("q.sql", text).kind).toBe(kind);
  });

  test("declares an array", () => {
    const text =
      "-- @param a integer[] required Some\n-- @param b date[] Days\nSELECT 1 IN (:a) OR 2 IN (:b)";
    expect(parseQuery("q.sql", text).parameters).toEqual([
      { name: "a", type: "integer", list: true, required: true, description: "Some" },
      { name: "b", type: "date", list: true, required: true, description: "Days" },
    ]);
  });

  test("survives JSON", () => {
    const query = parseQuery("q.sql", "-- @param a integer default null\nSELECT :a, :jwt.sub");
    expect(JSON.parse(JSON.stringify(query))).toEqual(query);
  });
});

describe("a mistake", () => {
  const table: [text: string, line: number, message: RegExp][] = [
    ["", 1, /no statement/],
    ["-- only a comment\n", 1, /no statement/],
    ["SELECT 1;\nSELECT 2", 1, /one statement at a time/],
    ["-- x\nSET a = 1", 2, /^SET is not accepted/],
    ["-- x\nSHOW GRANTS", 2, /^SHOW is accepted for what tells of nobody/],
    ["EXPLAIN FOR CONNECTION 1", 1, /^EXPLAIN is accepted for what tells of nobody/],
    ["-- x\n\nFOO", 3, /does not know the statement/],
    ["-- x\nSELECT 1\nINTO OUTFILE 'x'", 3, /INTO/],
    ["SELECT /*! 1 */", 1, /Comments that a server runs/],
    ["SELECT\n'a", 2, /does not end/],
    ["SELECT a\u00a0b", 1, /U\+00A0/],
    ["SELECT\n?", 2, /write :name/],
    ["-- @param a string\nSELECT :a,\n?", 3, /not both/],
    ["SELECT\n:a", 2, /:a is not declared.*@param a TYPE/],
    ["SELECT :a.b", 1, /Only the names of claims/],
    ["-- @param a string\nSELECT 1", 1, /"a" is not used/],
    ["-- @param a string\nSELECT ':a'", 1, /"a" is not used/],
    ["-- x\n-- @parm a string\nSELECT 1", 2, /^@parm is not known/],
    ["-- @caches 60\nSELECT 1", 1, /^@caches is not known/],
    ["-- @param\nSELECT 1", 1, /name must be/],
    ["-- @param 1a string\nSELECT 1", 1, /name must be/],
    ["-- @param jwt.sub string\nSELECT :jwt.sub", 1, /declared with @claim/],
    ["-- @param a\nSELECT :a", 1, /type of a must be one of string, integer/],
    ["-- @param a text\nSELECT :a", 1, /type of a/],
    ["-- @param a String\nSELECT :a", 1, /type of a/],
    ["-- @param a string default\nSELECT :a", 1, /default of a must be JSON/],
    ["-- @param a string default x\nSELECT :a", 1, /default of a must be JSON/],
    ["-- @param a string default 'x'\nSELECT :a", 1, /default of a must be JSON/],
    ['-- @param a string default "x\nSELECT :a', 1, /default of a must be JSON/],
    ["-- @param a string default []\nSELECT :a", 1, /default of a must be JSON/],
    ["-- @param a string default 1\nSELECT :a", 1, /default of a must be a string/],
    ["-- @param a integer default 1.5\nSELECT :a", 1, /default of a must be an integer/],
    ["-- @param a integer default 9007199254740993\nSELECT :a", 1, /as a string/],
    ["-- @param a decimal default 1.5\nSELECT :a", 1, /default of a must be a decimal/],
    ['-- @param a date default "2026-02-30"\nSELECT :a', 1, /default of a must be a date/],
    ["-- @param a string\n-- @param a string\nSELECT :a", 2, /declared twice/],
    ["-- @param a []\nSELECT 1 IN (:a)", 1, /type of a must be/],
    ["-- @param a integer[][]\nSELECT 1 IN (:a)", 1, /type of a must be/],
    ["-- @param a integer[] default 1\nSELECT 1 IN (:a)", 1, /no default/],
    ["-- @param a integer[]\nSELECT\n:a", 3, /:a is an array/],
    ["-- @param a integer[]\nSELECT 1 IN (1,\n:a)", 3, /:a is an array/],
    ["-- @param a integer[]\nSELECT 1 IN (:a)\nLIMIT :a", 3, /:a is an array/],
  ];
  test.each(table)("%j: line %d, %s", (text, line, message) => {
    expect(mistakes(text)).toMatchObject([{ file: "q.sql", line, message: expect.stringMatching(message) }]);
  });

  test.each([
    "Q.sql",
    "1q.sql",
    "q",
    "q.SQL",
    "a/b.sql",
    "q.sql.sql",
    ".sql",
    "q q.sql",
    `${"q".repeat(64)}.sql`,
  ])("in the file's name: %s", (file) => {
    expect(mistakes("SELECT 1", file)).toEqual([
      { file, line: 1, column: 1, message: expect.stringMatching(/file's name/) },
    ]);
  });

  test("is a name in another case", () => {
    expect(mistakes("-- @param A string\nSELECT :a").map(({ line }) => line)).toEqual([1, 2]);
  });

  test("is reported once for one cause", () => {
    expect(mistakes("-- @param a text\nSELECT :a")).toHaveLength(1);
  });
});

describe("a catalog", () => {
  test("is in the order of the names", () => {
    const files = ["b", "a", "a-b"].map((name) => ({ name: `${name}.sql`, text: "SELECT 1" }));
    expect(parseCatalog(files).map(({ name }) => name)).toEqual(["a", "a-b", "b"]);
    expect(parseCatalog([])).toEqual([]);
  });

  test("reports every mistake of every file at once, for a person", () => {
    const files = [
      { name: "a.sql", text: "-- @nope\n-- @param x text\n-- @param y string\nSELECT :z" },
      { name: "b.sql", text: "SELECT 1" },
      { name: "b.sql", text: "SELECT 2" },
      { name: "C.sql", text: "USE d" },
    ];
    expect(() => parseCatalog(files)).toThrow(
      expect.objectContaining({
        name: "CatalogError",
        file: "a.sql",
        line: 1,
        message: [
          "a.sql:1:4: @nope is not known: a line that begins with @ is one of @param, @claim, @result, @page, @deadline_ms, @max_rows, @cache, @tags, @example.",
          "a.sql:2:13: The type of x must be one of string, integer, number, boolean, decimal, date, datetime, or an array of one, such as integer[].",
          'a.sql:3:11: The parameter "y" is not used: remove it, or write :y in the statement.',
          "a.sql:4:8: :z is not declared. Declare it at the top: -- @param z TYPE",
          "b.sql:1:1: There are two queries named b: rename one.",
          "C.sql:1:1: The file's name must be a lower-case letter, then up to 62 letters, digits, - or _, then .sql.",
          "C.sql:1:1: USE is not accepted. Write the database before the name instead: db.table.",
        ].join("\n"),
      }),
    );
  });
});
