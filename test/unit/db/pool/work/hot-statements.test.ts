import { describe, expect, test } from "vitest";
import { HotStatements } from "../../../../../src/db/pool/work/hot-statements.ts";
import { limits } from "../../../../../src/limits.ts";

const texts = (hot: HotStatements) => hot.top().map(({ sql }) => sql);
const read = (sql: string) => ({ sql, writable: false });

function noted(...sqls: string[]): HotStatements {
  const hot = new HotStatements(() => true);
  for (const sql of sqls) hot.note(read(sql));
  return hot;
}

describe("hot statements", () => {
  test("are repeated ones, the hottest first", () => {
    expect(texts(noted())).toEqual([]);
    expect(texts(noted("a"))).toEqual([]);
    expect(texts(noted("a", "b", "b", "a", "b", "c"))).toEqual(["b", "a"]);
  });

  test("are only statements that may be prepared ahead", () => {
    const hot = new HotStatements((sql) => sql !== "a");
    for (const sql of ["a", "b", "a", "b", "a"]) hot.note(read(sql));
    expect(texts(hot)).toEqual(["b"]);
  });

  test("must have a share of the latest ones", () => {
    const others = Array.from({ length: limits.hotStatementWindow - 3 }, (_, i) => `other ${i}`);
    const share = limits.hotStatementWindow * limits.hotStatementShare;
    expect(share).toBe(4);
    expect(texts(noted(...others, "a", "a", "a"))).toEqual([]);
    expect(texts(noted(...others, "a", "a", "a", "a"))).toEqual(["a"]);
  });

  test("cool down when other statements come", () => {
    const hot = noted("a", "a", "a", "a");
    for (let i = 0; i < limits.hotStatementWindow; i++) hot.note(read("b"));
    expect(texts(hot)).toEqual(["b"]);
  });

  test("have a bounded number", () => {
    const many = Array.from({ length: limits.hotStatements + 4 }, (_, i) => `s${i}`);
    expect(texts(noted(...many, ...many, ...many, ...many))).toHaveLength(limits.hotStatements);
  });

  test("are never long ones", () => {
    const long = "x".repeat(limits.hotStatementCharacters + 1);
    expect(texts(noted(long, long, long))).toEqual([]);
    const longest = long.slice(1);
    expect(texts(noted(longest, longest))).toEqual([longest]);
  });

  test("that the server refuses are dropped, and tell whether they write", () => {
    const hot = new HotStatements(() => true);
    for (let i = 0; i < 3; i++) hot.note({ sql: "w", writable: true });
    expect(hot.top()).toMatchObject([{ sql: "w", writable: true }]);
    hot.forget("w");
    hot.forget("never seen");
    expect(texts(hot)).toEqual([]);
    hot.note({ sql: "w", writable: true });
    expect(texts(hot)).toEqual([]);
    for (let i = 0; i < limits.hotStatementWindow; i++) hot.note(read("r"));
    expect(texts(hot)).toEqual(["r"]);
  });
});
