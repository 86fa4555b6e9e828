import { describe, expect, test } from "vitest";
import type { Told } from "../../../../cli/check/locked.ts";
import { compareWithLock } from "../../../../cli/check/locked.ts";
import { hashOf } from "../../../../cli/project/lock.ts";
import type { Lock } from "../../../../src/catalog/lock.ts";
import type { ResultColumn } from "../../../../src/catalog/saved-query.ts";

const here = { engine: "mysql", version: "9.7.4" };
const there = { engine: "mysql", version: "8.0.1" };
const file = { name: "q.sql", text: "-- A query.\nSELECT .." };

type Columns = readonly ResultColumn[] | null;

const column = (name: string, type = "INT", nullable = false): ResultColumn => ({ name, type, nullable });
const locked = (columns: Columns, sha256 = hashOf(file)): Lock => ({
  server: there,
  queries: { q: { sha256, columns } },
});
const told = (columns?: Columns): Told => ({
  server: here,
  columns: new Map(columns === undefined ? [] : [["q", columns]]),
});
const compare = (lock: Lock | undefined, what: Told, relock = false) =>
  compareWithLock([file], what, { lock, relock });

const nothing = { lock: undefined, changes: [], differences: [] };

describe("what is not written again", () => {
  test.each<[string, Columns, Columns | undefined]>([
    ["equal columns, though the server is another one", [column("a")], [column("a")]],
    ["no columns", [], []],
    ["columns that this server does not tell", [column("a")], null],
    ["columns of a query that was not tried", [column("a")], undefined],
    ["columns that no server tells", null, null],
  ])("%s", (_, before, now) => {
    expect(compare(locked(before), told(now))).toEqual(nothing);
  });
});

describe("what is written", () => {
  test.each<[string, Lock | undefined, Columns | undefined, string]>([
    ["a first lock", undefined, [column("a")], "q: new, 1 column"],
    ["a new query", { server: there, queries: {} }, [], "q: new, no columns"],
    ["a query that was not tried", undefined, undefined, "q: new, the columns are not known before it runs"],
    ["another text", locked([column("a")], "0"), [column("b"), column("c")], "q: another text, 2 columns"],
    [
      "columns that the server before did not tell",
      locked(null),
      [column("a")],
      "q: its columns are known now, 1 column",
    ],
  ])("%s", (_, lock, now, change) => {
    expect(compare(lock, told(now))).toEqual({
      lock: { server: here, queries: { q: { sha256: hashOf(file), columns: now ?? null } } },
      changes: [change],
      differences: [],
    });
  });

  test("a lock without a query whose file is gone", () => {
    const { queries } = locked([column("a")]);
    const lock = { server: there, queries: { ...queries, old: { sha256: "1", columns: [] } } };
    expect(compare(lock, told([column("a")]))).toEqual({
      lock: { server: here, queries },
      changes: ["old: removed"],
      differences: [],
    });
  });

  test("with --relock, what the database says", () => {
    expect(compare(locked([column("a")]), told([column("a", "BIGINT")]), true)).toEqual({
      lock: { server: here, queries: locked([column("a", "BIGINT")]).queries },
      changes: ["q: other columns, 1 column"],
      differences: [],
    });
  });
});

describe("columns that differ", () => {
  const end =
    ". The text is the one that queries.lock knows from mysql 8.0.1: this is another database, or it has changed. With --relock it is right";

  test.each<[string, ResultColumn[], ResultColumn[], string]>([
    ["type", [column("a")], [column("a", "BIGINT")], "the column a is BIGINT, not INT"],
    ["NULL", [column("a")], [column("a", "INT", true)], "the column a is INT or NULL, not INT"],
    ["missing", [column("a"), column("b")], [column("b")], "the column a (INT) is missing"],
    ["additional", [column("a")], [column("a"), column("b")], "the column b (INT) is additional"],
    ["order", [column("a"), column("b")], [column("b"), column("a")], "its columns have another order"],
    [
      "several of one name",
      [column("a"), column("a")],
      [column("a"), column("a", "TEXT")],
      "the column a (2) is TEXT, not INT",
    ],
    [
      "all of these",
      [column("a"), column("b", "TEXT")],
      [column("c", "DATE", true), column("a", "JSON")],
      "the column a is JSON, not INT, the column b (TEXT) is missing, the column c (DATE or NULL) is additional",
    ],
    ["no result any more", [column("a")], [], "the column a (INT) is missing"],
  ])("%s", (_, before, now, words) => {
    expect(compare(locked(before), told(now))).toEqual({
      ...nothing,
      differences: [{ file: "q.sql", line: 2, column: 1, message: words + end }],
    });
  });

  test("keep the lock as it is, also where another query is new", () => {
    const files = [file, { name: "new.sql", text: "SELECT .." }];
    const lock = locked([column("a")]);
    const result = compareWithLock(files, told([column("b")]), { lock, relock: false });
    expect(result).toMatchObject({ lock: undefined, changes: [], differences: [{ file: "q.sql" }] });
  });
});
