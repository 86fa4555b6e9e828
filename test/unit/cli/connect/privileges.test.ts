import { describe, expect, test } from "vitest";
import { judgePrivileges } from "../../../../cli/connect/privileges.ts";

const queries = [
  { name: "orders", kind: "read", tags: [] },
  { name: "add-note", kind: "write", tags: [] },
] as const;

function judge(found: { engine: "mysql" | "tidb"; surplus: string | undefined }, ...allow: string[][]) {
  const grants = allow.map((one) => ({ account: "reader", allow: one }));
  const other = { account: "editor", allow: ["sql:write"] };
  return judgePrivileges(found, [...grants, other], "reader", queries);
}

const more = { engine: "tidb", surplus: "it has GRANT INSERT" } as const;

describe("a TiDB login with privileges to write", () => {
  test.each([["sql:read"], ["query:orders"]])("is refused if the grants have %s", (permission) => {
    expect(judge(more, [permission])).toEqual({
      refusal: expect.stringMatching(
        /^The grants of "reader" only read\. .*: it has GRANT INSERT\. Take it away/,
      ),
    });
  });

  test.each(["sql:write", "sql:ddl", "query:add-note"])("is accepted if a grant has %s", (permission) => {
    expect(judge(more, ["sql:read"], [permission])).toEqual({});
  });

  test("gets a note if there is no grant", () => {
    expect(judge(more)).toEqual({ note: expect.stringMatching(/unless a grant of "reader" writes\.$/) });
    expect(judgePrivileges(more, [], "reader", queries)).toHaveProperty("note");
  });
});

test("a login that only reads is accepted, and so is any login on other servers", () => {
  expect(judge({ engine: "tidb", surplus: undefined }, ["sql:read"])).toEqual({});
  expect(judge({ engine: "mysql", surplus: undefined }, ["sql:read"])).toEqual({});
});
