import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../../src/config/policy.ts";
import { expandTags } from "../../../src/config/query-names.ts";
import { change, good, mistakesOf } from "./example.ts";

const queries = [
  { name: "cities", tags: ["geography", "public"] },
  { name: "regions", tags: ["geography"] },
  { name: "add-note", tags: [] },
];

function parse(allow: string[], broken: string[] = []) {
  return parsePolicy(change(good(), { "grants[0].allow": allow }), "production", queries, broken);
}

describe("query:#TAG", () => {
  test("stands for each query of the tag", () => {
    expect(parse(["query:#geography", "sql:read"]).grants[0]?.allow).toEqual([
      "query:cities",
      "query:regions",
      "sql:read",
    ]);
  });

  test("does not repeat a query", () => {
    expect(expandTags(["query:cities", "query:#public", "query:#geography"], queries)).toEqual([
      "query:cities",
      "query:regions",
    ]);
  });

  test("never opens a query of another tag, or one without", () => {
    const { allow } = parse(["query:#public"]).grants[0] ?? {};
    expect(allow).toEqual(["query:cities"]);
  });

  test("is a mistake if no query has the tag", () => {
    expect(mistakesOf(() => parse(["query:#geographie", "query:#cities", "query:#public"]))).toEqual([
      'grants[0].allow: no saved query has the tag "geographie": write @tags into its head',
      'grants[0].allow: no saved query has the tag "cities": write @tags into its head',
    ]);
  });

  test.each(["query:#", "query:#A", "query:##a", "query:#*", "#geography", "query: #a"])(
    "%s is no permission",
    (permission) => {
      expect(mistakesOf(() => parse([permission]))).toEqual([
        expect.stringMatching(/^grants\[0\]\.allow\[0\]: must be query:NAME, query:#TAG, query:\*, /),
      ]);
    },
  );
});

describe("a broken query file makes no mistake of the policy", () => {
  test("where a grant names the query", () => {
    expect(parse(["query:notes"], ["notes"]).grants[0]?.allow).toEqual(["query:notes"]);
  });

  test("where a grant names a tag that the file may have", () => {
    expect(parse(["query:#notes", "sql:read"], ["notes"]).grants[0]?.allow).toEqual(["sql:read"]);
  });

  test("but another unknown query is one", () => {
    expect(mistakesOf(() => parse(["query:notes", "query:note"], ["notes"]))).toEqual([
      'grants[0].allow: there is no saved query "note"',
    ]);
  });
});
