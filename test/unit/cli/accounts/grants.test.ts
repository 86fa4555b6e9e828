import { describe, expect, test } from "vitest";
import { readCreateUser, readGrants, withoutSecrets } from "../../../../cli/accounts/grants.ts";

/** Lines that MySQL 9.7, MariaDB 10.11 and TiDB 8.5 print. */

const none = { held: [], memberships: [], proxies: [], unread: [] };
const hash = "*D821809F681A40A6E379B50D0463EFAE20BDD122";

describe("privileges", () => {
  const table: [string, string, [string, string, string, string[]?][]][] = [
    ["none at all", "GRANT USAGE ON *.* TO `a`@`%`", []],
    ["on a database", "GRANT SELECT ON `shop`.* TO `a`@`%`", [["SELECT", "`shop`.*", "`a`@`%`"]]],
    [
      "of MariaDB's PUBLIC",
      "GRANT SELECT, DELETE HISTORY ON `test\\_%`.* TO PUBLIC",
      [
        ["SELECT", "`test\\_%`.*", "PUBLIC"],
        ["DELETE HISTORY", "`test\\_%`.*", "PUBLIC"],
      ],
    ],
    [
      "several, one of two words",
      "GRANT SELECT, SHOW VIEW ON `shop`.* TO `readers`",
      [
        ["SELECT", "`shop`.*", "`readers`"],
        ["SHOW VIEW", "`shop`.*", "`readers`"],
      ],
    ],
    [
      "on columns",
      "GRANT INSERT (`v`, `SELECT, x ON y TO z`), UPDATE ON `shop`.`t` TO `a`@`%`",
      [
        ["INSERT", "`shop`.`t`", "`a`@`%`", ["v", "SELECT, x ON y TO z"]],
        ["UPDATE", "`shop`.`t`", "`a`@`%`"],
      ],
    ],
    [
      "on columns, as TiDB prints them",
      "GRANT SELECT(id, odd name), SHOW VIEW, INSERT(id) ON `shop`.`t` TO 'a'@'%'",
      [
        ["SELECT", "`shop`.`t`", "'a'@'%'", ["id", "odd name"]],
        ["SHOW VIEW", "`shop`.`t`", "'a'@'%'"],
        ["INSERT", "`shop`.`t`", "'a'@'%'", ["id"]],
      ],
    ],
    [
      "several, which TiDB prints without spaces",
      "GRANT CREATE VIEW,SHOW VIEW ON `shop`.* TO 'a'@'%' WITH GRANT OPTION",
      [
        ["CREATE VIEW", "`shop`.*", "'a'@'%'"],
        ["SHOW VIEW", "`shop`.*", "'a'@'%'"],
        ["GRANT OPTION", "`shop`.*", "'a'@'%'"],
      ],
    ],
    [
      "dynamic ones, which MySQL prints without spaces",
      "GRANT BACKUP_ADMIN,XA_RECOVER_ADMIN ON *.* TO `a`@`%`",
      [
        ["BACKUP_ADMIN", "*.*", "`a`@`%`"],
        ["XA_RECOVER_ADMIN", "*.*", "`a`@`%`"],
      ],
    ],
    [
      "to give them to others",
      "GRANT ALL PRIVILEGES ON `shop`.* TO `a`@`%` WITH GRANT OPTION",
      [
        ["ALL PRIVILEGES", "`shop`.*", "`a`@`%`"],
        ["GRANT OPTION", "`shop`.*", "`a`@`%`"],
      ],
    ],
    [
      "to give them to others, behind MariaDB's hash and limits",
      `GRANT CREATE, BINLOG MONITOR ON *.* TO \`a\`@\`%\` IDENTIFIED BY PASSWORD '${hash}' REQUIRE SSL WITH GRANT OPTION MAX_USER_CONNECTIONS 3`,
      [
        ["CREATE", "*.*", "`a`@`%`"],
        ["BINLOG MONITOR", "*.*", "`a`@`%`"],
        ["GRANT OPTION", "*.*", "`a`@`%`"],
      ],
    ],
    [
      "no option where a plugin's text says so",
      "GRANT SELECT ON *.* TO `a`@`%` IDENTIFIED VIA pam USING 'x WITH GRANT OPTION'",
      [["SELECT", "*.*", "`a`@`%`"]],
    ],
    [
      "on a routine",
      "GRANT EXECUTE ON PROCEDURE `shop`.`p` TO `a`@`%`",
      [["EXECUTE", "PROCEDURE `shop`.`p`", "`a`@`%`"]],
    ],
    [
      "of an account with quotes and spaces",
      "GRANT SELECT ON `a``b`.* TO `it's ON x`@`10.%`",
      [["SELECT", "`a``b`.*", "`it's ON x`@`10.%`"]],
    ],
    ["on TiDB, unquoted", "GRANT SELECT ON shop.* TO 'a'@'%'", [["SELECT", "shop.*", "'a'@'%'"]]],
  ];
  test.each(table)("%s", (_, line, held) => {
    const found = held.map(([privilege, scope, grantee, columns]) => ({
      ...{ privilege, scope, grantee },
      ...(columns && { columns }),
    }));
    expect(readGrants([line])).toEqual({ ...none, held: found });
  });
});

describe("roles and identities", () => {
  test("roles, several in a line on MySQL", () => {
    const { memberships, held } = readGrants(["GRANT `readers`@`%`,`writers`@`%` TO `a`@`%`"]);
    expect(memberships).toEqual([
      { role: "`readers`@`%`", grantee: "`a`@`%`" },
      { role: "`writers`@`%`", grantee: "`a`@`%`" },
    ]);
    expect(held).toEqual([]);
  });

  test("a role with the right to give it", () => {
    const { memberships, held } = readGrants(["GRANT `readers` TO `a`@`%` WITH ADMIN OPTION"]);
    expect(memberships).toEqual([{ role: "`readers`", grantee: "`a`@`%`" }]);
    expect(held).toEqual([{ privilege: "ADMIN OPTION", scope: "`readers`", grantee: "`a`@`%`" }]);
  });

  test.each([
    "GRANT PROXY ON `ident`@`%` TO `a`@`%`",
    "GRANT PROXY ON 'ident'@'%' TO 'a'@'%' WITH GRANT OPTION",
  ])("%s", (line) => {
    const proxies = [{ identity: "'ident'@'%'", grantee: "'a'@'%'" }];
    expect(readGrants([line])).toEqual({ ...none, proxies });
  });

  test.each(["REVOKE INSERT ON `shop`.* FROM `a`@`%`", "SET DEFAULT ROLE `readers` FOR `a`@`%`"])(
    "%s gives nothing",
    (line) => {
      expect(readGrants([line])).toEqual(none);
    },
  );

  test("a line of an unknown form is reported, without its quoted texts", () => {
    const { unread, held } = readGrants([`GRANT SELECT ON EVERYTHING TO a BY PASSWORD '${hash}'`]);
    expect(unread).toEqual(["GRANT SELECT ON EVERYTHING TO a BY PASSWORD '…'"]);
    expect(held).toEqual([]);
  });
});

test.each([
  [
    `GRANT USAGE ON *.* TO \`a\`@\`%\` IDENTIFIED BY PASSWORD '${hash}' REQUIRE SSL WITH GRANT OPTION`,
    "GRANT USAGE ON *.* TO `a`@`%` REQUIRE SSL WITH GRANT OPTION",
  ],
  [`GRANT USAGE ON *.* TO \`a\`@\`%\` IDENTIFIED BY PASSWORD '${hash}'`, "GRANT USAGE ON *.* TO `a`@`%`"],
  [
    "GRANT USAGE ON *.* TO `a`@`%` IDENTIFIED VIA ed25519 USING 'x REQUIRE y' OR pam USING 'z' REQUIRE SSL",
    "GRANT USAGE ON *.* TO `a`@`%` REQUIRE SSL",
  ],
  ["GRANT SELECT ON `x IDENTIFIED y`.* TO `a`@`%`", "GRANT SELECT ON `x IDENTIFIED y`.* TO `a`@`%`"],
])("%s is shown without its credentials", (line, shown) => {
  expect(withoutSecrets(line)).toBe(shown);
});

describe("CREATE USER", () => {
  const rest =
    "PASSWORD EXPIRE DEFAULT ACCOUNT UNLOCK PASSWORD HISTORY DEFAULT PASSWORD REQUIRE CURRENT DEFAULT";
  const table: [string, string, string | undefined, boolean][] = [
    [
      "MySQL",
      `CREATE USER \`a\`@\`%\` IDENTIFIED WITH 'caching_sha2_password' AS <secret> REQUIRE SSL ${rest}`,
      "caching_sha2_password",
      true,
    ],
    [
      "MySQL without",
      `CREATE USER \`a\`@\`%\` IDENTIFIED WITH 'mysql_no_login' REQUIRE NONE ${rest}`,
      "mysql_no_login",
      false,
    ],
    [
      "a certificate, which is TLS too",
      `CREATE USER \`a\`@\`%\` IDENTIFIED WITH 'x' REQUIRE SUBJECT '/CN=a' ${rest}`,
      "x",
      true,
    ],
    [
      "only a comment says so",
      `CREATE USER \`a\`@\`%\` IDENTIFIED WITH 'x' REQUIRE NONE ${rest} ATTRIBUTE '{"comment": " REQUIRE SSL"}'`,
      "x",
      false,
    ],
    [
      "only a role is called so",
      `CREATE USER \`a\`@\`%\` IDENTIFIED WITH 'x' DEFAULT ROLE \`b REQUIRE SSL\`@\`%\` REQUIRE NONE ${rest}`,
      "x",
      false,
    ],
    [
      "MariaDB",
      `CREATE USER \`a\`@\`%\` IDENTIFIED BY PASSWORD '${hash}' REQUIRE SSL`,
      "mysql_native_password",
      true,
    ],
    ["MariaDB without", "CREATE USER `a`@`%` IDENTIFIED VIA pam USING 'tidegate'", "pam", false],
    ["MariaDB without a password", "CREATE USER `a`@`%` REQUIRE X509", undefined, true],
  ];
  test.each(table)("%s", (_, line, plugin, tls) => {
    expect(readCreateUser(line)).toEqual({ plugin, tls });
  });
});
