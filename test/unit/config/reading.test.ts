import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../../src/config/policy.ts";
import { readingAccounts, readingMistakes } from "../../../src/config/reading.ts";
import { good } from "./example.ts";

const queries = [
  { name: "orders", kind: "read" },
  { name: "add-note", kind: "write" },
] as const;

/** A policy with these grants: an account and its permissions. */
function policy(engine: string, ...grants: [account: string, ...allow: string[]][]) {
  const {
    cluster,
    accounts,
    issuers,
    grants: [grant],
  } = good();
  const raw = {
    cluster: { ...cluster, engine },
    accounts: { ...accounts, other: { ...accounts.reader, user: "gw_other" } },
    issuers,
    grants: grants.map(([account, ...allow]) => ({ ...grant, account, allow })),
  };
  return parsePolicy(
    raw,
    "production",
    queries.map(({ name }) => ({ name, tags: [] })),
  );
}

describe("on TiDB, an account that only reads", () => {
  test.each([
    [["sql:read"]],
    [["query:orders"]],
    [["sql:read", "query:orders", "transaction"]],
    [["operate", "metrics"]],
  ])("has only grants with %j", (allow) => {
    const parsed = policy("tidb", ["reader", ...allow], ["other", "sql:write"]);
    expect(readingAccounts(parsed, queries)).toEqual(["reader"]);
    expect(readingMistakes(parsed, queries)).toEqual([]);
  });

  test("may have no grant", () => {
    expect(readingAccounts(policy("tidb"), queries)).toEqual(["reader", "other"]);
  });

  test.each([["sql:write"], ["sql:ddl"], ["query:add-note"], ["query:*"]])(
    "does not have %s",
    (permission) => {
      const parsed = policy("tidb", ["reader", "sql:read", permission]);
      expect(readingAccounts(parsed, queries)).toEqual(["other"]);
      // A grant that reads and writes is not a reader.
      expect(readingMistakes(parsed, queries)).toEqual([]);
    },
  );

  test("may have query:* if no query writes", () => {
    const reading = queries.filter(({ kind }) => kind === "read");
    expect(readingAccounts(policy("tidb", ["reader", "query:*"]), reading)).toEqual(["reader", "other"]);
  });
});

describe("on TiDB, grants that read and grants that write with one account", () => {
  test.each(["sql:write", "sql:ddl", "query:add-note", "query:*"])("are refused: %s", (permission) => {
    const grants = [
      ["reader", "sql:read"],
      ["other", "sql:read"],
      ["reader", permission],
    ] as const;
    expect(
      readingMistakes(policy("tidb", ...grants.map((grant): [string, string] => [...grant])), queries),
    ).toEqual([
      `grants[0].account: only reads, and other grants write with "reader"; TiDB does not enforce READ ONLY: give it an account of its own, with SELECT only`,
    ]);
  });

  test("are accepted if one of them allows no statement", () => {
    expect(readingMistakes(policy("tidb", ["reader", "operate"], ["reader", "sql:write"]), queries)).toEqual(
      [],
    );
  });
});

test.each(["mysql", "mariadb"])("%s enforces READ ONLY itself", (engine) => {
  const mixed = policy(engine, ["reader", "sql:read"], ["reader", "sql:write"]);
  expect(readingMistakes(mixed, queries)).toEqual([]);
  expect(readingAccounts(policy(engine, ["reader", "sql:read"]), queries)).toEqual([]);
});
