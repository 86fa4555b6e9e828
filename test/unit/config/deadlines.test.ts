import { expect, test } from "vitest";
import { longestDeadlineMs } from "../../../src/config/deadlines.ts";
import type { Policy } from "../../../src/config/schema.ts";

function policy(grants: { account: string; deadline_ms?: number }[]): Policy {
  return {
    accounts: { reader: { deadline_ms: 15_000 }, writer: { deadline_ms: 5_000 } },
    grants,
  } as unknown as Policy;
}

test.each<[string, { account: string; deadline_ms?: number }[], number]>([
  ["without a grant, the account's own", [], 15_000],
  ["a grant that says none, the account's own", [{ account: "reader" }], 15_000],
  ["a longer one of a grant", [{ account: "reader" }, { account: "reader", deadline_ms: 60_000 }], 60_000],
  [
    "of grants that all say less, the longest",
    [1_000, 2_000].map((ms) => ({ account: "reader", deadline_ms: ms })),
    2_000,
  ],
  ["other accounts' grants do not count", [{ account: "writer", deadline_ms: 60_000 }], 15_000],
])("the longest deadline: %s", (_, grants, ms) => {
  expect(longestDeadlineMs(policy(grants), "reader")).toBe(ms);
});
