import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { pageStatement } from "../../../src/catalog/page-statements.ts";
import type { Page } from "../../../src/catalog/saved-query.ts";
import type { BoundValue } from "../../../src/sql/bound-value.ts";
import { databaseServer, engine } from "../support/harness.ts";

/** How each server finds the beginning of a page by keys. */

let administrator: Connection;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await administrator.query("DROP DATABASE IF EXISTS plans");
  await administrator.query("CREATE DATABASE plans");
  await administrator.query("USE plans");
  await administrator.query(
    "CREATE TABLE t (id INT PRIMARY KEY, a INT NOT NULL, b VARCHAR(20) NOT NULL, c INT, KEY ordered (a, b, id))",
  );
  for (let from = 0; from < 20_000; from += 1_000) {
    const rows = Array.from({ length: 1_000 }, (_, i) => from + i).map(
      (id) => `(${id}, ${id % 500}, 'w${id % 97}', ${id % 7})`,
    );
    await administrator.query(`INSERT INTO t VALUES ${rows.join(", ")}`);
  }
  await administrator.query("ANALYZE TABLE t");
});
afterAll(async () => {
  await administrator?.query("DROP DATABASE IF EXISTS plans");
  await administrator?.end();
});

/** The words of a plan that reads a range of an index. */
const range = {
  mysql: /Index range scan on t using ordered/,
  mariadb: /"type":"range"[^}]*"key":"ordered"/,
  tidb: /IndexRangeScan[^}]*index:ordered/,
}[engine];

test.each([false, true])(
  "an index on the keys gives the rows behind a row, descending: %s",
  async (descending) => {
    const keys = ["a", "b", "id"].map((column) => ({ column, descending }));
    const page: Page = { kind: "keyset", keys, size: 10, sizeCeiling: 10 };
    const after: BoundValue[] = [
      { type: "integer", value: 250 },
      { type: "string", value: "w5" },
      { type: "integer", value: 250 },
    ];
    const own = { sql: "SELECT id, a, b, c FROM t WHERE c <> 3", values: [] };
    const { sql, values } = pageStatement(page, own, { after }, page.size);
    const [plan] = await administrator.query<RowDataPacket[]>(
      `EXPLAIN ${sql}`,
      values.map(({ value }) => value),
    );
    const text = JSON.stringify(plan);
    expect(text).toMatch(range);
    expect(text).not.toMatch(/derived|Sort|filesort|TopN/i);
  },
);
