import { describe, expect, test } from "vitest";
import type { Tables, TransferRecord } from "../../../soak/oracle.ts";
import { audit } from "../../../soak/oracle.ts";

const opening = new Map([
  [1, 500],
  [2, 500],
]);

const record = (id: string, more: Partial<TransferRecord> = {}): TransferRecord => ({
  ...{ id, source: 1, target: 2, amount: 10, outcome: "acknowledged", attempt: 1, seen: false },
  ...more,
});
const row = (id: string, more: Partial<Tables["transfers"][number]> = {}) => ({
  ...{ id, source: 1, target: 2, amount: 10, attempt: 1 },
  ...more,
});
const tables = (first: number, second: number, transfers: Tables["transfers"]): Tables => ({
  balances: new Map([
    [1, first],
    [2, second],
  ]),
  transfers,
});
const rules = (records: TransferRecord[], found: Tables) =>
  audit(opening, records, found).map(({ rule }) => rule);

describe("a ledger that agrees with the callers", () => {
  test("has acknowledged transfers, may have unknown ones, and has no refused ones", () => {
    const records = [
      record("kept"),
      record("unknown and there", { outcome: "unknown", seen: true }),
      record("unknown and not there", { outcome: "unknown" }),
      record("refused", { outcome: "refused" }),
    ];
    expect(rules(records, tables(480, 520, [row("kept"), row("unknown and there")]))).toEqual([]);
  });

  test("has the acknowledged attempt, which may not be the first", () => {
    expect(rules([record("a", { attempt: 3 })], tables(490, 510, [row("a", { attempt: 3 })]))).toEqual([]);
  });
});

describe("violations", () => {
  test("an acknowledged transfer is missing", () => {
    expect(rules([record("a")], tables(500, 500, []))).toEqual(["acknowledged is there"]);
  });

  test("a transfer that was refused for certain exists", () => {
    const refused = record("a", { outcome: "refused" });
    expect(rules([refused], tables(490, 510, [row("a")]))).toEqual(["refused is absent"]);
  });

  test.each(["acknowledged", "unknown"] as const)("an %s transfer exists twice", (outcome) => {
    const twice = tables(480, 520, [row("a"), row("a")]);
    expect(rules([record("a", { outcome })], twice)).toEqual(["there once"]);
  });

  test("a transfer that was done twice has one row: the balances show it", () => {
    expect(rules([record("a")], tables(480, 520, [row("a")]))).toEqual([
      "balances follow",
      "balances follow",
    ]);
  });

  test("half of a transfer was done", () => {
    expect(rules([record("a")], tables(490, 500, [row("a")]))).toEqual(["sum unchanged", "balances follow"]);
    const refused = record("a", { outcome: "refused" });
    expect(rules([refused], tables(490, 500, []))).toEqual(["sum unchanged", "balances follow"]);
  });

  test("a transfer that was seen is missing", () => {
    const seen = record("a", { outcome: "unknown", seen: true });
    expect(rules([seen], tables(500, 500, []))).toEqual(["seen stays"]);
  });

  test("an earlier attempt exists, although it was refused for certain", () => {
    const found = tables(490, 510, [row("a", { attempt: 1 })]);
    expect(rules([record("a", { attempt: 2 })], found)).toEqual(["there as sent"]);
    expect(rules([record("a", { attempt: 2, outcome: "unknown" })], found)).toEqual(["there as sent"]);
  });

  test("the ledger has another amount than was sent", () => {
    expect(rules([record("a")], tables(489, 511, [row("a", { amount: 11 })]))).toEqual(["there as sent"]);
  });

  test("the ledger has a transfer that no caller sent", () => {
    expect(rules([], tables(490, 510, [row("a")]))).toEqual(["somebody's"]);
  });

  test("an account is missing or new", () => {
    const missing = { balances: new Map([[1, 1000]]), transfers: [] };
    expect(rules([], missing)).toEqual(["balances follow", "balances follow"]);
    const surplus = { balances: new Map([...opening, [3, 0]]), transfers: [] };
    expect(rules([], surplus)).toEqual(["balances follow"]);
  });
});
