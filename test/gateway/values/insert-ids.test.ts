import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { databaseServer, engine, grantInsert } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, prepareLedger, startLedger } from "../support/ledger.ts";
import { startThroughHyperdrive } from "../support/through-hyperdrive.ts";

/** Generated keys beyond the range of a signed integer. */

let administrator: Connection;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  ledger = await startLedger();
  caller = ledger.as();
});
afterAll(async () => {
  await ledger?.gateway.close();
  await dropLedger(administrator);
  await administrator?.end();
});

const insert = "INSERT INTO entries (account, note) VALUES (1, ?)";
const byId = "SELECT id, note FROM entries WHERE id = ?";

/** The same statement stays prepared, for keys on both sides of 2^63. */
describe.each([
  ["the last signed one", 2n ** 63n - 1n],
  ["the first beyond", 2n ** 63n],
  ["one beyond 2^53 from the end", 2n ** 64n - 12n],
])("%s", (_, first) => {
  beforeEach(async () => {
    // The table is created again, because its counter would go on from the old value.
    await administrator.query("DROP TABLE IF EXISTS ledger.entries");
    const cache = engine === "tidb" ? " AUTO_ID_CACHE 1" : "";
    await administrator.query(
      `CREATE TABLE ledger.entries (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, account INT NOT NULL, note VARCHAR(50))${cache}`,
    );
    // TiDB accepts such a large number only here.
    await administrator.query(`ALTER TABLE ledger.entries AUTO_INCREMENT = ${first}`);
  });

  const ids = [first, first + 1n, first + 2n].map(String);

  test("is told by /v1/sql, and finds its row", async () => {
    for (const [index, id] of ids.entries()) {
      const { body } = await caller.sql(insert, [`n${index}`]);
      expect(body).toMatchObject({ rows_affected: 1, last_insert_id: id });
      const value = { type: "INTEGER", value: body.last_insert_id };
      expect((await caller.sql(byId, [value])).body.rows).toEqual([{ id, note: `n${index}` }]);
    }
  });

  test("is referred to in a batch", async () => {
    for (const id of ids) {
      const { body } = await caller.batch([
        { sql: insert, params: ["x"] },
        { sql: byId, params: [{ $ref: "0.last_insert_id" }] },
        { sql: "UPDATE entries SET note = 'y' WHERE id = ?", params: [{ $ref: "1.rows.0.id" }] },
      ]);
      expect(body.results).toMatchObject([
        { last_insert_id: id },
        { rows: [{ id, note: "x" }] },
        { rows_affected: 1 },
      ]);
    }
  });

  test("is told in a transaction", async () => {
    const transaction = await caller.opened();
    for (const id of ids) {
      const { body } = await caller.in(transaction, insert, ["z"]);
      expect(body.last_insert_id).toBe(id);
    }
    expect((await caller.in(transaction, byId, [{ type: "INTEGER", value: ids[1] }])).body.rows).toEqual([
      { id: ids[1], note: "z" },
    ]);
    await caller.commit(transaction);
  });
});

test("through Hyperdrive", async () => {
  await administrator.query("DROP TABLE IF EXISTS world.far");
  const cache = engine === "tidb" ? " AUTO_ID_CACHE 1" : "";
  await administrator.query(
    `CREATE TABLE world.far (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, n INT)${cache}`,
  );
  await administrator.query(`ALTER TABLE world.far AUTO_INCREMENT = ${2n ** 63n}`);
  await grantInsert(administrator, "world.far");
  const through = await startThroughHyperdrive();
  try {
    const { body } = await through.gateway.sql({ sql: "INSERT INTO far (n) VALUES (1)" }, { role: "editor" });
    expect(body.last_insert_id).toBe("9223372036854775808");
  } finally {
    await through.close();
    await administrator.query("DROP TABLE world.far");
  }
});

test.runIf(engine === "tidb")("TiDB's AUTO_RANDOM, which has its bits at the top", async () => {
  await administrator.query(
    "CREATE TABLE ledger.scattered (id BIGINT UNSIGNED AUTO_RANDOM(15) PRIMARY KEY CLUSTERED, n INT)",
  );
  const seen: bigint[] = [];
  for (let time = 0; time < 20; time++) {
    const { body } = await caller.batch([
      { sql: "INSERT INTO scattered (n) VALUES (?)", params: [time] },
      { sql: "SELECT id, n FROM scattered WHERE id = ?", params: [{ $ref: "0.last_insert_id" }] },
    ]);
    const id = body.results[0].last_insert_id;
    expect(body.results[1].rows).toEqual([{ id, n: time }]);
    seen.push(BigInt(id));
  }
  // About half of 20; one is enough.
  expect(seen.some((id) => id >= 2n ** 63n)).toBe(true);
});
