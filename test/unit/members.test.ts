import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { duplicateMember as find } from "../../src/members.ts";

const duplicateMember = (json: string) => find(json, { "": JSON.parse(json) }, () => {});

test("the repeated name is reported", () => {
  expect(duplicateMember('{"a": {"b": 1}, "c": [{"a": 1, "b": "\\"", "b": 2}]}')).toBe("b");
  expect(duplicateMember('{"a\\u0062": 1, "ab": 2}')).toBe("ab");
  // JSON.parse has dropped the first member.
  for (const last of ["1", "null", '"x"', "[]", "{}"])
    expect(duplicateMember(`{"a": {"b": [1.5, {"c": 1e3}]}, "a": ${last}}`)).toBe("a");
  expect(duplicateMember('{"a": "a", "b": {"a": [{"a": 1}, {"a": 2}]}}')).toBeUndefined();
});

test("numbers that a double cannot keep as written are reported, with their places", () => {
  const json = ` { "a" : [1, -1.50,{"b" :-0 }, [ ] , "1.5", 1E3], "c": 123456789012345, "d": -0.0,"__proto__":{"0":1e-2},
    "e": 1234567890123456, "f\\u0067": -12345678901234, "h": [[2.0]], "i": 0, "j": -1, "k": "\\",-2.5" } `;
  const root = { "": JSON.parse(json) };
  const told: [object, string | number, string][] = [];
  expect(find(json, root, (...one) => told.push(one))).toBeUndefined();
  const value = root[""];
  expect(told.map(([, key, text]) => [key, text])).toEqual([
    ...[
      [1, "-1.50"],
      ["b", "-0"],
      [5, "1E3"],
      ["d", "-0.0"],
      ["0", "1e-2"],
      ["e", "1234567890123456"],
      [0, "2.0"],
    ],
  ]);
  const holders = [
    value.a,
    value.a[2],
    value.a,
    value,
    Object.entries(value).find(([name]) => name === "__proto__")?.[1],
    value,
    value.h[0],
  ];
  for (const [i, [holder, key, text]] of told.entries()) {
    expect(holder).toBe(holders[i]);
    expect(Reflect.get(holder, key)).toBe(Number(text));
  }
  const alone = { "": 1.5 };
  const seen: unknown[] = [];
  find("1.50", alone, (...one) => seen.push(one));
  expect(seen).toEqual([[alone, "", "1.50"]]);
});

describe("repeated members", () => {
  /** JSON as a tree. Its objects are lists of members, so that names may repeat. */
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

  /** Writes names unchanged or with every letter escaped, and white space at some places. */
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

  test("are found exactly if there are any", () => {
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

  test("are found in time linear in the text", () => {
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    const wide = `{${Array.from({ length: 20_000 }, (_, i) => `"${i}":"\\\\"`).join(",")}}`;
    const slashes = JSON.stringify({ a: '\\"'.repeat(100_000) });
    const started = performance.now();
    expect([deep, wide, slashes].map(duplicateMember)).toEqual([undefined, undefined, undefined]);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
