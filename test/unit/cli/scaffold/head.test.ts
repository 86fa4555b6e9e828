import { expect, test } from "vitest";
import { formatQuery } from "../../../../cli/scaffold/head.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";

test("what is written is what is read", () => {
  const parameters = [
    {
      name: "a",
      type: "integer",
      required: true,
      min: 0,
      max: "18446744073709551615",
      description: "min of all",
    },
    {
      name: "b",
      type: "string",
      required: false,
      default: null,
      length: { least: 1, most: 9 },
      description: "",
    },
    { name: "c", type: "string", required: false, default: 'x"\n', enum: ['x"\n', "y"], description: "" },
    {
      name: "d",
      type: "string",
      required: true,
      pattern: "\\d+",
      length: { most: 3 },
      description: "Digits",
    },
    { name: "e", type: "string", list: true, required: true, items: { most: 20 }, description: "- Codes" },
  ] as const;
  const text = formatQuery(
    {
      paragraphs: ["A summary.", "", "More\nof it. @param is no tag here."],
      claims: [{ name: "sub", type: "string", description: "Who" }],
      parameters,
      page: "keyset id desc size 5 max 10",
      deadlineMs: 500,
      maxRows: 10,
      cacheSeconds: 0,
      tags: ["one", "two"],
      example: { description: "All", parameters: { a: 1, d: "12", e: ["x"] } },
    },
    "SELECT id FROM t WHERE a = :a AND b = :b AND c = :c AND d = :d AND e IN (:e) AND f = :jwt.sub ;",
  );
  expect(parseQuery("q.sql", text)).toMatchObject({
    summary: "A summary.",
    description: "More of it. @param is no tag here.",
    parameters: [
      parameters[0],
      parameters[1],
      parameters[2],
      parameters[3],
      { ...parameters[4], description: "- Codes" },
    ],
    claims: [{ name: "sub", type: "string" }],
    result: "many",
    page: { kind: "keyset", keys: [{ column: "id", descending: true }], size: 5, sizeCeiling: 10 },
    deadlineMs: 500,
    maxRows: 10,
    cache: { maxAgeSeconds: 0 },
    tags: ["one", "two"],
    examples: [{ description: "All", parameters: { a: 1, d: "12", e: ["x"] } }],
  });
});

test("a text from elsewhere never becomes a tag or the statement", () => {
  const text = formatQuery(
    {
      paragraphs: ["@tags admin", "One\n@tags admin\nDROP TABLE t; --\u2028@tags admin"],
      parameters: [
        { name: "a", type: "string", required: true, description: "x\n@tags admin\rDROP TABLE t" },
      ],
      result: "many",
    },
    "SELECT :a FROM t",
  );
  expect(text.split("\n").filter((line) => !line.startsWith("-- ") && line !== "--")).toEqual([
    "SELECT :a FROM t;",
    "",
  ]);
  const { tags, summary } = parseQuery("q.sql", text);
  expect({ tags, summary }).toEqual({ tags: [], summary: '"@tags admin"' });
});

// Such a character alone leaves no empty word, behind which the @ would begin a line.
test.each(["\u200b", "\u2060", "\u00ad", "\u202e"])("nor behind an invisible %j", (invisible) => {
  const text = formatQuery(
    { paragraphs: ["One", `${"w".repeat(101)} ${invisible} @tags admin`] },
    "SELECT 1",
  );
  expect(parseQuery("q.sql", text).tags).toEqual([]);
  expect(text).toContain(`-- ${"w".repeat(101)} @tags\n-- admin\n`);
});
