import { describe, expect, test } from "vitest";
import { rolesOf, runs, usualRole, writes } from "../../../../cli/project/roles.ts";
import { explain } from "../../../../src/auth/grants.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";
import type { Grant } from "../../../../src/config/schema.ts";

/** The callers that a policy's grants tell apart. */

const issuer = "http://127.0.0.1:8788";
const queries = [
  parseQuery("orders.sql", "SELECT 1 AS one"),
  parseQuery("add-order.sql", "INSERT INTO orders VALUES (1)"),
];

function grant(claims: Grant["claims"], allow: string[], more: Partial<Grant> = {}): Grant {
  return { issuer, claims, allow, account: "reader", max_transactions: 1, ...more };
}

const names = (grants: Grant[]) => rolesOf(grants).map(({ name }) => name);

describe("the names of roles", () => {
  test("the value of the only claim, in the order of the grants, each once", () => {
    const grants = [
      grant({ role: "clerk" }, ["sql:read"]),
      grant({ role: "auditor" }, ["metrics"]),
      grant({ role: "clerk" }, ["sql:write"], { account: "writer" }),
    ];
    expect(names(grants)).toEqual(["clerk", "auditor"]);
  });

  test("all claims where one value does not tell them apart", () => {
    const grants = [
      grant({ role: "clerk" }, ["sql:read"]),
      grant({ group: "clerk" }, ["sql:read"]),
      grant({ role: "clerk", tenant: 7 }, ["sql:read"]),
      grant({ realm_access: { roles: "clerk" } }, ["sql:read"]),
      grant({}, ["sql:read"]),
      grant({}, ["sql:read"], { subject: "robot-*" }),
      grant({ role: "clerk" }, ["sql:read"], { scopes: ["sql:read", "openid"] }),
    ];
    expect(names(grants)).toEqual([
      "role=clerk",
      "group=clerk",
      "role=clerk,tenant=7",
      "realm_access.roles=clerk",
      "anybody",
      "sub=robot-*",
      "role=clerk,scope=sql:read openid",
    ]);
  });
});

test("a token with a role's claims and subject matches its grant", () => {
  const grants = [
    grant({ realm_access: { roles: "clerk" }, verified: true }, ["sql:read"], {
      subject: "app|*@example.com",
    }),
    grant({ tenant: 7 }, ["sql:read"]),
    grant({ tenant: 8 }, ["sql:read"], { scopes: ["sql:read", "openid"] }),
    grant({}, ["sql:read"], { scopes: ["openid"] }),
  ];
  const decided = rolesOf(grants).map(
    ({ claims, subject }) => explain(grants, { issuer, subject, claims }, "sql:read", undefined).decisive,
  );
  expect(decided).toEqual(grants);
});

describe("the role of the examples", () => {
  const clerk = grant({ role: "clerk" }, ["query:*", "sql:read"]);
  const auditor = grant({ role: "auditor" }, ["query:orders"]);
  const operator = grant({ role: "operator" }, ["operate", "metrics"]);

  test("is one that only reads, where there is one", () => {
    expect(usualRole({ grants: [operator, clerk, auditor] }, queries)?.name).toBe("auditor");
    expect(usualRole({ grants: [operator, clerk] }, queries)?.name).toBe("clerk");
    expect(usualRole({ grants: [operator] }, queries)).toBeUndefined();
  });

  test("query:* writes where a saved query does", () => {
    const [role] = rolesOf([clerk]);
    if (role === undefined) throw new Error("no role");
    expect([writes(role, queries), writes(role, queries.slice(0, 1)), runs(role)]).toEqual([
      true,
      false,
      true,
    ]);
  });
});
