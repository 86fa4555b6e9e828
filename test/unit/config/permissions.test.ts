import { expect, test } from "vitest";
import type { Action } from "../../../src/auth/grants.ts";
import { explain } from "../../../src/auth/grants.ts";
import { allowed, permissions } from "../../../src/config/permissions.ts";

test.each(permissions)(
  "%s is accepted in a policy, named in its mistakes, and allows only itself",
  (permission) => {
    expect(permission).toMatch(allowed.form);
    expect(allowed.mistake).toContain(permission);
    const caller = { issuer: "i", subject: "s", claims: {} };
    const grants = [{ issuer: "i", claims: {}, account: "a", allow: [permission] }] as never;
    const open = permissions.filter((action: Action) => explain(grants, caller, action, undefined).account);
    expect(open).toEqual([permission]);
  },
);

test.each([
  "",
  "sql",
  "sql:",
  "sql:read ",
  "SQL:READ",
  "query:",
  "query:A",
  "query:a*",
  "cancel",
  "read",
  "operate\n",
])("%j is not a permission", (text) => {
  expect(text).not.toMatch(allowed.form);
});
