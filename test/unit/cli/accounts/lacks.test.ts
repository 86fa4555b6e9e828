import { expect, test } from "vitest";
import { readGrants } from "../../../../cli/accounts/grants.ts";
import { lacksOf } from "../../../../cli/accounts/lacks.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";

const identity = "'reader'@'%'";
const queries = [
  parseQuery("add.sql", "INSERT INTO notes (a) VALUES (1)"),
  parseQuery("one.sql", "SELECT 1"),
  parseQuery("put.sql", "REPLACE INTO shop.notes (a) VALUES (1)"),
  parseQuery("read.sql", "SELECT a FROM notes"),
  parseQuery("run.sql", "CALL tidy()"),
];

function lacks(permissions: string[], ...grants: string[]): string[] {
  const rights = readGrants(grants.map((grant) => `GRANT ${grant} TO \`reader\`@\`%\``));
  return lacksOf({ permissions, queries, rights, identity, database: "shop" }).map(
    ({ what, fix }) => `${what} | ${fix}`,
  );
}

const end = "the server refuses every such statement";

test.each<[string, string[], string[], string[]]>([
  ["enough", ["sql:read", "sql:write", "query:add"], ["SELECT, INSERT ON `shop`.*"], []],
  ["of one table", ["sql:read", "sql:write"], ["SELECT ON `shop`.`t`", "UPDATE (`a`) ON `shop`.`t`"], []],
  ["of the whole server", ["sql:read"], ["SELECT ON *.*"], []],
  ["all privileges", ["sql:ddl", "query:*"], ["ALL PRIVILEGES ON `shop`.*"], []],
  ["a pattern", ["sql:read"], ["SELECT ON `sh%`.*"], []],
  ["of a role", ["sql:read"], ["SELECT ON `shop`.*"], []],
  ["no SQL", ["operate", "metrics", "transaction", "sql:server"], ["USAGE ON *.*"], []],
  ["a line that cannot be read", ["sql:read"], ["something new"], []],
  [
    "another database",
    ["sql:read"],
    ["SELECT ON `shops`.*"],
    [
      `a grant opens sql:read, and ${identity} has no SELECT on shop: ${end} | GRANT SELECT ON \`shop\`.* TO ${identity}`,
    ],
  ],
  [
    "only SELECT",
    ["sql:read", "sql:write"],
    ["SELECT ON `shop`.*"],
    [
      `a grant opens sql:write, and ${identity} has none of INSERT, UPDATE, DELETE, EXECUTE on shop: ${end} | GRANT INSERT, UPDATE, DELETE ON \`shop\`.* TO ${identity}`,
    ],
  ],
  [
    "a query that writes",
    ["query:add", "query:read"],
    ["SELECT ON `shop`.*"],
    [
      `a grant opens query:add, and ${identity} has no INSERT on shop: the server refuses it | GRANT INSERT ON \`shop\`.\`notes\` TO ${identity}`,
    ],
  ],
  [
    "every query",
    ["query:*"],
    ["USAGE ON *.*"],
    [
      `a grant opens query:add, and ${identity} has no INSERT on shop: the server refuses it | GRANT INSERT ON \`shop\`.\`notes\` TO ${identity}`,
      `a grant opens query:put, and ${identity} has no INSERT and no DELETE on shop: the server refuses it | GRANT INSERT, DELETE ON \`shop\`.* TO ${identity}`,
      `a grant opens query:read, and ${identity} has no SELECT on shop: the server refuses it | GRANT SELECT ON \`shop\`.* TO ${identity}`,
      `a grant opens query:run, and ${identity} has no EXECUTE on shop: the server refuses it | GRANT EXECUTE ON \`shop\`.* TO ${identity}`,
    ],
  ],
])("%s", (_, permissions, grants, expected) => {
  expect(lacks(permissions, ...grants)).toEqual(expected);
});
