import { describe, expect, test } from "vitest";
import { statementError } from "../../../../../src/db/mysql/engines/errors.ts";

/** @returns the caller's view of a server's error */
function told(errno: number, message: string) {
  const error = Object.assign(new Error(message), { errno, sqlMessage: message });
  return statementError(error, { author: "caller", atomic: true });
}

const constraintOf = (errno: number, message: string) => told(errno, message).details.constraint;

/** The messages of MySQL 9.7, MariaDB 10.11 and TiDB 8.5. */
describe("the constraint of an error", () => {
  test.each<[number, string, string]>([
    [1062, "Duplicate entry '1' for key 'p.PRIMARY'", "p.PRIMARY"],
    [1062, "Duplicate entry '1' for key 'PRIMARY'", "PRIMARY"],
    [1586, "Duplicate entry '1-1' for key 'pt.u'", "pt.u"],
    [1062, "Duplicate entry '' for key 'by_code'", "by_code"],
    [1062, "Duplicate entry 'line\nbreak' for key 'by_code'", "by_code"],
    [1062, "Duplicate entry 'it's ' for key 'p.by_code'", "p.by_code"],
    [1062, "Duplicate entry 'x' for key 'y.z' for key 'p.by_code'", "p.by_code"],
    [1062, "Duplicate entry '\\x00\\xFF' for key '' for key 'v'", "v"],
    [1062, "Duplicate entry 'a' for key 'odd `t.k'x'", "odd `t.k'x"],
    [
      1761,
      "Foreign key constraint for table 'p', record 'x', key 'y' would lead to a duplicate entry in table 'c', key 'u'",
      "u",
    ],
    [
      1452,
      "Cannot add or update a child row: a foreign key constraint fails (`meas`.`c`, CONSTRAINT `to_p` FOREIGN KEY (`p`) REFERENCES `p` (`id`))",
      "to_p",
    ],
    [
      1451,
      "Cannot delete or update a parent row: a foreign key constraint fails (`m`.`a``, CONSTRAINT ``b`, CONSTRAINT `to``p` FOREIGN KEY (`p`) REFERENCES `p` (`id`))",
      "to`p",
    ],
    [
      1701,
      "Cannot truncate a table referenced in a foreign key constraint (`meas`.`c`, CONSTRAINT `to_p`)",
      "to_p",
    ],
    [
      1701,
      "Cannot truncate a table referenced in a foreign key constraint (`meas`.`c` CONSTRAINT `to_p`)",
      "to_p",
    ],
    [3730, "Cannot drop table 'p' referenced by a foreign key constraint 'to_p' on table 'c'.", "to_p"],
    [3819, "Check constraint 'positive' is violated.", "positive"],
    [4025, "CONSTRAINT `positive` failed for `meas`.`p`", "positive"],
    [4025, "CONSTRAINT `balances.amount` failed for `ledger`.`balances`", "balances.amount"],
  ])("%i %s", (errno, message, constraint) => {
    expect(constraintOf(errno, message)).toBe(constraint);
  });

  test.each<[string, number, string]>([
    ["names none", 1451, "Cannot delete or update a parent row: a foreign key constraint fails"],
    [
      "names none, as to a stranger",
      1217,
      "Cannot delete or update a parent row: a foreign key constraint fails",
    ],
    ["has a number for it", 1062, "Duplicate entry 'x' for key 2"],
    ["is in another language", 1062, "Doppelter Eintrag 'x' für Schlüssel 'u.n'"],
    ["names a column", 1048, "Column 'n' cannot be null"],
    ["is another one", 1292, "Duplicate entry 'x' for key 'u.n'"],
    // 511 bytes; the end of the value looks like a key's name.
    ["is cut", 1062, `Duplicate entry '${"é".repeat(236)}' for key 'SECRET'`.slice(0, 272)],
    ["has no end", 1062, "Duplicate entry 'x' for key 'SECRET"],
    ["is of a value that looks like one", 1062, "Duplicate entry 'x' for key 'SECRET' for keys"],
  ])("is left out if the message %s", (_, errno, message) => {
    expect(told(errno, message).details).not.toHaveProperty("constraint");
  });
});

describe("an apostrophe is not a quotation mark", () => {
  test.each<[number, string, string]>([
    [1007, "Can't create database 'meas'; database exists", "Can't create database '…'; database exists"],
    [1091, "Can't DROP 'nope'; check that column/key exists", "Can't DROP '…'; check that column/key exists"],
    [1091, "Can't DROP COLUMN `nope`; check that it exists", "Can't DROP COLUMN '…'; check that it exists"],
    [1091, "index nope doesn't exist", "index nope doesn't exist"],
    [
      1136,
      "Column count doesn't match value count at row 1",
      "Column count doesn't match value count at row 1",
    ],
    [
      1093,
      "You can't specify target table 'p' for update in FROM clause",
      "You can't specify target table '…' for update in FROM clause",
    ],
    [1072, "Key column 'nope' doesn't exist in table", "Key column '…' doesn't exist in table"],
    [
      1089,
      "Incorrect prefix key; the used key part isn't a string, the used length is longer than the key part, or the storage engine doesn't support unique prefix keys",
      "Incorrect prefix key; the used key part isn't a string, the used length is longer than the key part, or the storage engine doesn't support unique prefix keys",
    ],
    [
      1101,
      "BLOB, TEXT, GEOMETRY or JSON column 'a' can't have a default value",
      "BLOB, TEXT, GEOMETRY or JSON column '…' can't have a default value",
    ],
    [1231, "Variable 'sql_mode' can't be set to the value of 'nope'", "Variable '…'"],
    [
      1005,
      'Can\'t create table `meas`.`p` (errno: 150 "Foreign key constraint is incorrectly formed")',
      "Can't create table '…')",
    ],
    [
      8154,
      "Don't support load data from tidb-server's disk. Or if you want to load local data via client, the path of INFILE '/nope' needs to specify the clause of LOCAL first",
      "Don't support load data from tidb-server's disk. Or if you want to load local data via client, the path of INFILE '…' needs to specify the clause of LOCAL first",
    ],
  ])("%i %s", (errno, message, shown) => {
    expect(told(errno, message).message).toBe(shown);
  });

  // Each value would be visible if one of its words were read as the server's.
  test.each([
    "can't SECRET can't",
    "x' can't 'SECRET",
    "don",
    "SECRET's",
    "can't' SECRET",
    "' isn't SECRET isn't '",
    "server's SECRET",
  ])("but a value %j is hidden completely", (value) => {
    for (const message of [
      `Duplicate entry '${value}' for key 'u.n'`,
      `Can't do '${value}'`,
      `Incorrect string value: "${value}" doesn't fit`,
      `Can't do '${value} cut ${"x".repeat(500)}`,
    ]) {
      const shown = told(1292, message).message;
      expect(shown).not.toContain("SECRET");
      expect(shown).toMatch(/^(?:Duplicate entry '…'|Can't do '…'|Incorrect string value: '…' doesn't fit)$/);
    }
  });

  test("x'..' and N'..' are quotations, although their value may begin with an s or a t", () => {
    for (const literal of ["N's SECRET'", "_binary's SECRET'", "x't SECRET'", "_utf8mb4't SECRET'"]) {
      expect(told(1690, `Out of range in ${literal}`).message).not.toContain("SECRET");
    }
  });
});
