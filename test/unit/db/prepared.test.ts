import { describe, expect, test } from "vitest";
import type { Prepared } from "../../../src/db/mysql/driver.ts";
import { PreparedStatements } from "../../../src/db/mysql/prepared.ts";

const prepared = (id: number): Prepared => ({ id, close: () => {} });

describe("prepared statements of a connection", () => {
  test("one that was not executed yet takes any types, and keeps them", () => {
    const statements = new PreparedStatements(4);
    statements.add("SELECT ?", prepared(1));
    expect(statements.has("SELECT ?", ["integer"])).toBe(true);
    expect(statements.take("SELECT ?", ["integer"]).id).toBe(1);
    expect(statements.take("SELECT ?", ["integer"]).id).toBe(1);
    expect(statements.has("SELECT ?", ["string"])).toBe(false);
    statements.add("SELECT ?", prepared(2));
    expect(statements.take("SELECT ?", ["string"]).id).toBe(2);
    expect(statements.take("SELECT ?", ["integer"]).id).toBe(1);
  });

  test("the one used longest ago goes when there are too many", () => {
    const statements = new PreparedStatements(2);
    expect(statements.add("a", prepared(1))).toEqual([]);
    expect(statements.add("b", prepared(2))).toEqual([]);
    statements.take("a", []);
    expect(statements.add("c", prepared(3)).map(({ id }) => id)).toEqual([2]);
    expect(statements.has("b", [])).toBe(false);
    expect(statements.take("a", []).id).toBe(1);
  });

  test("one that is prepared again takes the place of the first, which is closed", () => {
    const statements = new PreparedStatements(2);
    statements.add("a", prepared(1));
    expect(statements.add("a", prepared(2)).map(({ id }) => id)).toEqual([1]);
    expect(statements.take("a", []).id).toBe(2);
  });

  test("one that is claimed stays, for its types or, not executed yet, for any", () => {
    const statements = new PreparedStatements(3);
    for (const [id, sql] of ["a", "b", "c"].entries()) statements.add(sql, prepared(id));
    expect(statements.claim({ sql: "a", types: ["integer"] })).toBe(true);
    expect(statements.claim({ sql: "a", types: ["string"] })).toBe(false);
    expect(statements.claim({ sql: "a", types: undefined })).toBe(false);
    expect(statements.claim({ sql: "b", types: undefined })).toBe(true);
    expect(statements.add("d", prepared(3)).map(({ id }) => id)).toEqual([2]);
    expect(statements.add("e", prepared(4)).map(({ id }) => id)).toEqual([0]);
    expect(statements.take("b", ["string"]).id).toBe(1);
  });

  test("a reset forgets them all", () => {
    const statements = new PreparedStatements(2);
    statements.add("a", prepared(1));
    statements.take("a", ["string"]);
    statements.clear();
    expect(statements.has("a", ["string"])).toBe(false);
    expect(() => statements.take("a", ["string"])).toThrow("not prepared");
  });
});
