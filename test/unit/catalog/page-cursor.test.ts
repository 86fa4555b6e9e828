import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { CursorScope } from "../../../src/catalog/page-cursor.ts";
import { readCursor, writeCursor } from "../../../src/catalog/page-cursor.ts";
import type { Page } from "../../../src/catalog/saved-query.ts";
import { limits } from "../../../src/limits.ts";

const page: Page = {
  kind: "keyset",
  keys: [
    { column: "a", descending: false },
    { column: "b", descending: true },
  ],
  ...{ size: 10, sizeCeiling: 100 },
};
const counted: Page = { kind: "offset", keys: [], size: 10, sizeCeiling: 100 };

const scope: CursorScope = {
  environment: "production",
  query: { name: "cities", sql: "SELECT a, b FROM t WHERE c = ?" },
  page,
  account: "analyst",
  caller: "digest-of-a-caller",
  bound: { sql: "SELECT a, b FROM t WHERE c = ?", values: [{ type: "integer", value: 2n ** 63n }] },
};

const keys = [
  ["BIGINT UNSIGNED", "18446744073709551615"],
  ["VARCHAR", "it's \u{1f4a1}"],
] as const;

async function written(position: Parameters<typeof writeCursor>[0] = keys, of = scope): Promise<string> {
  const cursor = await writeCursor(position, of);
  expect(cursor).toMatch(/^[\w-]+$/);
  return cursor as string;
}

test("a cursor gives back the last row's keys with their types", async () => {
  expect(await readCursor(await written(), scope)).toEqual({
    after: [
      { type: "integer", value: 18446744073709551615n },
      { type: "string", value: "it's \u{1f4a1}" },
    ],
  });
});

test("a cursor by offset gives back the number of rows", async () => {
  const of = { ...scope, page: counted };
  expect(await readCursor(await written(70, of), of)).toEqual({ offset: 70 });
});

describe("a cursor is refused for", () => {
  const [only] = scope.bound.values;
  const others: [string, Partial<CursorScope>][] = [
    ["another environment", { environment: "staging" }],
    ["another query", { query: { ...scope.query, name: "towns" } }],
    ["another text of the query", { query: { ...scope.query, sql: "SELECT a, b FROM t WHERE d = ?" } }],
    ["another account", { account: "editor" }],
    ["another caller", { caller: "digest-of-another" }],
    ["another kind of page", { page: { ...page, kind: "offset" } }],
    ["another order", { page: { ...page, keys: page.keys.map((key) => ({ ...key, descending: false })) } }],
    ["fewer keys", { page: { ...page, keys: page.keys.slice(0, 1) } }],
    ["another value", { bound: { ...scope.bound, values: [{ type: "integer", value: 2n ** 63n + 1n }] } }],
    [
      "another type of a value",
      { bound: { ...scope.bound, values: [{ type: "string", value: String(only?.value) }] } },
    ],
    ["another number of values", { bound: { ...scope.bound, values: [] } }],
  ];
  test.each(others)("%s", async (_, other) => {
    expect(await readCursor(await written(), { ...scope, ...other })).toBeUndefined();
  });

  test("a zero with another sign", async () => {
    const of = (value: number): CursorScope => ({
      ...scope,
      bound: { ...scope.bound, values: [{ type: "number", value }] },
    });
    const cursor = await written(keys, of(0));
    expect(await readCursor(cursor, of(0))).toBeDefined();
    expect(await readCursor(cursor, of(-0))).toBeUndefined();
  });
});

test("a cursor serves pages of any size", async () => {
  const larger = { ...scope, page: { ...page, size: 3, sizeCeiling: 4 } };
  expect(await readCursor(await written(), larger)).toBeDefined();
});

test("a cursor that is changed anywhere, cut or longer is refused", async () => {
  const cursor = await written();
  const wrong = [...cursor].flatMap((sign, at) => [
    `${cursor.slice(0, at)}${sign === "A" ? "B" : "A"}${cursor.slice(at + 1)}`,
    cursor.slice(0, at),
    `${cursor.slice(0, at)} ${cursor.slice(at)}`,
  ]);
  for (const one of [...wrong, `${cursor}A`, `${cursor}=`, `${cursor}\n`, "=", "é"]) {
    expect(await readCursor(one, scope), one).toBeUndefined();
  }
});

test("a cursor is not longer than an address allows", async () => {
  const long = (length: number) =>
    [
      ["INT", "1"],
      ["VARCHAR", "x".repeat(length)],
    ] as const;
  expect(await writeCursor(long(limits.cursorCharacters), scope)).toBeUndefined();
  expect(await readCursor("A".repeat(limits.cursorCharacters + 1), scope)).toBeUndefined();
});

test.each([
  ["a key of a type that orders no pages", page, '[["FLOAT","0.1"],["INT","1"]]'],
  ["a text that is no value of its type", page, '[["INT","1 OR 1"],["INT","1"]]'],
  ["a list that is no key", page, '["INT",["INT","1"]]'],
  ["too few keys", page, '[["INT","1"]]'],
  ["an object", page, '{"length":2}'],
  ["no JSON", page, "[["],
  ["an offset that is a text", counted, '"7"'],
  ["an offset with a fraction", counted, "0.5"],
  ["an offset below 0", counted, "-1"],
])("even with its digest, a cursor is refused with %s", async (_, of, content) => {
  const given = { ...scope, page: of };
  const encoded = Buffer.from(content).toString("base64url");
  // The same digest as the gateway's: a caller who knows the statement could make it.
  const { environment, query, account, caller, bound } = given;
  const parts = [environment, query.name, query.sql, of.kind, of.keys, account, caller, bound, encoded];
  const text = JSON.stringify(parts, (_key, value: unknown) =>
    typeof value === "bigint" ? { integer: value.toString() } : value,
  );
  const digest = createHash("sha256").update(text).digest("base64url").slice(0, 22);
  expect(await readCursor(digest + encoded, given)).toBeUndefined();
  const good = Buffer.from(of === counted ? "7" : JSON.stringify(keys)).toString("base64url");
  const goodText = text.replace(JSON.stringify(encoded), JSON.stringify(good));
  const goodDigest = createHash("sha256").update(goodText).digest("base64url").slice(0, 22);
  expect(await readCursor(goodDigest + good, given)).toBeDefined();
});
