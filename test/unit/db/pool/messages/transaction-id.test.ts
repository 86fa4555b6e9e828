import { describe, expect, test } from "vitest";
import { newTransactionId, shardOfTransaction } from "../../../../../src/db/pool/messages/transaction-id.ts";

describe("a transaction's id", () => {
  test.each([0, 9, 63])("leads to its shard: %i", (shard) => {
    expect(shardOfTransaction(newTransactionId(shard), 64)).toBe(shard);
  });

  test("has 128 new bits each time", () => {
    const ids = Array.from({ length: 1_000 }, () => newTransactionId(0));
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(/^0-[0-9a-f]{32}$/);
    // Among so many ids, every digit takes every value, so none is constant.
    for (let at = 2; at < 34; at++) expect(new Set(ids.map((id) => id[at])).size).toBe(16);
  });

  const random = "0123456789abcdef0123456789abcdef";
  test.each([
    ["a shard that the account does not have", `4-${random}`],
    ["a shard in another spelling", `00-${random}`],
    ["a negative shard", `-1-${random}`],
    ["no shard", random],
    ["an empty shard", `-${random}`],
    ["too few bits", `0-${random.slice(1)}`],
    ["too many bits", `0-${random}0`],
    ["capitals", `0-${random.toUpperCase()}`],
    ["a line's end", `0-${random}\n`],
    ["a path", "0-../../1"],
    ["nothing", ""],
  ])("is invalid with %s", (_, id) => {
    expect(shardOfTransaction(id, 4)).toBeUndefined();
  });
});
