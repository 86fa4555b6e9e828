import { expect, test } from "vitest";
import type { Announced } from "../../../../cli/start/announce.ts";
import { announcement } from "../../../../cli/start/announce.ts";

/** What `tidegate start` prints in the end. */

const base: Announced = {
  ...{ seconds: "7.0", gateway: "http://127.0.0.1:1", page: "http://127.0.0.1:3", database: "mariadb 11" },
  ...{ tokens: {}, writers: [], typed: (command, options) => `npx tidegate ${command} ${options}` },
  details: ".tidegate/dev.json",
  shown: { role: undefined, query: undefined, statement: undefined, notes: [] },
};

test("a project whose grants let nobody ask is told so", () => {
  const text = announcement(base);
  expect(text).toContain(
    "No grant of [env.development] lets a caller ask anything: add one, and start again.",
  );
  expect(text).not.toMatch(/curl|token of|undefined|\n\n\n/);
});

test("a role that may run saved queries alone gets no statement, and the others are named", () => {
  const grant = { issuer: "i", claims: {}, account: "a", allow: ["query:*"], max_transactions: 1 };
  const role = { name: "clerk", claims: { role: "clerk" }, subject: "developer", grant };
  const text = announcement({
    ...base,
    ...{ tokens: { clerk: "AAA", boss: "BBB" }, writers: ["boss"] },
    shown: { role, query: { name: "orders", parameters: {} }, statement: undefined, notes: ["A note."] },
  });
  expect(text.split("\n").filter((line) => line.startsWith("curl "))).toEqual([
    "curl 'http://127.0.0.1:1/v1/queries/orders' -H 'Authorization: Bearer AAA'",
  ]);
  expect(text).toContain(
    "A token of the role clerk, valid for 12 hours (another: npx tidegate token --role boss):\n\nAAA\n",
  );
  expect(text).toContain("\nA note.\n");
  expect(text).toContain("except callers whose grant lets them: boss.");
  expect(text).not.toContain("BBB");
});
