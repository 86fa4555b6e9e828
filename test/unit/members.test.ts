import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { duplicateMember } from "../../src/members.ts";

test("the name that is there twice is told", () => {
  expect(duplicateMember('{"a": {"b": 1}, "c": [{"a": 1, "b": "\\"", "b": 2}]}')).toBe("b");
  expect(duplicateMember('{"a\\u0062": 1, "ab": 2}')).toBe("ab");
  expect(duplicateMember('{"a": "a", "b": {"a": [{"a": 1}, {"a": 2}]}}')).toBeUndefined();
});

describe("members twice", () => {
  /** JSON as a tree whose objects are lists of members, so that names may repeat. */
  type Tree = string | number | null | { list: Tree[] } | { members: [string, Tree][] };
  const name = fc.oneof(
    fc.constantFrom("a", "b", 'c"', "\\", "/", "é", "__proto__", ":", "{"),
    fc.string({ maxLength: 2 }),
  );
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      name,
      fc.integer(),
      fc.constant(null),
      fc.record({ list: fc.array(tie("tree"), { maxLength: 4 }) }),
      fc.record({ members: fc.array(fc.tuple(name, tie("tree")), { maxLength: 4 }) }),
    ),
  }));

  /** Writes names plainly, or with every letter escaped; with white space here and there. */
  function write(value: Tree, escaped: boolean): string {
    if (value === null || typeof value !== "object") return JSON.stringify(value);
    if ("list" in value) return `[${value.list.map((item) => write(item, escaped)).join(" , ")}]`;
    const members = value.members.map(
      ([key, item], i) => `${writeName(key, escaped && i % 2 === 1)} :\n${write(item, escaped)}`,
    );
    return `{${members.join(",\t")}}`;
  }

  function writeName(key: string, escaped: boolean): string {
    if (!escaped) return JSON.stringify(key);
    const units = [...Array(key.length).keys()].map((i) => key.charCodeAt(i).toString(16).padStart(4, "0"));
    return `"${units.map((unit) => `\\u${unit}`).join("")}"`;
  }

  function repeats(value: Tree): boolean {
    if (value === null || typeof value !== "object") return false;
    if ("list" in value) return value.list.some(repeats);
    const names = value.members.map(([key]) => key);
    return new Set(names).size < names.length || value.members.some(([, item]) => repeats(item));
  }

  test("are found exactly where there are any", () => {
    let found = 0;
    fc.assert(
      fc.property(tree, fc.boolean(), (value, escaped) => {
        const text = write(value, escaped);
        JSON.parse(text);
        expect(duplicateMember(text) !== undefined).toBe(repeats(value));
        if (repeats(value)) found += 1;
      }),
      { numRuns: 2_000 },
    );
    expect(found).toBeGreaterThan(20);
  });

  test("are found in time that grows with the text only", () => {
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    const wide = `{${Array.from({ length: 20_000 }, (_, i) => `"${i}":"\\\\"`).join(",")}}`;
    const slashes = JSON.stringify({ a: '\\"'.repeat(100_000) });
    const started = performance.now();
    expect([deep, wide, slashes].map(duplicateMember)).toEqual([undefined, undefined, undefined]);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
