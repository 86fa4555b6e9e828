import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  hashOf,
  lockText,
  parseLock,
  readLock,
  staleness,
  withColumns,
  writeLock,
} from "../../../../cli/project/lock.ts";
import type { Lock } from "../../../../src/catalog/lock.ts";
import { parseCatalog } from "../../../../src/catalog/parse.ts";

const server = { engine: "mysql", version: "9.7.4" };
const columns = [{ name: 'a "b"', type: "INT UNSIGNED", nullable: true }];
const a = { name: "a.sql", text: "SELECT a FROM t" };
const b = { name: "b.sql", text: "SELECT b FROM t" };
const lock: Lock = {
  server,
  queries: { b: { sha256: hashOf(b), columns: null }, a: { sha256: hashOf(a), columns } },
};

describe("the file", () => {
  test("is JSON with a line for each column, in the order of names, with a line feed at its end", () => {
    expect(lockText(lock)).toBe(`{
  "server": { "engine": "mysql", "version": "9.7.4" },
  "queries": {
    "a": {
      "sha256": "${hashOf(a)}",
      "columns": [
        { "name": "a \\"b\\"", "type": "INT UNSIGNED", "nullable": true }
      ]
    },
    "b": {
      "sha256": "${hashOf(b)}",
      "columns": null
    }
  }
}
`);
  });

  test.each<[string, Lock["queries"]]>([
    ["without queries", {}],
    ["of a query without columns", { a: { sha256: "0", columns: [] } }],
    ["of two columns", { a: { sha256: "0", columns: [...columns, ...columns] } }],
  ])("%s is read as it was written", (_, queries) => {
    expect(parseLock(lockText({ server, queries }))).toEqual({ server, queries });
  });

  test("is written whole: nothing else stays in the folder", () => {
    const directory = mkdtempSync(join(tmpdir(), "lock-"));
    try {
      expect(readLock(directory)).toBeUndefined();
      writeLock(lock, directory);
      expect(readLock(directory)).toEqual(lock);
      expect(readdirSync(directory)).toEqual(["queries.lock"]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test.each(
    [
      ["", "<<<<<<< HEAD", "null", "{}", '{"server":{"engine":"mysql","version":"1"}}'],
      ['{"server":{"engine":"mysql","version":"1"},"queries":{"a":{"columns":[]}}}'],
      ['{"server":{"engine":"mysql","version":"1"},"queries":{"a":{"sha256":"0"}}}'],
      ['{"server":{"engine":"mysql","version":"1"},"queries":{"a":{"sha256":"0","columns":[{"name":"a"}]}}}'],
    ].flat(),
  )("that is no lock is refused: %s", (text) => {
    expect(() => parseLock(text)).toThrow(/^queries\.lock cannot be read: remove it/);
  });
});

test("the hash is of the text; carriage returns before line feeds do not count", () => {
  expect(hashOf({ text: "-- a\r\nSELECT 1" })).toBe(hashOf({ text: "-- a\nSELECT 1" }));
  expect(hashOf({ text: "-- b\nSELECT 1" })).not.toBe(hashOf({ text: "-- a\nSELECT 1" }));
  expect(hashOf({ text: "abc" })).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

describe("columns of queries", () => {
  test("are those of the same text", () => {
    const changed = { ...a, text: `${a.text} LIMIT 1` };
    const read = (files: (typeof a)[], of: Lock | undefined) =>
      withColumns(parseCatalog(files), files, of).map((query) => query.columns);
    expect(read([a, b], lock)).toEqual([columns, undefined]);
    expect(read([changed, b], lock)).toEqual([undefined, undefined]);
    expect(read([a], undefined)).toEqual([undefined]);
  });

  test("of a query that has the name of a member of each object", () => {
    const odd = { name: "constructor.sql", text: "SELECT 1" };
    expect(staleness([odd], { server, queries: {} })).toEqual([
      expect.stringContaining("lacks queries/constructor.sql"),
    ]);
  });
});

describe("without a database", () => {
  test("the lock that fits is not stale", () => {
    expect(staleness([a, b], lock)).toEqual([]);
  });

  test("a project without queries needs no lock", () => {
    expect(staleness([], undefined)).toEqual([]);
    expect(staleness([a], undefined)).toEqual([
      "queries.lock is missing: npm run check -- --env NAME --database writes it",
    ]);
  });

  test("new, changed and removed queries are named", () => {
    const c = { name: "c.sql", text: "SELECT c FROM t" };
    expect(staleness([{ ...a, text: "SELECT a, b FROM t" }, c], lock)).toEqual([
      "queries.lock: queries/a.sql has changed since a database was asked about it: npm run check -- --env NAME --database writes it anew",
      "queries.lock lacks queries/c.sql, about which no database was asked: npm run check -- --env NAME --database writes it",
      "queries.lock has b, and there is no queries/b.sql: npm run check -- --env NAME --database writes it without it",
    ]);
  });
});
