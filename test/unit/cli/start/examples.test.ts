import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Role } from "../../../../cli/project/roles.ts";
import { queryExamples, queryLine, statementLine } from "../../../../cli/start/examples.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";

/** The lines that `tidegate start` prints. */

const role: Role = {
  name: "clerk",
  claims: { role: "clerk", org: { id: 7 } },
  subject: "developer",
  grant: {
    ...{ issuer: "http://127.0.0.1:8788", claims: {}, account: "reader", max_transactions: 1 },
    allow: ["query:*"],
  },
};
const chosen = (files: Record<string, string>, one = role) =>
  queryExamples(
    Object.entries(files).map(([name, text]) => parseQuery(`${name}.sql`, text)),
    one,
  );

describe("the saved queries that can be shown", () => {
  test("have an example with plain values, or need no value", () => {
    const files = {
      bare: "SELECT 1 AS one",
      optional: "-- @param n integer default 1  N\nSELECT :n AS n",
      required: "-- @param n integer  N\nSELECT :n AS n",
      shown: '-- @param n integer  N\n-- @example {"n": 3}\nSELECT :n AS n',
      list: '-- @param n integer[]  N\n-- @example {"n": [3]}\nSELECT 1 AS one WHERE 1 IN (:n)',
    };
    expect(chosen(files)).toEqual([
      { name: "bare", parameters: {} },
      { name: "optional", parameters: {} },
      { name: "shown", parameters: { n: 3 } },
    ]);
  });

  test("only read, are open to the role, and find their claims in its token", () => {
    const files = {
      write: "INSERT INTO t VALUES (1)",
      own: "SELECT :jwt.sub AS me",
      org: "SELECT :jwt.org.id AS org",
      tenant: "SELECT :jwt.tenant AS tenant",
      closed: "SELECT 1 AS one",
    };
    const allow = ["write", "own", "org", "tenant"].map((name) => `query:${name}`);
    const names = chosen(files, { ...role, grant: { ...role.grant, allow } }).map(({ name }) => name);
    expect(names).toEqual(["own", "org"]);
  });

  test("those in pages come last", () => {
    const paged = "-- @page keyset id size 10 max 20\nSELECT id FROM t";
    expect(chosen({ a: paged, b: "SELECT 1 AS one" }).map(({ name }) => name)).toEqual(["b", "a"]);
  });
});

test("a shell reads the lines as they are meant", () => {
  const text = `it's $HOME & "so" \`x\` \\`;
  const words = (line: string) => {
    const { stdout } = spawnSync("bash", ["-c", line.replace(/^curl /, "printf '%s\\0' ")], {
      encoding: "utf8",
    });
    return stdout.split("\0").slice(0, -1);
  };
  const bearer = "Authorization: Bearer x";
  const [address = "", ...header] = words(
    queryLine("http://g", { name: "q", parameters: { text, n: 3 } }, bearer),
  );
  expect(Object.fromEntries(new URL(address).searchParams)).toEqual({ text, n: "3" });
  expect(header).toEqual(["-H", bearer]);
  const statement = { sql: "SELECT `a'b` FROM t WHERE c = ?", params: [text] };
  const [, , , , , , body = ""] = words(statementLine("http://g", statement, bearer));
  expect(JSON.parse(body)).toEqual(statement);
});
