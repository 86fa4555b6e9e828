import { describe, expect, test } from "vitest";
import type { LoginSeen, Seen } from "../../../../cli/accounts/inspect.ts";
import type { Report, Subject } from "../../../../cli/accounts/report.ts";
import { format, report } from "../../../../cli/accounts/report.ts";
import { TidegateError } from "../../../../src/errors.ts";

const grants = ["GRANT USAGE ON *.* TO `reader`@`%`", "GRANT SELECT ON `shop`.* TO `reader`@`%`"];

/** A mapped account without problems. */
const mapped: Seen = {
  user: "gw_reader@10.0.0.7",
  currentUser: "reader@%",
  proxyUser: "'gw_reader'@'%'",
  currentRole: "NONE",
  version: "9.7.4",
  grants,
  own: grants,
  createUser: "CREATE USER `reader`@`%` IDENTIFIED WITH 'mysql_no_login' REQUIRE SSL ACCOUNT UNLOCK",
};
const login: LoginSeen = {
  grants: ["GRANT USAGE ON *.* TO `gw_reader`@`%`", "GRANT PROXY ON `reader`@`%` TO `gw_reader`@`%`"],
  createUser: "CREATE USER `gw_reader`@`%` IDENTIFIED WITH 'caching_sha2_password' AS 'x' REQUIRE SSL",
};

interface Change extends Partial<Omit<Subject, "login">> {
  seen?: Partial<Seen>;
  login?: Partial<LoginSeen> | undefined;
}

function reportOf(more: Change): Report {
  const { seen, login: other, ...rest } = more;
  return report({
    account: { name: "reader", user: "gw_reader", role: undefined, plugin: undefined, acts_as: "reader@%" },
    cluster: { database: "shop", engine: "mysql" },
    use: { permissions: ["sql:read"], privileges: new Set(["SELECT", "SHOW VIEW"]), asksServer: false },
    queries: [],
    inspection: { refused: undefined, seen: { ...mapped, ...seen } },
    login: "login" in more ? other && { ...login, ...other } : login,
    ...rest,
  });
}

test("an account without problems", () => {
  expect(format(reportOf({}))).toBe(
    `reader: ok
  login      gw_reader@10.0.0.7 (the account 'gw_reader'@'%')
  identity   reader@%
  proxy      'gw_reader'@'%'
  role       none
  method     caching_sha2_password
  server     9.7.4
  may        GRANT USAGE ON *.* TO \`reader\`@\`%\`
             GRANT SELECT ON \`shop\`.* TO \`reader\`@\`%\`
  login may  GRANT USAGE ON *.* TO \`gw_reader\`@\`%\`
             GRANT PROXY ON \`reader\`@\`%\` TO \`gw_reader\`@\`%\`
  used for   sql:read`,
  );
});

describe("a warning, with the statement that fixes it", () => {
  const noTls = "IDENTIFIED WITH 'x' REQUIRE NONE";
  const second = "GRANT PROXY ON `root`@`%` TO `gw_reader`@`%`";
  const table: [string, Change, RegExp, string][] = [
    [
      "REQUIRE SSL is missing at the identity",
      { seen: { createUser: `CREATE USER \`reader\`@\`%\` ${noTls}` } },
      /^'reader'@'%' has no REQUIRE SSL/,
      "ALTER USER 'reader'@'%' REQUIRE SSL",
    ],
    [
      "REQUIRE SSL is missing at the login",
      { login: { createUser: `CREATE USER \`gw_reader\`@\`%\` ${noTls}` } },
      /^'gw_reader'@'%' has no REQUIRE SSL/,
      "ALTER USER 'gw_reader'@'%' REQUIRE SSL",
    ],
    [
      "two PROXY grants: all but acts_as go",
      { login: { grants: [...login.grants, second] } },
      /2 PROXY grants \('reader'@'%', 'root'@'%'\).*FLUSH PRIVILEGES/,
      "REVOKE PROXY ON 'root'@'%' FROM 'gw_reader'@'%'",
    ],
    [
      "the login has rights of its own",
      { login: { grants: [...login.grants, "GRANT SELECT ON `shop`.* TO `gw_reader`@`%`"] } },
      /^'gw_reader'@'%' has SELECT on `shop`\.\* of its own/,
      "REVOKE SELECT ON `shop`.* FROM 'gw_reader'@'%'",
    ],
    [
      "the identity has too much",
      { seen: { grants: [...grants, "GRANT FILE ON *.* TO `reader`@`%`"], own: grants } },
      /FILE on \*\.\*/,
      "REVOKE FILE ON *.* FROM `reader`@`%`",
    ],
    [
      "a line that cannot be read",
      { seen: { grants: [...grants, "GRANT something NEW"], own: grants } },
      /could not be read: GRANT something NEW/,
      "see for yourself",
    ],
  ];
  test.each(table)("%s", (_, change, what, fix) => {
    const { warnings, refused } = reportOf(change);
    expect(warnings).toEqual([{ what: expect.stringMatching(what), fix }]);
    expect(refused).toBeUndefined();
  });
});

describe("without an administrator", () => {
  test("facts that a mapped session cannot see are reported as unknown", () => {
    const { unseen, warnings, facts } = reportOf({ login: undefined });
    expect(unseen.map(({ fix }) => fix)).toEqual([
      "SHOW GRANTS FOR 'gw_reader'@'%'",
      "SHOW CREATE USER 'gw_reader'@'%'",
    ]);
    expect(warnings).toEqual([]);
    expect(Object.fromEntries(facts).method).toEqual(["not shown to this account"]);
  });

  test("a plain login sees all its own grants, also two PROXY grants", () => {
    const own = [
      "GRANT SELECT ON `shop`.* TO `gw`@`%`",
      "GRANT PROXY ON `a`@`%` TO `gw`@`%`",
      "GRANT PROXY ON `b`@`%` TO `gw`@`%`",
    ];
    const seen = { proxyUser: null, currentUser: "gw@%", grants: own, own };
    const { unseen, warnings } = reportOf({ login: undefined, seen });
    expect(unseen).toEqual([]);
    expect(warnings.map(({ what }) => what)).toEqual([expect.stringContaining("2 PROXY grants")]);
  });

  test("an identity that the server hides is named too", () => {
    const { unseen } = reportOf({ login: undefined, seen: { createUser: undefined } });
    expect(unseen.map(({ fix }) => fix)).toContain("SHOW CREATE USER 'reader'@'%'");
  });
});

describe("an account that the gateway would refuse", () => {
  const refused = new TidegateError("database_login_failed", {}, "1045 Access denied");

  test("without a login only the gateway's reason is shown", () => {
    const text = format(reportOf({ inspection: { refused, seen: undefined }, login: undefined }));
    expect(text).toBe(
      "reader: refused, database_login_failed: 1045 Access denied (docs/guides/accounts.md)\n  login      gw_reader\n  used for   sql:read",
    );
  });

  test("with the wrong identity its rights are still shown", () => {
    const wrong = new TidegateError("database_identity_wrong", {}, 'CURRENT_USER() must be "x@%"');
    const result = reportOf({ inspection: { refused: wrong, seen: mapped } });
    expect(result.refused).toBe('database_identity_wrong: CURRENT_USER() must be "x@%"');
    expect(Object.fromEntries(result.facts).may).toEqual(grants);
  });
});

test.each([
  ["`readers`@`%`", "`readers`@`%`"],
  ["readers", "`readers`"],
  ["readers@%", "`readers`@`%`"],
  [null, "none"],
  ["NONE", "none"],
])("the role %j is shown as %s", (currentRole, shown) => {
  expect(Object.fromEntries(reportOf({ seen: { currentRole } }).facts).role).toEqual([shown]);
});
