import { expect, test } from "vitest";
import { accountsOfOwn, knownGrants } from "../../../../cli/project/own-server.ts";

/** What `tidegate start --database` changes in the policy. */

test("every account has the user's login; settings of another server's login are dropped, those of sessions stay", () => {
  const accounts = {
    analyst: { user: "gw_analyst", password: "ANALYST_PASSWORD", acts_as: "analyst@%", deadline_ms: 5000 },
    editor: {
      ...{ user: "gw_editor", token: { key: "KEY" }, role: "writers", plugin: "client_ed25519" },
      ...{ cleartext: true, hyperdrive: "DB", time_zone: "Europe/Berlin" },
    },
  };
  const login = { user: "shop", password: "TIDEGATE_DATABASE_PASSWORD" };
  expect(accountsOfOwn(accounts, { cluster: {}, user: "shop" })).toEqual({
    analyst: { ...login, deadline_ms: 5000 },
    editor: { ...login, time_zone: "Europe/Berlin" },
  });
});

test("permissions for queries and tags that the project does not have are left out and named", () => {
  const grants = [
    { account: "a", allow: ["query:orders", "query:cities", "sql:read"] },
    { account: "b", allow: ["query:#geography"] },
    { account: "c", allow: ["query:*", "operate"] },
    { account: "d", allow: ["query:half-written", "query:#shop"] },
  ];
  const queries = [{ name: "orders", tags: ["shop"] }];
  expect(knownGrants(grants, queries, [])).toEqual({
    grants: [
      { account: "a", allow: ["query:orders", "sql:read"] },
      { account: "c", allow: ["query:*", "operate"] },
      { account: "d", allow: ["query:#shop"] },
    ],
    dropped: [
      'grants[0].allow: "query:cities" is left out: there is no saved query "cities"',
      'grants[1].allow: "query:#geography" is left out: no saved query has the tag "geography": write @tags into its head',
      'grants[3].allow: "query:half-written" is left out: there is no saved query "half-written"',
    ],
  });
  // The tags of a file with a mistake are not known.
  expect(knownGrants(grants, queries, ["half-written"]).dropped).toHaveLength(1);
});

test("a grant that is malformed stays for the policy's own check", () => {
  const grants = [{ account: "a" }, { account: "b", allow: [] }];
  expect(knownGrants(grants, [], [])).toEqual({ grants, dropped: [] });
});
