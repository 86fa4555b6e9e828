import { describe, expect, test } from "vitest";
import { CatalogError, mistakeText, parseQuery } from "../../../../src/catalog/parse.ts";

/** @returns FILE:LINE:COLUMN: MESSAGE for each mistake */
function mistakes(text: string): string[] {
  try {
    parseQuery("q.sql", text);
  } catch (error) {
    if (error instanceof CatalogError) return error.mistakes.map(mistakeText);
    throw error;
  }
  return [];
}

describe("a head", () => {
  test("says all that the grammar has", () => {
    const text = `-- Notes.
-- @param status string default "open" enum ["open", "closed"]  Which
-- @param since date min "2000-01-01" max "2099-12-31"
-- @param price decimal min "0.10" max "99.90" default "1.00" - min is ten cents
-- @param code string length 2 pattern "[A-Z]{2}"
-- @param name string length ..40 required
-- @param ids integer[] items 1..3 min 1 max 9
-- @page keyset created_at desc, id size 20 max 100
-- @deadline_ms 2000
-- @max_rows 100
-- @cache 60
-- @tags reporting, notes
-- @example {"since": "2026-01-01", "code": "NZ", "name": "x", "ids": [1, 2]} The usual one
SELECT id, created_at FROM t
WHERE status = :status AND at > :since AND price < :price AND code = :code AND name = :name AND id IN (:ids)`;
    expect(parseQuery("q.sql", text)).toMatchObject({
      parameters: [
        { name: "status", default: "open", enum: ["open", "closed"], required: false, description: "Which" },
        { name: "since", min: "2000-01-01", max: "2099-12-31", required: true },
        { name: "price", min: "0.10", max: "99.90", default: "1.00", description: "min is ten cents" },
        { name: "code", length: { least: 2, most: 2 }, pattern: "[A-Z]{2}" },
        { name: "name", length: { most: 40 }, required: true },
        { name: "ids", list: true, items: { least: 1, most: 3 }, min: 1, max: 9 },
      ],
      result: "many",
      page: {
        kind: "keyset",
        keys: [
          { column: "created_at", descending: true },
          { column: "id", descending: false },
        ],
        ...{ size: 20, sizeCeiling: 100 },
      },
      ...{ deadlineMs: 2000, maxRows: 100, cache: { maxAgeSeconds: 60 }, tags: ["reporting", "notes"] },
      examples: [
        {
          description: "The usual one",
          parameters: { since: "2026-01-01", code: "NZ", name: "x", ids: [1, 2] },
        },
      ],
    });
  });

  test.each([
    ["SELECT 1", "many"],
    ["SELECT * FROM t FOR UPDATE", "many"],
    ["CALL p()", "many"],
    ["DELETE FROM t RETURNING id", "many"],
    ["DELETE FROM t", "exec"],
    ["TRUNCATE t", "exec"],
    ["-- @result one\nSELECT 1", "one"],
    ["-- @result one\nINSERT INTO t VALUES (1) RETURNING id", "one"],
    ["-- @result exec\nCALL p()", "exec"],
  ])("%j has the result %s", (text, result) => {
    expect(parseQuery("q.sql", text).result).toBe(result);
  });

  test.each([
    ["-- @page offset size 20 max 100\nSELECT a FROM t ORDER BY a"],
    ["-- @page offset size 1 max 1\nWITH c AS (SELECT 1 LIMIT 1) SELECT `limit` FROM c ORDER BY 1"],
    ["-- @page keyset a size 1 max 2\nSELECT a FROM (SELECT a FROM t ORDER BY a LIMIT 9) AS d"],
    ["-- @page keyset a size 1 max 2\nSELECT a, t.limit FROM t USE INDEX FOR ORDER BY (i)"],
    ["-- @page keyset `a b` desc,c size 1 max 2\nSELECT *, COUNT(*) OVER (ORDER BY x) FROM t"],
    ["-- @max_rows 5\n-- @page offset size 1 max 5\nSELECT a FROM t ORDER BY a"],
    ["-- @page keyset a size 1 max 2\nSELECT a FROM t FOR SYSTEM_TIME ALL"],
    ["-- @page keyset a size 1 max 2\nSELECT 1 AS 'a'"],
    ['-- @page keyset a size 1 max 2\nSELECT 1 "A"'],
    ["-- @page offset size 1 max 2\nSELECT offset FROM t ORDER BY offset"],
    ["-- @cache 0\n-- @result one\nSELECT 1"],
    ["-- @param a integer min 0 max 5\nSELECT 1 LIMIT :a"],
    ["-- @param a integer min 0 max 5\n-- @claim b integer\nSELECT 1 LIMIT :a OFFSET :jwt.b"],
    ["-- @param a string The min of what is meant, as long as no number follows\nSELECT :a"],
    ["-- @param a string - max 5 of them\nSELECT :a"],
    ["-- @example {}\nSELECT 1"],
    ['-- @example {"a": "}\\"] {"} x\n-- @param a string\nSELECT :a'],
  ])("%j is good", (text) => {
    expect(mistakes(text)).toEqual([]);
  });

  test("survives JSON", () => {
    const query = parseQuery(
      "q.sql",
      '-- @param a string pattern "\\\\p{L}+"\n-- @page offset size 1 max 2\nSELECT :a FROM t ORDER BY 1',
    );
    expect(JSON.parse(JSON.stringify(query))).toEqual(query);
  });
});

describe("a mistake stands at its line and column", () => {
  const param = (declaration: string) => `-- @param a ${declaration}\nSELECT :a`;
  const list = (declaration: string) => `-- @param a ${declaration}\nSELECT 1 IN (:a)`;
  const table: [text: string, position: string, message: RegExp][] = [
    // Lines
    ["-- x\n--   @nope\nSELECT 1", "2:6", /^@nope is not known: .* @param, @claim, @result/],
    ["-- @\u001b[31mx\nSELECT 1", "1:4", /^@\\u001b\[31mx is not known/],
    ["-- @result one\n--\t@result one\nSELECT 1", "2:4", /^@result stands there twice/],
    ["-- @tags a\n-- @tags b\nSELECT 1", "2:4", /^@tags stands there twice/],
    ["SELECT 1 -- é @cache 60\n-- @cache 60", "2:4", /^@cache works in the lines at the top only/],
    ["/* @page offset size 1 max 2 */ SELECT 1", "1:4", /^@page works in the lines at the top only/],
    // @param
    ["-- é😀\n-- 😀\nSELECT '😀', :a", "3:13", /^:a is not declared/],
    ["-- @param cursor string\nSELECT :cursor", "1:11", /^No parameter can be called cursor/],
    ["-- @param page_size integer\nSELECT :page_size", "1:11", /^No parameter can be called page_size/],
    ["-- @param total integer\nSELECT :total", "1:11", /^No parameter can be called total/],
    ["-- @param rows integer\nSELECT :rows", "1:11", /^No parameter can be called rows/],
    [param("integer required default 1"), "1:30", /has a default, so it is not required/],
    [param("integer default 1 required"), "1:31", /has a default, so it is not required/],
    [param("integer min 1 min 2"), "1:27", /^a has min twice/],
    [param("integer min"), "1:21", /^The min of a must be JSON.*behind a dash/],
    [param("integer min x"), "1:21", /^The min of a must be JSON/],
    [param("integer min 1.5"), "1:21", /^The min of a must be an integer/],
    [param("integer min null"), "1:21", /^The min of a must be an integer/],
    [param('date max "2026-02-30"'), "1:18", /^The max of a must be a date/],
    [param("decimal min 0.5"), "1:21", /^The min of a must be a decimal as text/],
    [param("string min 1"), "1:20", /^a is of the type string, which has no min: say with length/],
    [param("boolean max true"), "1:21", /^a is of the type boolean, which has no max/],
    [param("integer min 5 max 4"), "1:27", /^The max of a is less than its min/],
    [param('integer min "18446744073709551615" max "18446744073709551614"'), "1:48", /less than its min/],
    [param('decimal min "1.10" max "1.09"'), "1:32", /less than its min/],
    [param('datetime min "2026-01-01 00:00:00.1" max "2026-01-01T00:00:00Z"'), "1:50", /less than its min/],
    [param("integer min 1 default 0"), "1:27", /^The default of a must be at least 1/],
    [param("integer default 11 max 10"), "1:21", /^The default of a must be at most 10/],
    [param('string default "c" enum ["a", "b"]'), "1:20", /^The default of a must be one of "a", "b"/],
    [param('string default "abc" length ..2'), "1:20", /^The default of a must have at most 2 characters/],
    [param('string default "ab" pattern "[0-9]"'), "1:20", /^The default of a must match the pattern/],
    [param("string enum"), "1:20", /^The enum of a must be a JSON list/],
    [param("string enum []"), "1:20", /^The enum of a must be a JSON list/],
    [param('string enum "a"'), "1:20", /^The enum of a must be a JSON list/],
    [param("string enum [1]"), "1:20", /^Each value in the enum of a must be a string/],
    [param('integer enum ["x"]'), "1:21", /^Each value in the enum of a must be an integer/],
    [param("integer enum [1, null]"), "1:21", /^The enum of a cannot have null/],
    [param('integer enum [1, "1"]'), "1:21", /^The enum of a has a value twice/],
    [param('decimal enum ["1.0", "1.00"]'), "1:21", /^The enum of a has a value twice/],
    [param("boolean enum [true]"), "1:21", /^a is a boolean, which has two values/],
    [param(`integer enum [${Array.from({ length: 101 }, (_, i) => i)}]`), "1:21", /may have 100 values/],
    [param("integer enum [1, 5] max 4"), "1:21", /^A value in the enum of a must be at most 4/],
    [param('string enum ["abc"] length 2'), "1:20", /^A value in the enum of a must have exactly 2/],
    [
      param("integer length 5"),
      "1:21",
      /^a is of the type integer, and only a string has a length: its bounds are min/,
    ],
    [param("string length"), "1:20", /^The length of a must be N, A\.\.B/],
    [param("string length -1"), "1:20", /^The length of a must be N, A\.\.B/],
    [param("string length 0"), "1:20", /^The length of a must be N, A\.\.B/],
    [param("string length .."), "1:20", /^The length of a must be N, A\.\.B/],
    [param("string length ..2000000"), "1:20", /up to 1048576 characters/],
    [param("string length 5..4"), "1:20", /^The length of a ends before it begins/],
    [param("string items 5"), "1:20", /^a is no array, so it has no items/],
    [list("string[] items 0"), "1:22", /^The items of a must be/],
    [list("string[] items 1.."), "1:22", /^The items of a must be/],
    [list("string[] items ..1001"), "1:22", /from 1 to 1000/],
    [list("string[] items 5..4"), "1:22", /^The items of a ends before it begins/],
    [list("string[] default []"), "1:22", /an array has no default/],
    [param('integer pattern "x"'), "1:21", /only a string has a pattern/],
    [param("string pattern [A-Z]"), "1:20", /must be a regular expression in double quotes.*written twice/],
    [param('string pattern "["'), "1:20", /is no regular expression of ECMA-262/],
    [param('string pattern "a\\\\"'), "1:20", /is no regular expression of ECMA-262/],
    [param('string pattern "^a$"'), "1:20", /must be without \^, \$/],
    [param('string pattern "(?=a)b"'), "1:20", /must be without \^, \$/],
    [param('string pattern "(a+)\\\\1"'), "1:20", /must be without backreferences/],
    [param('string pattern "[]"'), "1:20", /is matched by no text/],
    [param('string pattern ".*a.{40}"'), "1:20", /more than 500 states/],
    [param('string pattern "(?i:abc)"'), "1:20", /\(Invalid group\)/],
    [param("string The text max 5"), "1:29", /stands in the text, where it has no effect.*write - before/],
    [param('string The text pattern "x"'), "1:29", /stands in the text/],
    [param("string lenght 1..40 Whom"), "1:20", /^lenght is no option: there are required, .*write - before/],
    [param("string max_length 40"), "1:20", /^max_length is no option/],
    [param("integer min 1 maximum -5"), "1:27", /^maximum is no option/],
    [param('string default "a" one_of ["a"]'), "1:32", /^one_of is no option/],
    [param("string enum of what"), "1:20", /^The enum of a must be a JSON list.*behind a dash/],
    // Numbers of rows
    ["-- @param a integer\nSELECT 1 LIMIT :a", "2:16", /^:a is a number of rows\. Declare a min of 0/],
    ["-- @param a integer min 0\nSELECT 1 LIMIT :a", "2:16", /Declare a min of 0 or more, and a max/],
    ["-- @param a integer min -1 max 5\nSELECT 1 LIMIT :a", "2:16", /Declare a min of 0 or more/],
    ["-- @param a integer max 5\nSELECT 1 LIMIT 5, :a", "2:19", /Declare a min of 0 or more/],
    ["-- @param a integer max 5\nSELECT 1 LIMIT 5\nOFFSET :a", "3:8", /Declare a min of 0 or more/],
    ["-- @param a integer\nSELECT 1 FETCH FIRST :a ROWS ONLY", "2:22", /Declare a min of 0 or more/],
    ["-- @param a integer\nSELECT 1 IN (SELECT 1 LIMIT :a)", "2:29", /Declare a min of 0 or more/],
    ["-- @param a string\nSELECT 1 LIMIT :a", "2:16", /Declare it as integer/],
    ["-- @param a integer default null min 0 max 5\nSELECT 1 LIMIT :a", "2:16", /cannot be null/],
    ["SELECT 1 LIMIT :jwt.a", "1:16", /Declare the claim as integer/],
    ["-- @claim a string\nSELECT 1 LIMIT :jwt.a", "2:16", /Declare the claim as integer/],
    // @claim
    ["-- @claim a integer min 1\nSELECT :jwt.a", "1:21", /^The claim a has no min: its issuer decides/],
    ["-- @claim a string default 1\nSELECT :jwt.a", "1:20", /^The claim a has no default/],
    // @result
    ["-- @result\nSELECT 1", "1:11", /^The result must be many/],
    ["-- @result single\nSELECT 1", "1:12", /^The result must be many/],
    ["-- @result one row\nSELECT 1", "1:16", /^@result ends here/],
    ["-- @result exec\nSELECT 1", "1:4", /^A SELECT answers with rows/],
    ["-- @result exec\nSELECT * FROM t FOR UPDATE", "1:4", /^A SELECT answers with rows/],
    ["-- @result exec\nDELETE FROM t RETURNING id", "1:4", /^The statement returns rows/],
    ["-- @result one\nDELETE FROM t", "1:4", /^A DELETE changes rows and answers with none/],
    ["-- @result many\nDELETE FROM t", "1:4", /^A DELETE changes rows and answers with none/],
    ["-- @result one\nCALL p()", "1:4", /^A CALL may answer with several results/],
    // @page
    ["-- @page\nSELECT 1", "1:9", /^Pages go by keyset or by offset/],
    ["-- @page cursor size 1 max 2\nSELECT 1", "1:10", /^Pages go by keyset or by offset/],
    ["-- @page keyset 5 size 1 max 2\nSELECT 1", "1:17", /^Here a column of the result must stand/],
    ["-- @page keyset t.a size 1 max 2\nSELECT a", "1:17", /^Here a column of the result must stand/],
    ["-- @page keyset a asc size 1 max 2\nSELECT a", "1:19", /remove asc/],
    ["-- @page keyset a, A size 1 max 2\nSELECT a", "1:20", /stands there twice/],
    ["-- @page keyset a size 0 max 2\nSELECT a", "1:24", /"size N" must stand/],
    ["-- @page keyset a max 2\nSELECT a", "1:19", /"size N" must stand/],
    ["-- @page offset size 5\nSELECT a ORDER BY a", "1:23", /"max N" must stand/],
    ["-- @page offset size 5 max 4\nSELECT a ORDER BY a", "1:22", /more than its max/],
    ["-- @page offset size 5 max 10001\nSELECT a ORDER BY a", "1:28", /from 1 to 10000/],
    ["-- @page offset size 5 max 6 rows\nSELECT a ORDER BY a", "1:30", /^@page ends here/],
    ["-- @page offset size 1 max 2\nSELECT a", "1:4", /need an ORDER BY at the end/],
    ["-- @page offset size 1 max 2\n(SELECT a ORDER BY a)", "1:4", /need an ORDER BY at the end/],
    ["-- @page offset size 1 max 2\nSELECT a ORDER BY a\nLIMIT 5", "3:1", /remove LIMIT/],
    ["-- @page keyset a size 1 max 2\nSELECT a FROM t LIMIT 5", "2:17", /remove LIMIT/],
    ["-- @page keyset a size 1 max 2\nSELECT a FROM t FETCH FIRST 5 ROWS ONLY", "2:17", /remove FETCH/],
    ["-- @page offset size 1 max 2\nSELECT a ORDER BY a OFFSET 5 ROWS", "2:21", /remove OFFSET/],
    ["-- @page keyset a size 1 max 2\nSELECT a FROM t\nORDER BY a", "3:1", /remove ORDER BY/],
    ["-- @page keyset b size 1 max 2\nSELECT a FROM t", "1:4", /has no column b/],
    ["-- @page keyset a size 1 max 2\nDELETE FROM t WHERE a = 1", "1:4", /^Only a SELECT .* has pages/],
    ["-- @page keyset a size 1 max 2\nSELECT a FROM t FOR UPDATE", "1:4", /^Only a SELECT .* has pages/],
    ["-- @page keyset a size 1 max 2\nSHOW TABLES", "1:4", /^Only a SELECT .* has pages/],
    ["-- @result one\n-- @page keyset a size 1 max 2\nSELECT a", "2:4", /@result one has no pages/],
    [
      "-- @max_rows 5\n-- @page offset size 1 max 6\nSELECT a ORDER BY a",
      "1:4",
      /less than the max of a page, 6/,
    ],
    // Numbers
    ["-- @deadline_ms 99\nSELECT 1", "1:17", /a whole number of milliseconds, 100 to 60000/],
    ["-- @deadline_ms 60001\nSELECT 1", "1:17", /100 to 60000/],
    ["-- @deadline_ms 1s\nSELECT 1", "1:17", /100 to 60000/],
    ["-- @max_rows 0\nSELECT 1", "1:14", /a whole number of rows, 1 or more/],
    ["-- @max_rows 5 of them\nSELECT 1", "1:16", /^@max_rows ends here/],
    ["-- @max_rows 5\nDELETE FROM t", "1:4", /no effect, since no rows are answered/],
    ["-- @result one\n-- @max_rows 5\nSELECT 1", "2:4", /no effect, since one row is answered/],
    ["-- @cache -1\nSELECT 1", "1:11", /a whole number of seconds, 0 to 31536000/],
    ["-- @cache\nSELECT 1", "1:10", /a whole number of seconds/],
    ["-- @cache 60\nDELETE FROM t", "1:4", /^Only the answer to a query that reads/],
    ["-- @cache 60\nSELECT * FROM t FOR UPDATE", "1:4", /^Only the answer to a query that reads/],
    // @tags
    ["-- @tags\nSELECT 1", "1:9", /^A tag must be/],
    ["-- @tags Reporting\nSELECT 1", "1:10", /^A tag must be/],
    ["-- @tags #a\nSELECT 1", "1:10", /^A tag must be/],
    ["-- @tags a b\nSELECT 1", "1:10", /with a comma between two tags/],
    ["-- @tags a,\nSELECT 1", "1:12", /^A tag must be/],
    ["-- @tags a, b, a\nSELECT 1", "1:16", /^The tag a stands there twice/],
    // @example
    ["-- @example\nSELECT 1", "1:12", /^An example has the parameters as a JSON object/],
    ["-- @example [1]\nSELECT 1", "1:13", /^An example has the parameters as a JSON object/],
    ['-- @example {"a": 1\nSELECT 1', "1:13", /^An example has the parameters as a JSON object/],
    ['-- @example {"a": 1} x\nSELECT 1', "1:13", /does not fit\. The query has no parameter "a"/],
    ["-- @example {}\n-- @param a integer\nSELECT :a", "1:13", /does not fit\. Not given: "a"/],
    ['-- @example {"a": 0}\n-- @param a integer min 1\nSELECT :a', "1:13", /must be at least 1/],
  ];
  test.each(table)("%j: %s %s", (text, position, message) => {
    const [first = "", ...more] = mistakes(text);
    expect(more).toEqual([]);
    expect(first).toMatch(/^q\.sql:\d+:\d+: /);
    const [, line, column, said] = /^q\.sql:(\d+):(\d+): (.*)$/s.exec(first) ?? [];
    expect({ position: `${line}:${column}`, said }).toEqual({
      position,
      said: expect.stringMatching(message),
    });
  });

  test("also in a file with a byte order mark and carriage returns", () => {
    expect(mistakes("\ufeff-- x\r\n-- @cache x\r\nSELECT 1\r\n")).toEqual([
      expect.stringMatching(/^q\.sql:2:11: /),
    ]);
  });

  test("and all of a file are told at once, in their order", () => {
    const text = `-- @param a integer min 2 max 1
-- @param b string min 1
-- @cache x
-- @tags A
-- @nope
SELECT :a, :b, :c LIMIT :d`;
    expect(mistakes(text).map((line) => line.split(" ")[0])).toEqual([
      ...["q.sql:1:27:", "q.sql:2:20:", "q.sql:3:11:", "q.sql:4:10:", "q.sql:5:4:"],
      ...["q.sql:6:16:", "q.sql:6:25:"],
    ]);
  });
});
