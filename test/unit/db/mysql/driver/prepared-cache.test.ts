import { describe, expect, test } from "vitest";
import type { Prepared } from "../../../../../src/db/mysql/driver/prepared.ts";
import { PreparedStatements } from "../../../../../src/db/mysql/driver/prepared-cache.ts";
import type { BoundValue } from "../../../../../src/sql/bound-value.ts";
import { knownColumns } from "./text-columns.ts";

const prepared = (id: number, ...codes: number[]): Prepared => ({
  id,
  parameters: codes.map((columnType) => ({ columnType })),
  close: () => {},
});
const integer: BoundValue = { type: "integer", value: 1 };
const text: BoundValue = { type: "string", value: "a" };

describe("prepared statements of a connection", () => {
  test("a statement that was not executed yet accepts any types, and keeps them", () => {
    const statements = new PreparedStatements(4, false);
    statements.add("SELECT ?", prepared(1));
    expect(statements.has("SELECT ?", [integer])).toBe(true);
    expect(statements.take("SELECT ?", [integer]).id).toBe(1);
    expect(statements.take("SELECT ?", [integer]).id).toBe(1);
    expect(statements.has("SELECT ?", [text])).toBe(false);
    statements.add("SELECT ?", prepared(2));
    expect(statements.take("SELECT ?", [text]).id).toBe(2);
    expect(statements.take("SELECT ?", [integer]).id).toBe(1);
  });

  test("the least recently used one is closed when there are too many", () => {
    const statements = new PreparedStatements(2, false);
    expect(statements.add("a", prepared(1))).toEqual([]);
    expect(statements.add("b", prepared(2))).toEqual([]);
    statements.take("a", []);
    expect(statements.add("c", prepared(3)).map(({ id }) => id)).toEqual([2]);
    expect(statements.has("b", [])).toBe(false);
    expect(statements.take("a", []).id).toBe(1);
  });

  test("what is known of the columns is kept for each text and types, and outlives a reset", () => {
    const statements = new PreparedStatements(2, false);
    const [one, other] = [knownColumns(1), knownColumns(2)];
    expect(statements.memory("SELECT ?", [integer]).learn(one)).toBe(false);
    expect(statements.memory("SELECT ?", [text]).known).toBeUndefined();
    expect(statements.memory("SELECT ?", [text]).learn(other)).toBe(false);
    statements.clear();
    expect(statements.memory("SELECT ?", [integer]).known).toBe(one);
    expect(statements.memory("SELECT 2", []).learn(knownColumns(1))).toBe(false);
    expect(statements.memory("SELECT ?", [integer]).known).toBe(one);
    expect(statements.memory("SELECT ?", [text]).known).toBeUndefined();
  });

  test("a text that lost its columns since the reset may have others now", () => {
    const statements = new PreparedStatements(2, false);
    const learn = (sql: string) => statements.memory(sql, []).learn(knownColumns(1));
    expect(["a", "b", "c", "a"].map(learn)).toEqual([false, false, false, true]);
    statements.clear();
    expect(["d", "a"].map(learn)).toEqual([false, true]);
    statements.clear();
    expect(learn("e")).toBe(false);
  });

  test("a second PREPARE of one text replaces the first, which is closed", () => {
    const statements = new PreparedStatements(2, false);
    statements.add("a", prepared(1));
    expect(statements.add("a", prepared(2)).map(({ id }) => id)).toEqual([1]);
    expect(statements.take("a", []).id).toBe(2);
  });

  test("a claimed one stays, for its types, or for any types if it was not executed yet", () => {
    const statements = new PreparedStatements(3, false);
    for (const [id, sql] of ["a", "b", "c"].entries()) statements.add(sql, prepared(id));
    expect(statements.claim({ sql: "a", values: [integer] })).toBe(true);
    expect(statements.claim({ sql: "a", values: [text] })).toBe(false);
    expect(statements.claim({ sql: "a", values: undefined })).toBe(false);
    expect(statements.claim({ sql: "b", values: undefined })).toBe(true);
    expect(statements.add("d", prepared(3)).map(({ id }) => id)).toEqual([2]);
    expect(statements.add("e", prepared(4)).map(({ id }) => id)).toEqual([0]);
    expect(statements.take("b", [text]).id).toBe(1);
  });

  test("a reset drops them all", () => {
    const statements = new PreparedStatements(2, false);
    statements.add("a", prepared(1));
    statements.take("a", [text]);
    statements.clear();
    expect(statements.has("a", [text])).toBe(false);
    expect(() => statements.take("a", [text])).toThrow("not prepared");
  });

  test("once the server has announced types, they decide how values are bound", () => {
    const sql = "SELECT 1 FROM t WHERE a = ?";
    const undeclared: BoundValue[] = [{ ...integer, undeclared: true }];
    const statements = new PreparedStatements(2, true);
    expect(statements.typed(sql, undeclared)).toBeUndefined();
    expect(statements.claim({ sql, values: undeclared })).toBe(false);
    statements.add(sql, prepared(1, varchar));
    expect(statements.typed(sql, undeclared)).toEqual([{ type: "string", value: "1" }]);
    expect(statements.claim({ sql, values: undeclared })).toBe(true);
    expect(statements.has(sql, [text])).toBe(true);
    expect(statements.has(sql, [integer])).toBe(false);
    expect(statements.typed(sql, [text])).toEqual([text]);
    for (const other of ["b", "c"]) statements.add(other, prepared(2));
    expect(statements.typed(sql, undeclared)).toBeUndefined();
    statements.add(sql, prepared(3, longlong));
    statements.clear();
    expect(statements.typed(sql, undeclared)).toBeUndefined();
  });

  test("the announced types of a text exist once it is prepared, also if its PREPARE evicts another", () => {
    const sql = "SELECT 1 FROM t WHERE a = ? AND b = ?";
    const none: BoundValue = { type: "null", value: null };
    const undeclared: BoundValue = { ...integer, undeclared: true };
    const statements = new PreparedStatements(2, true);
    statements.add(sql, prepared(1, varchar, longlong));
    statements.take(sql, statements.bound(sql, [undeclared, none]));
    statements.add("b", prepared(2));
    expect(statements.add(sql, prepared(3, varchar, longlong)).map(({ id }) => id)).toEqual([1]);
    expect(statements.bound(sql, [undeclared, undeclared])).toEqual([
      { type: "string", value: "1" },
      integer,
    ]);
    for (const other of ["c", "d"]) statements.add(other, prepared(4));
    expect(() => statements.bound(sql, [undeclared, none])).toThrow("not prepared");
  });

  test("a server that announces no types leaves values unchanged", () => {
    const undeclared: BoundValue[] = [{ ...integer, undeclared: true }];
    const statements = new PreparedStatements(2, false);
    statements.add("SELECT 1 FROM t WHERE a = ?", prepared(1, varchar));
    expect(statements.typed("SELECT 1 FROM t WHERE a = ?", undeclared)).toBe(undeclared);
  });
});

const varchar = 253;
const longlong = 8;
