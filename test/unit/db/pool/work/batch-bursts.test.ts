import { describe, expect, test } from "vitest";
import type { BatchStatement } from "../../../../../src/db/contract/requests.ts";
import { mysql } from "../../../../../src/db/mysql/engines/mysql.ts";
import { nextBurst } from "../../../../../src/db/pool/work/batch-bursts.ts";
import { limits } from "../../../../../src/limits.ts";
import type { BoundValue } from "../../../../../src/sql/bound-value.ts";
import type { BatchValue, Reference } from "../../../../../src/sql/references.ts";

const one: BoundValue = { type: "integer", value: 1 };
const text = (characters: number): BoundValue => ({ type: "string", value: "x".repeat(characters) });
const refersTo = (statement: number, of: Reference["of"] = "last_insert_id"): BatchValue => ({
  reference: { statement, of },
});
const statement = (sql: string, ...values: BatchValue[]): BatchStatement => ({
  ...{ sql, values, writable: true, bounded: false, returning: false },
});
const many = (n: number, make: (i: number) => BatchStatement) => Array.from({ length: n }, (_, i) => make(i));

/** The bound form of an id or a count. */
const integer: BoundValue = { type: "integer", value: 0, undeclared: true };
const resolving = (resolve: (reference: Reference) => BoundValue | string) =>
  ({ dialect: mysql, resolve }) as const;

/** The number of statements in each burst, in order. */
function sizes(statements: BatchStatement[], resolve: (reference: Reference) => BoundValue = () => one) {
  const found: number[] = [];
  for (let next = 0; next < statements.length; next += found.at(-1) as number)
    found.push(nextBurst(statements, next, { dialect: mysql, resolve }).statements.length);
  return found;
}

const row = { row: 0, column: "x" };

describe("the statements of a batch that go together", () => {
  test("are all of them if none needs the result of another", () => {
    expect(sizes(many(100, (i) => statement("SELECT ?", { type: "integer", value: i })))).toEqual([100]);
  });

  test("end before a statement that needs one of their results", () => {
    expect(sizes([statement("a"), statement("b", refersTo(0)), statement("c", refersTo(0))])).toEqual([1, 2]);
    expect(sizes([statement("a"), statement("b"), statement("c", refersTo(0)), statement("d")])).toEqual([
      2, 2,
    ]);
    expect(sizes(many(3, (i) => statement("a", ...(i > 0 ? [refersTo(i - 1)] : []))))).toEqual([1, 1, 1]);
  });

  test("have the referenced values", () => {
    const { statements } = nextBurst(
      [statement("a"), statement("b", refersTo(0), text(1))],
      1,
      resolving(() => text(3)),
    );
    expect(statements).toEqual([{ sql: "b", values: [text(3), text(1)] }]);
  });

  test("are as many as a connection can keep prepared, each text once for each list of types", () => {
    const most = limits.preparedStatementsPerConnection;
    expect(sizes(many(most + 3, (i) => statement(`SELECT ${i}`)))).toEqual([most, 3]);
    expect(sizes(many(100, (i) => statement("SELECT ?", i % 2 ? one : text(1))))).toEqual([100]);
  });

  test("are not more than the burst's bytes allow, but at least one", () => {
    const half = text(limits.batchBurstBytes / 2);
    expect(sizes(many(5, () => statement("SELECT ?", half)))).toEqual([2, 2, 1]);
    expect(sizes(many(2, () => statement("SELECT ?, ?, ?", half, half, half)))).toEqual([1, 1]);
    const referring = many(4, (i) => (i === 0 ? statement("a") : statement("b", refersTo(0, row))));
    expect(sizes(referring, () => half)).toEqual([1, 2, 1]);
  });

  test("the bytes of all references are bounded", () => {
    const wide = [statement("a"), statement("b", ...Array(5).fill(refersTo(0, row)))];
    const megabyte = () => text(1024 * 1024);
    expect(() => sizes(wide, megabyte)).toThrow(/4194304 bytes together/);
    expect(sizes([statement("a"), statement("b", ...Array(4).fill(refersTo(0, row)))], megabyte)).toEqual([
      1, 1,
    ]);
  });

  test("a missing value is reported with its placeholder", () => {
    const statements = [statement("a"), statement("b", one, refersTo(0))];
    expect(() =>
      nextBurst(
        statements,
        1,
        resolving(() => "made no id"),
      ),
    ).toThrow("placeholder 2 refers to made no id");
  });
});

describe("the statements that are prepared with them", () => {
  test("are the later ones with known types; types of a row's values are unknown", () => {
    const statements = [
      statement("a", text(1)),
      statement("b", refersTo(0)),
      statement("c", refersTo(0, "rows_affected"), text(1)),
      statement("d", refersTo(0, row), one),
    ];
    expect(
      nextBurst(
        statements,
        0,
        resolving(() => one),
      ).ahead,
    ).toEqual([
      { sql: "b", values: [integer] },
      { sql: "c", values: [integer, text(1)] },
      { sql: "d", values: undefined },
    ]);
  });

  test("are as many as there is room for", () => {
    const most = limits.preparedStatementsPerConnection;
    const statements = many(100, (i) => statement(`SELECT ${i}`, ...(i > 0 ? [refersTo(0)] : [])));
    const { statements: first, ahead } = nextBurst(
      statements,
      0,
      resolving(() => one),
    );
    expect([first.length, ahead.length]).toEqual([1, most - 1]);
  });
});
