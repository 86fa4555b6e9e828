import { expect, test } from "vitest";
import { orderOf } from "../../../../bench/lib/measure.ts";

test("each round has all targets, and no target always follows the same other one", () => {
  const targets = ["a", "b", "c"];
  const orders = [0, 1, 2, 3, 4, 5].map((round) => orderOf(targets, round).join(""));
  expect(orders).toEqual(["abc", "cba", "bca", "acb", "cab", "bac"]);
});

test("of two targets, each begins half of the rounds", () => {
  const orders = [0, 1, 2, 3].map((round) => orderOf(["base", "new"], round).join(" "));
  expect(orders.filter((order) => order.startsWith("base"))).toHaveLength(2);
});
