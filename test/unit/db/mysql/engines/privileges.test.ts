import { describe, expect, test } from "vitest";
import { verifyReadsOnly } from "../../../../../src/db/mysql/engines/privileges.ts";

/** @returns the operator's text; undefined when the account is accepted */
function refusal(...lines: string[]): string | undefined {
  try {
    verifyReadsOnly(lines.map((line) => ({ "Grants for u@%": line })));
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ code: "database_identity_wrong", status: 503 });
    return (error as { operator?: string }).operator;
  }
}

const usage = "GRANT USAGE ON *.* TO 'u1'@'%'";

describe("an account that can only read", () => {
  test.each([
    // The forms in TiDB's old and new manual, and in its source.
    ["GRANT Select ON test.* TO 'u1'@'%'"],
    ["GRANT SELECT ON `test`.* TO 'u1'@'%'"],
    ["GRANT SELECT,SHOW VIEW ON `shop`.* TO 'gw_reader'@'10.0.0.%'"],
    ["GRANT SELECT ON *.* TO '2aBcD.reader'@'%'"],
    ["GRANT PROCESS ON *.* TO 'u1'@'%'"],
    ["GRANT SELECT,PROCESS ON *.* TO 'u1'@'%'"],
    ["GRANT SELECT ON `shop`.`a``b c` TO 'u1'@'%'"],
    ["GRANT SELECT(id, name) ON `shop`.`orders` TO 'u1'@'%'"],
    ["GRANT 'analyst'@'%' TO 'u1'@'%'"],
    ["GRANT 'analyst'@'%', 'clerk'@'%' TO 'u1'@'%'"],
    // The forms of MySQL 9.7.
    ["GRANT SELECT, SHOW VIEW ON `shop`.* TO `u1`@`%`"],
    ["GRANT SELECT (`id`, `name`) ON `shop`.`orders` TO `u1`@`%`"],
    ["GRANT `analyst`@`%` TO `u1`@`%`"],
  ])("%s", (line) => {
    expect(refusal(usage, line)).toBeUndefined();
  });
});

describe("an account that can write, or perhaps can", () => {
  test.each([
    ["GRANT ALL PRIVILEGES ON *.* TO 'root'@'%'"],
    ["GRANT ALL PRIVILEGES ON `shop`.* TO 'u1'@'%' WITH GRANT OPTION"],
    ["GRANT SELECT,INSERT ON `shop`.* TO 'u1'@'%'"],
    ["GRANT SELECT,INSERT,UPDATE,DELETE,CREATE,DROP,INDEX,ALTER ON `shop`.* TO 'u1'@'%'"],
    ["GRANT INSERT ON `shop`.`SELECT` TO 'u1'@'%'"],
    ["GRANT INSERT(id) ON `shop`.`orders` TO 'u1'@'%'"],
    ["GRANT SELECT(id), UPDATE(name) ON `shop`.`orders` TO 'u1'@'%'"],
    ["GRANT SELECT ON `shop`.* TO 'u1'@'%' WITH GRANT OPTION"],
    ["GRANT USAGE ON *.* TO 'u1'@'%' WITH GRANT OPTION"],
    ["GRANT EXECUTE ON `shop`.* TO 'u1'@'%'"],
    ["GRANT SELECT,LOCK TABLES ON `shop`.* TO 'u1'@'%'"],
    ["GRANT FILE ON *.* TO 'u1'@'%'"],
    ["GRANT PROCESS ON *.* TO 'u1'@'%' WITH GRANT OPTION"],
    ["GRANT PROCESS,SUPER ON *.* TO 'u1'@'%'"],
    ["GRANT CREATE TEMPORARY TABLES ON `shop`.* TO 'u1'@'%'"],
    ["GRANT BACKUP_ADMIN,SYSTEM_VARIABLES_ADMIN ON *.* TO 'u1'@'%'"],
    ["GRANT SELECT_ADMIN ON *.* TO 'u1'@'%'"],
    ["GRANT 'analyst'@'%' TO 'u1'@'%' WITH ADMIN OPTION"],
    ["GRANT PROXY ON ''@'' TO 'root'@'localhost' WITH GRANT OPTION"],
    ["GRANT SELECT ON FUNCTION `shop`.`f` TO 'u1'@'%'"],
    ["REVOKE INSERT ON `shop`.* FROM `u1`@`%`"],
    ["GRANT SELECT ON `shop`.* TO 'u1'@'%'\nGRANT INSERT ON `shop`.* TO 'u1'@'%'"],
    ["null"],
    [""],
  ])("%s", (line) => {
    expect(refusal(usage, line)).toContain(`it has ${line}`);
  });

  test("shows nothing", () => {
    expect(refusal()).toMatch(/SHOW GRANTS shows nothing$/);
  });

  test("is reported with the first such line and their number", () => {
    expect(refusal(usage, "GRANT FILE ON *.* TO 'u'@'%'", "x", "y")).toBe(
      "no grant writes with this account, so it may have SELECT, SHOW VIEW and PROCESS only: it has GRANT FILE ON *.* TO 'u'@'%' and 2 more",
    );
  });
});
