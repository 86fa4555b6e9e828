import { describe, expect, test } from "vitest";
import { hasGrant, isOtherAccounts } from "../../../../cli/connect/grants.ts";

const issuer = "https://id.example.org/";
const grant = { issuer, claims: { role: "writer" }, account: "writer", allow: ["sql:read"] };
/** A grant for another account, in the second place. */
const behind = (other: object) => [
  { ...grant, claims: { role: "x" }, account: "x" },
  { issuer, account: "reader", allow: ["sql:read"], ...other },
];

describe("a new grant", () => {
  test.each([
    ["the same claims", { claims: { role: "writer" } }],
    ["fewer claims", {}],
    ["the same claims and every subject", { claims: { role: "writer" }, subject: "*" }],
  ])("is refused where another account has %s", (_, other) => {
    const grants = behind(other);
    expect(isOtherAccounts(grants, grant)).toBe(true);
    expect(() => hasGrant(grants, grant, "eu")).toThrow(
      /^tidegate\.toml: env\.eu\.grants\[1\] gives these callers the account reader already, .* writer with --claim NAME=VALUE\.$/,
    );
  });

  test.each([
    ["another issuer", { issuer: "https://other.example.org/" }],
    ["other claims", { claims: { role: "reader" } }],
    ["more claims", { claims: { role: "writer", team: "x" } }],
    ["a claim inside of one", { claims: { role: { name: "writer" } } }],
    ["a scope", { claims: { role: "writer" }, scopes: ["sql:read"] }],
    ["a scope and the same account", { claims: { role: "writer" }, scopes: ["x"], account: "writer" }],
    ["some subjects", { claims: { role: "writer" }, subject: "a*" }],
    ["the same account", { account: "writer" }],
  ])("is new beside one for %s", (_, other) => {
    expect(isOtherAccounts(behind(other), grant)).toBe(false);
    expect(hasGrant(behind(other), grant, "eu")).toBe(false);
  });

  test("is there already, also behind another account's", () => {
    expect(hasGrant([...behind({}), grant], grant, "eu")).toBe(true);
  });

  test("is refused where the same one allows something else", () => {
    expect(() => hasGrant([{ ...grant, allow: ["sql:write"] }], grant, "eu")).toThrow(/change its allow/);
  });
});
