import { describe, expect, test } from "vitest";
import { readGrants } from "../../../../cli/accounts/grants.ts";
import type { Use } from "../../../../cli/accounts/needs.ts";
import { excessOf, surplusRoles, useOf } from "../../../../cli/accounts/needs.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";
import type { Policy } from "../../../../src/config/schema.ts";

const queries = [
  parseQuery("list.sql", "SELECT 1"),
  parseQuery("add.sql", "INSERT INTO notes (body) VALUES ('x')"),
  parseQuery("run.sql", "CALL p()"),
];

function use(...allow: string[]): Use {
  const grant = (account: string, permissions: string[]) => ({ account, allow: permissions });
  const grants = [grant("other", ["sql:ddl"]), grant("reader", allow)] as Policy["grants"];
  return useOf("reader", grants, queries);
}

describe("a permission can use", () => {
  const table: [string[], string[]][] = [
    [["sql:read"], ["SELECT", "SHOW VIEW"]],
    [["query:list"], ["SELECT", "SHOW VIEW"]],
    [["query:add"], ["SELECT", "SHOW VIEW", "INSERT", "UPDATE"]],
    [["query:run"], ["EXECUTE"]],
    [["query:*"], ["SELECT", "SHOW VIEW", "INSERT", "UPDATE", "EXECUTE"]],
    [["sql:write"], ["SELECT", "SHOW VIEW", "INSERT", "UPDATE", "DELETE", "EXECUTE"]],
    [["sql:server"], ["SELECT", "SHOW VIEW", "TRIGGER", "EVENT"]],
    [["transaction"], []],
    [[], []],
  ];
  test.each(table)("%j: %j", (allow, privileges) => {
    expect([...use(...allow).privileges].sort()).toEqual(privileges.sort());
  });

  test("sql:ddl: privileges to change the schema, and none to change accounts or the server", () => {
    const { privileges } = use("sql:ddl");
    for (const name of ["CREATE", "ALTER", "DROP", "INDEX", "CREATE VIEW"])
      expect(privileges).toContain(name);
    for (const name of ["DELETE", "GRANT OPTION", "CREATE USER"]) expect(privileges).not.toContain(name);
  });

  test("each once, of all grants of this account only", () => {
    const grant = { account: "reader", allow: ["sql:read", "query:list"] };
    const grants = [grant, grant, { account: "x", allow: ["sql:write"] }] as Policy["grants"];
    expect(useOf("reader", grants, queries).permissions).toEqual(["sql:read", "query:list"]);
  });
});

function excess(lines: string[], allow: string[], more: { own?: string[]; role?: string } = {}) {
  const rights = readGrants(lines);
  const own = more.own ? readGrants(more.own) : rights;
  return excessOf(rights, { own, role: more.role, use: use(...allow), database: "my_shop" });
}

describe("what mariadb-install-db gives to PUBLIC", () => {
  const stock = [
    "GRANT SELECT, INSERT, CREATE, DELETE HISTORY ON `test`.* TO PUBLIC",
    "GRANT SELECT, INSERT, CREATE, DELETE HISTORY ON `test\\_%`.* TO PUBLIC",
  ];
  const judge = (lines: string[], database: string) => {
    const rights = readGrants(lines);
    return excessOf(rights, { own: rights, role: undefined, use: use("sql:read"), database });
  };

  test("is no excess of an account of another database", () => {
    expect(judge(stock, "shop")).toEqual([]);
    expect(judge(stock, "testimonials")).toEqual([]);
  });

  test.each(["test", "test_shop"])("is one where the cluster's database is %s", (database) => {
    expect(
      judge(stock, database)
        .map(({ fix }) => fix)
        .join("\n"),
    ).toContain("FROM PUBLIC");
  });

  test("other rights of PUBLIC count, and GRANT OPTION", () => {
    const more = [
      "GRANT UPDATE ON `shop`.* TO PUBLIC",
      "GRANT SELECT ON `test`.* TO PUBLIC WITH GRANT OPTION",
      "GRANT INSERT ON `test`.* TO `a`@`%`",
    ];
    expect(judge(more, "shop").map(({ fix }) => fix)).toEqual([
      "REVOKE UPDATE ON `shop`.* FROM PUBLIC",
      "REVOKE GRANT OPTION ON `test`.* FROM PUBLIC",
      "REVOKE INSERT ON `test`.* FROM `a`@`%`",
    ]);
  });
});

describe("too many privileges, and the statement that removes them", () => {
  const table: [string, string, string[], RegExp, string][] = [
    [
      "a write for readers",
      "GRANT SELECT, INSERT, DELETE ON `my_shop`.* TO `a`@`%`",
      ["sql:read"],
      /^`a`@`%` has INSERT, DELETE on `my_shop`\.\*: no grant/,
      "REVOKE INSERT, DELETE ON `my_shop`.* FROM `a`@`%`",
    ],
    [
      "a write to some columns",
      "GRANT UPDATE (`v`) ON `my_shop`.`t` TO `a`@`%`",
      ["sql:read"],
      /UPDATE on `my_shop`\.`t`/,
      "REVOKE UPDATE (`v`) ON `my_shop`.`t` FROM `a`@`%`",
    ],
    [
      "a write to some columns, as TiDB prints it",
      "GRANT SELECT(id), INSERT(id, odd name), DELETE ON `my_shop`.`t` TO 'a'@'%'",
      ["sql:read"],
      /has INSERT, DELETE on `my_shop`\.`t`/,
      "REVOKE INSERT (`id`, `odd name`), DELETE ON `my_shop`.`t` FROM 'a'@'%'",
    ],
    [
      "the schema for writers",
      "GRANT INSERT, DROP ON `my_shop`.* TO `a`@`%`",
      ["sql:write"],
      /has DROP on/,
      "REVOKE DROP ON `my_shop`.* FROM `a`@`%`",
    ],
    [
      "another database",
      "GRANT SELECT ON `mysql`.* TO `a`@`%`",
      ["sql:read"],
      /only the database my_shop is used/,
      "REVOKE SELECT ON `mysql`.* FROM `a`@`%`",
    ],
    [
      "all databases of a pattern",
      "GRANT SELECT ON `my_shop%`.* TO `a`@`%`",
      ["sql:read"],
      /only the database my_shop is used/,
      "REVOKE SELECT ON `my_shop%`.* FROM `a`@`%`",
    ],
    [
      "the whole server",
      "GRANT SELECT, PROCESS ON *.* TO `a`@`%`",
      ["sql:read"],
      /whole server/,
      "REVOKE SELECT, PROCESS ON *.* FROM `a`@`%`",
    ],
    [
      "a dynamic privilege",
      "GRANT SYSTEM_USER ON *.* TO `a`@`%`",
      ["sql:ddl"],
      /whole server/,
      "REVOKE SYSTEM_USER ON *.* FROM `a`@`%`",
    ],
    [
      "everything on the database: what is needed comes back",
      "GRANT ALL PRIVILEGES ON `my_shop`.* TO `a`@`%`",
      ["sql:read"],
      /nothing needs all of them/,
      "REVOKE ALL PRIVILEGES ON `my_shop`.* FROM `a`@`%`; GRANT SELECT, SHOW VIEW ON `my_shop`.* TO `a`@`%`",
    ],
    [
      "a routine that nobody may call",
      "GRANT EXECUTE ON PROCEDURE `my_shop`.`p` TO `a`@`%`",
      ["sql:read"],
      /no grant of the policy/,
      "REVOKE EXECUTE ON PROCEDURE `my_shop`.`p` FROM `a`@`%`",
    ],
    [
      "a role that may be given to others",
      "GRANT `readers` TO `a`@`%` WITH ADMIN OPTION",
      ["sql:read"],
      /never gives rights/,
      "REVOKE ADMIN OPTION FOR `readers` FROM `a`@`%`",
    ],
  ];
  test.each(table)("%s", (_, line, allow, what, fix) => {
    expect(excess([line], allow)).toEqual([{ what: expect.stringMatching(what), fix }]);
  });

  test.each([
    ["SELECT", "sql:read"],
    ["EXECUTE", "query:run"],
    ["INSERT", "query:add"],
    ["DELETE", "sql:write"],
    ["CREATE", "sql:ddl"],
  ])("not %s with %s, with or without the escape that GRANT needs", (privilege, allow) => {
    for (const name of ["`my_shop`", "`my\\_shop`"]) {
      expect(excess([`GRANT ${privilege} ON ${name}.* TO \`a\`@\`%\``], [allow])).toEqual([]);
    }
  });

  describe("sql:server can use, on the server and on its own schemas", () => {
    test.each([
      // MySQL, MariaDB, TiDB.
      "GRANT PROCESS, REPLICATION CLIENT ON *.* TO `a`@`%`",
      "GRANT SHOW_ROUTINE ON *.* TO `a`@`%`",
      "GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO `a`@`%`",
      "GRANT PROCESS ON *.* TO 'a'@'%'",
      "GRANT SELECT ON `performance_schema`.* TO `a`@`%`",
      "GRANT SELECT, EXECUTE ON `sys`.* TO `a`@`%`",
      "GRANT SELECT, TRIGGER, EVENT ON `my_shop`.* TO `a`@`%`",
    ])("%s", (line) => {
      expect(excess([line], ["sql:read", "sql:server"])).toEqual([]);
      expect(excess([line], ["sql:read"])).toHaveLength(1);
    });

    test.each([
      "GRANT PROCESS ON *.* TO `a`@`%` WITH GRANT OPTION",
      "GRANT PROCESS, SUPER ON *.* TO `a`@`%`",
      "GRANT PROCESS, SELECT ON *.* TO `a`@`%`",
      "GRANT REPLICATION SLAVE ON *.* TO `a`@`%`",
      "GRANT SELECT ON `mysql`.* TO `a`@`%`",
      "GRANT UPDATE ON `performance_schema`.* TO `a`@`%`",
      "GRANT DROP ON `my_shop`.* TO `a`@`%`",
    ])("but not %s", (line) => {
      expect(excess([line], ["sql:read", "sql:server"])).toHaveLength(1);
    });
  });

  test("GRANT OPTION needs its own statement: REVOKE ALL does not remove it", () => {
    const found = excess(["GRANT ALL PRIVILEGES ON `x`.* TO `a`@`%` WITH GRANT OPTION"], ["sql:read"]);
    expect(found.map(({ fix }) => fix)).toEqual([
      "REVOKE ALL PRIVILEGES ON `x`.* FROM `a`@`%`",
      "REVOKE GRANT OPTION ON `x`.* FROM `a`@`%`",
    ]);
  });

  test("a privilege of the role only is removed from the role, although MySQL prints it for the account", () => {
    const lines = ["GRANT SELECT, INSERT ON `my_shop`.* TO `a`@`%`"];
    const own = ["GRANT SELECT ON `my_shop`.* TO `a`@`%`"];
    const [found] = excess(lines, ["sql:read"], { own, role: "`writers`@`%`" });
    expect(found?.fix).toBe("REVOKE INSERT ON `my_shop`.* FROM `writers`@`%`");
  });

  test("roles besides the account's own", () => {
    const own = readGrants(["GRANT `readers`@`%`,`writers`@`%` TO `a`@`%`"]);
    const fixes = (role: string | undefined) => surplusRoles(own, role).map(({ fix }) => fix);
    expect(fixes("readers")).toEqual(["REVOKE `writers`@`%` FROM `a`@`%`"]);
    expect(fixes("writers@%")).toEqual(["REVOKE `readers`@`%` FROM `a`@`%`"]);
    expect(fixes(undefined)).toHaveLength(2);
  });
});
