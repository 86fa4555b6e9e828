import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { limits } from "../../../src/limits.ts";
import { has } from "../support/features.ts";
import { databaseServer, engine } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, prepareLedger, startLedger } from "../support/ledger.ts";
import type { Lines } from "../support/lines.ts";
import { inLines } from "../support/lines.ts";
import { expectRefused, notesOf, resetNotes } from "./implicit-conversion.ts";

/**
 * A value without a declared type never matches a value that it does not equal. MySQL names the types of
 * placeholders: a number beside a text is bound as its digits. The other servers only warn, so a statement
 * with a conversion is refused.
 */

let administrator: Connection;
let ledger: Ledger;
let caller: LedgerCaller;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  ledger = await startLedger({ connections_per_shard: 2 });
  caller = ledger.as();
});
beforeEach(() => resetNotes(administrator));
afterAll(async () => {
  await ledger?.gateway.close();
  await dropLedger(administrator);
  await administrator?.end();
});

const derives = engine === "mysql";
/** TiDB accepts FOR SHARE only with a setting that ignores it. */
const share = { mysql: "FOR SHARE", mariadb: "LOCK IN SHARE MODE", tidb: "FOR UPDATE" }[engine];
const integer = { type: "INTEGER", value: 0 };

/** Like `caller.sql`, for a read that may be refused after its first rows. */
const read = (sql: string, params: unknown, path?: string) =>
  inLines(ledger.gateway, { sql, params }, { role: "writer", ...(path && { path }) });

/** Expects the equal rows where the server derives types, otherwise the refusal. */
function expectExactly(answer: Lines, rows: unknown[], reason = "compared_with_text"): void {
  if (derives) expect(answer).toMatchObject({ status: 200, body: { rows } });
  else expectRefused(answer, reason);
}

/** A read, cold at first, then hot; alone, in a batch and in a transaction. */
async function everyWay(sql: string, params: unknown[], expectRight: (answer: Lines) => void): Promise<void> {
  for (let time = 0; time < 3; time++) expectRight(await read(sql, params));
  const batch = await caller.batch([{ sql: "SELECT 1 AS one" }, { sql, params }]);
  if (batch.status === 200) expectRight({ status: 200, body: batch.body.results[1] });
  else {
    expectRight(batch);
    expect(batch.body.statement).toBe(1);
  }
  const id = await caller.opened();
  const inside = await read(sql, params, `/v1/transactions/${id}/sql`);
  expectRight(inside);
  if (inside.status !== 200) expect(inside.body.transaction).toBe("open");
  expect((await caller.commit(id)).status).toBe(200);
}

describe("a number beside text, in a read", () => {
  const zero = [{ note: "0" }];
  test.each([
    ["SELECT note FROM entries WHERE note = ?", [0], zero],
    ["SELECT note FROM entries WHERE note = ?", [false], zero],
    ["SELECT note FROM entries WHERE note = ?", [5], []],
    ["SELECT note FROM entries WHERE note = ? FOR UPDATE", [0], zero],
    [`SELECT note FROM entries WHERE note = ? ${share}`, [0], zero],
    ["SELECT note FROM entries WHERE COALESCE(note, '') = ?", [0], zero],
    ["SELECT note FROM entries WHERE IFNULL(note, '') = ?", [0], zero],
    ["SELECT note FROM entries WHERE CONCAT(note, '') <=> ?", [0], zero],
    ["SELECT note FROM entries WHERE note IN (?, ?)", ["a", 0], zero],
    [
      "SELECT note FROM entries WHERE note <> ? ORDER BY id",
      [0],
      [{ note: "abc" }, { note: "5x" }, { note: "tower" }],
    ],
    ["SELECT note FROM entries WHERE note = (?)", [0], zero],
    ["SELECT e.note FROM entries e JOIN entries f ON e.id = f.id AND f.note = ?", [0], zero],
    ["SELECT note FROM entries GROUP BY note HAVING note = ?", [0], zero],
    ["SELECT note FROM (SELECT COALESCE(note, '') AS note FROM entries) e WHERE note = ?", [0], zero],
  ] as [string, unknown[], unknown[]][])("%s with %j", async (sql, params, rows) => {
    await everyWay(sql, params, (answer) => expectExactly(answer, rows));
  });

  test.each([
    ["SELECT note FROM entries WHERE note > ?", "compared_with_text"],
    ["SELECT note FROM entries WHERE note BETWEEN ? AND 'x'", "compared_with_text"],
    ["SELECT note FROM entries WHERE note = (SELECT ?)", "type_undeclared"],
    ["WITH one AS (SELECT ? AS n) SELECT note FROM entries, one WHERE note = n", "type_undeclared"],
    ["SELECT note FROM entries WHERE note IN (SELECT ? UNION SELECT 'x')", "type_undeclared"],
    ["SELECT note FROM entries WHERE note = CASE WHEN account > 0 THEN ? END", "type_undeclared"],
    ["SELECT note FROM entries WHERE note = IF(account > 0, ?, NULL)", "type_undeclared"],
    ["SELECT note, ? AS k FROM entries HAVING COALESCE(note, '') = k", "type_undeclared"],
  ])("is refused in %s", async (sql, reason) => {
    // MariaDB converts all members of a UNION to text, so no number is converted.
    if (engine !== "mysql" && sql.includes("UNION")) return;
    await everyWay(sql, [0], (answer) => expectRefused(answer, derives ? reason : "compared_with_text"));
  });

  test("is meant to be one where its type is said: SQL decides, and says so", async () => {
    const answer = await caller.sql("SELECT note FROM entries WHERE note = ? ORDER BY id", [integer]);
    expect(answer.body.rows).toEqual([{ note: "abc" }, { note: "0" }, { note: "tower" }]);
    expect(answer.body.warnings).toContainEqual(expect.objectContaining({ code: 1292 }));
  });

  test("is judged also when its text was evicted by itself, executed with another type", async () => {
    const sql = "DELETE FROM entries WHERE COALESCE(note, '') = ? AND account <> ?";
    const id = await caller.opened();
    await caller.in(id, sql, ["none", null]);
    for (let other = 1; other < limits.preparedStatementsPerConnection; other++)
      await caller.in(id, `SELECT ${other}`);
    const answer = await caller.in(id, sql, [0, 5]);
    await caller.rollback(id);
    if (derives) expect(answer.body.rows_affected).toBe(1);
    // TiDB itself refuses it.
    else
      expect([answer.status, answer.body.reason ?? answer.body.errno]).toEqual([
        400,
        engine === "tidb" ? 1292 : "compared_with_text",
      ]);
  });

  test("by $ref: a row that a batch has read is a value of the caller's too", async () => {
    const count = { sql: "SELECT 0 AS n, COUNT(*) AS m FROM entries WHERE note = 'none'" };
    for (const $ref of ["0.rows.0.n", "0.rows.0.m"]) {
      const batch = await caller.batch([
        count,
        { sql: "SELECT note FROM entries WHERE note = ?", params: [{ $ref }] },
      ]);
      if (derives) expect(batch.body.results[1].rows).toEqual(zero);
      else expectRefused(batch, "compared_with_text");
    }
    const removal = { sql: "DELETE FROM entries WHERE note = ?", params: [{ $ref: "0.rows.0.n" }] };
    const before = await notesOf(administrator);
    const batch = await caller.batch([count, removal]);
    if (derives) expect(batch.body.results[1].rows_affected).toBe(1);
    else {
      expect(batch.status).toBe(400);
      expect(await notesOf(administrator)).toEqual(before);
    }
  });

  test.skipIf(!has.storedPrograms)("for an argument of CALL that is a text is its digits", async () => {
    expect(await caller.sql("CALL add_entry(?)", [7])).toMatchObject({ status: 200 });
    expect((await notesOf(administrator)).at(-1)?.note).toBe("7");
  });

  test("beyond 2^53 is not rounded", async () => {
    await administrator.query(
      "INSERT INTO ledger.entries (account, note) VALUES (2, '9007199254740992'), (2, '9007199254740993')",
    );
    const sql = "SELECT note FROM entries WHERE note = ? AND account = 2";
    const answer = await ledger.gateway.sql(`{"sql": "${sql}", "params": [9007199254740993]}`, {
      role: "writer",
    });
    // TiDB and MariaDB see only digits, and give no warning.
    if (derives) expect(answer.body.rows).toEqual([{ note: "9007199254740993" }]);
    expect((await caller.sql(sql, ["9007199254740993"])).body.rows).toEqual([{ note: "9007199254740993" }]);
  });
});

describe("a number beside text, in a change", () => {
  test("is nothing in INSERT IGNORE of values, however many warnings say what was left out", async () => {
    const rows = Array.from({ length: 100 }, () => "(?, ?)").join();
    const values = Array.from({ length: 100 }, () => ["1", 5]).flat();
    const answer = await caller.sql(`INSERT IGNORE INTO balances VALUES ${rows}, (3, 5)`, values);
    expect(answer).toMatchObject({ status: 200, body: { rows_affected: 1 } });
  });

  const changed = "UPDATE entries SET account = 7 WHERE note = ?";
  test.each([
    [changed],
    ["UPDATE IGNORE entries SET account = 7 WHERE note = ?"],
    ["DELETE FROM entries WHERE note = ?"],
    ["DELETE IGNORE FROM entries WHERE note = ?"],
    ["DELETE FROM entries WHERE COALESCE(note, '') = ?"],
    ["INSERT INTO balances SELECT id + 10, 1 FROM entries WHERE note = ?"],
    ["INSERT IGNORE INTO balances SELECT id + 10, 1 FROM entries WHERE note = ?"],
    ["REPLACE INTO balances SELECT id + 10, 1 FROM entries WHERE note = ?"],
  ])("%s", async (sql) => {
    const before = await notesOf(administrator);
    const expectRight = (answer: { status: number; body: { rows_affected?: number } }): void => {
      if (derives) expect(answer).toMatchObject({ status: 200, body: { rows_affected: 1 } });
      // The server itself refuses some changes.
      else expect(answer.status).toBe(400);
    };
    for (let time = 0; time < 3; time++) {
      expectRight(await caller.sql(sql, [0]));
      if (derives) await resetNotes(administrator);
    }
    const batch = await caller.batch([{ sql: "SELECT 1" }, { sql, params: [0] }]);
    expectRight(derives ? { status: batch.status, body: batch.body.results[1] } : batch);
    if (derives) await resetNotes(administrator);
    const id = await caller.opened();
    const inside = await caller.in(id, sql, [0]);
    expectRight(inside);
    if (!derives) expect(inside.body.transaction).toBe("open");
    expect((await caller.commit(id)).status).toBe(200);
    if (!derives) expect(await notesOf(administrator)).toEqual(before);
  });

  test.runIf(derives)("is its digits as they were sent", async () => {
    const send = (sql: string, params: string) =>
      ledger.gateway.sql(`{"sql": "${sql}", "params": ${params}}`, { role: "writer" });
    await send("INSERT INTO entries (account, note) VALUES (8, ?)", "[1.50]");
    const found = async (params: string, condition = "note = ?") =>
      (await send(`SELECT note FROM entries WHERE account = 8 AND ${condition}`, params)).body.rows;
    expect(await found("[1.50]")).toEqual([{ note: "1.50" }]);
    expect(await found("[1.5]")).toEqual([]);
    const listed = `[{"type": "ARRAY", "value": [1e3, 1.50, 2.0]}]`;
    expect(await found(listed, "note IN (?)")).toEqual([{ note: "1.50" }]);
    expect((await send("SELECT note FROM entries WHERE note = :n", `{"n": 1.50}`)).body.rows).toHaveLength(1);
  });

  test("that is stored is its text", async () => {
    const insert = "INSERT INTO entries (account, note) VALUES (9, ?)";
    for (const value of [7, 1.5, true]) await caller.sql(insert, [value]);
    await caller.sql("UPDATE entries SET note = ? WHERE account = 9 AND note = '1.5'", [2.5]);
    const { body } = await caller.sql("SELECT note FROM entries WHERE account = ? ORDER BY id", [9]);
    expect(body.rows).toEqual([{ note: "7" }, { note: "2.5" }, { note: "1" }]);
  });
});

describe("a text beside a number or a date", () => {
  const keys = [
    ["a column", "amount"],
    ["a primary key", "id"],
    ["an index", "k"],
    ["a unique BIGINT", "u"],
    ["a DECIMAL", "d"],
    ["a DOUBLE", "f"],
  ];
  beforeAll(async () => {
    await administrator.query(
      "CREATE TABLE ledger.numbers (id INT PRIMARY KEY, amount INT, k INT, u BIGINT UNIQUE, d DECIMAL(20,2), f DOUBLE, day DATE, at DATETIME, KEY (k), KEY (day))",
    );
  });
  beforeEach(async () => {
    await administrator.query("DELETE FROM ledger.numbers");
    await administrator.query(
      "INSERT INTO ledger.numbers VALUES (0, 0, 0, 0, 0, 0, '2026-01-01', '2026-01-01 10:00:00'), (6, 6, 6, 6, 6, 6, '2026-02-01', '2026-02-01 10:00:00')",
    );
  });
  const count = async () => {
    const [rows] = await administrator.query<RowDataPacket[]>("SELECT COUNT(*) AS n FROM ledger.numbers");
    return rows[0]?.n;
  };

  test.each(keys)("%s: a text that is no number is refused", async (_, column) => {
    const expectNoNumber = ({ status, body }: Lines) =>
      expect([status, body.reason]).toEqual([400, "compared_with_number"]);
    await everyWay(`SELECT id FROM numbers WHERE ${column} = ?`, ["6-4f3a"], expectNoNumber);
    for (const value of ["6-4f3a", "6x", "abc", ""]) {
      // TiDB silently reads an empty text as the DOUBLE 0.
      if (engine === "tidb" && column === "f" && value === "") continue;
      for (const condition of ["= ?", "<=> ?", "IN (?)", "IN (?, 'zz')"])
        expectNoNumber(await read(`SELECT id FROM numbers WHERE ${column} ${condition}`, [value]));
      for (const change of ["DELETE FROM numbers", "UPDATE numbers SET amount = amount + 1"])
        for (const condition of ["= ?", "IN (?, 'zz')", "<> ?"]) {
          const sql = `${change} WHERE ${column} ${condition}`;
          expect((await caller.sql(sql, [value])).status, `${sql} ${value}`).toBe(400);
        }
    }
    const batch = await caller.batch([{ sql: `DELETE FROM numbers WHERE ${column} = ?`, params: ["6x"] }]);
    expect(batch.status).toBe(400);
    expect((await caller.sql("SELECT SUM(amount) AS n FROM numbers")).body.rows).toEqual([{ n: "6" }]);
    expect(await count()).toBe(2);
  });

  test.each(keys)("%s: a whole numeral is one", async (_, column) => {
    await everyWay(`SELECT id FROM numbers WHERE ${column} = ?`, ["6"], ({ status, body }) => {
      expect([status, body.rows]).toEqual([200, [{ id: 6 }]]);
    });
    expect((await caller.sql(`SELECT id FROM numbers WHERE ${column} = ?`, ["6.5"])).body.rows).toEqual([]);
    expect((await caller.sql(`DELETE FROM numbers WHERE ${column} = ?`, ["6"])).body.rows_affected).toBe(1);
    expect(await count()).toBe(1);
  });

  test("a fraction finds no integer", async () => {
    for (const column of ["amount", "id", "k", "u"])
      await everyWay(`SELECT id FROM numbers WHERE ${column} = ?`, [6.5], ({ body }) =>
        expect(body.rows).toEqual([]),
      );
  });

  test.each(["day", "at"])("a text that is no date, in %s", async (column) => {
    for (const operator of ["=", "<>", ">"]) {
      const { status } = await read(`SELECT id FROM numbers WHERE ${column} ${operator} ?`, ["x"]);
      expect(status, operator).toBe(400);
    }
    expect((await caller.sql("DELETE FROM numbers WHERE day <> ?", ["x"])).status).toBe(400);
    expect(await count()).toBe(2);
    const right = await caller.sql(`SELECT id FROM numbers WHERE ${column} > ?`, ["2026-01-15"]);
    expect(right.body.rows).toEqual([{ id: 6 }]);
  });

  test.each([5, 0, true])("a number beside a date: %j", async (value) => {
    for (const column of ["day", "at"]) {
      const answer = await read(`SELECT id FROM numbers WHERE ${column} > ?`, [value]);
      if (derives) expectRefused(answer, "compared_with_date");
      // 0 is the zero date, and TiDB silently compares both as numbers.
      else if (engine === "mariadb" && value !== 0) expectRefused(answer, "compared_with_text");
    }
  });

  test.runIf(engine === "mysql")(
    "an integer never reaches a function of dates: MySQL 9.7.4 ends of it",
    async () => {
      for (const sql of [
        "SELECT DAYNAME(?) AS d",
        "SELECT TO_DAYS(?) AS d",
        "SELECT DATEDIFF(?, '2026-01-01') AS d",
      ])
        for (const value of [0, integer, { type: "DECIMAL", value: "0" }, false])
          expectRefused(await read(sql, [value]), "compared_with_date");
    },
  );
});

describe("warnings", () => {
  const many =
    "SELECT CAST(e.note AS SIGNED) AS n FROM entries e, entries f, entries g, entries h WHERE e.note = ?";
  test("of which not all can be read refuse, unless every type is said", async () => {
    for (const value of derives ? [] : ["tower", 0]) {
      const { body } = await read(many, [value]);
      expect(["warnings_unread", "compared_with_text", "compared_with_number"]).toContain(body.reason);
    }
    expect((await read(many, [{ type: "VARCHAR", value: "tower" }])).status).toBe(200);
  });

  test.runIf(engine !== "tidb")("refuse where the server's own max_error_count is 0", async () => {
    const [[before]] = await administrator.query<RowDataPacket[]>("SELECT @@GLOBAL.max_error_count AS n");
    await administrator.query("SET GLOBAL max_error_count = 0");
    const other = await startLedger();
    try {
      const sql = "SELECT note FROM entries WHERE note + 0 = ? + 0";
      for (let time = 0; time < 2; time++)
        expectRefused(
          await inLines(other.gateway, { sql, params: [0] }, { role: "writer" }),
          // MySQL does not allow an ordinary login to ask for them, so they stay unread.
          engine === "mysql" ? "warnings_unread" : "compared_with_text",
        );
    } finally {
      await administrator.query(`SET GLOBAL max_error_count = ${before?.n}`);
      await other.gateway.close();
    }
  });

  test("of a text that was read are no matter of a text that was sent", async () => {
    const sql = "SELECT CAST(note AS SIGNED) AS n FROM entries WHERE account = 1 AND note <> ?";
    const { status, body } = await read(sql, ["zz"]);
    expect(status).toBe(200);
    expect(body.warnings).toContainEqual(expect.objectContaining({ code: 1292 }));
  });
});

test("numbers among numbers are as they were: LIMIT, comparisons, arithmetic", async () => {
  const sql = "SELECT id, amount + ? AS more FROM balances WHERE id >= ? AND amount > ? ORDER BY id LIMIT ?";
  const answer = await caller.sql(sql, [1, 1, 0.5, 1]);
  expect(answer.body.rows).toMatchObject([{ id: 1 }]);
  expect(String(answer.body.rows[0].more)).toBe("101");
  expect(answer.body.warnings).toEqual([]);
});

test("a read that has begun to answer ends with the error", async () => {
  const sql =
    "SELECT e.note + 0 AS n, ? + 0 AS m, REPEAT('x', 30000) AS pad FROM entries e, entries f WHERE f.note IS NOT NULL ORDER BY NULL";
  const headers = {
    authorization: `Bearer ${await ledger.gateway.token({ role: "reader" })}`,
    "content-type": "application/json",
    accept: "application/x-ndjson",
  };
  const init = { method: "POST", headers, body: JSON.stringify({ sql, params: [0] }) };
  const answer = await ledger.gateway.fetch("/v1/sql", init);
  const lines = (await answer.text()).trimEnd().split("\n");
  expect([answer.status, lines.length]).toEqual([200, 1 + 20 + 1]);
  expect(JSON.parse(lines.at(-1) ?? "").error).toMatchObject({
    status: 400,
    code: "parameter_invalid",
    reason: "compared_with_text",
  });
});

test.runIf(has.createTableAsSelect)(
  "CREATE TABLE .. SELECT cannot be taken back: its values say their types",
  async () => {
    const sql = "CREATE TABLE made AS SELECT * FROM entries WHERE note = ?";
    const { status, body } = await caller.sql(sql, [0]);
    if (derives) expect([status, await made()]).toEqual([200, ["0"]]);
    else expect([status, body.reason]).toEqual([400, "type_undeclared"]);
    await administrator.query("DROP TABLE IF EXISTS ledger.made");
    expect((await caller.sql(sql, [{ type: "VARCHAR", value: "0" }])).status).toBe(200);
    expect(await made()).toEqual(["0"]);
    await administrator.query("DROP TABLE ledger.made");

    async function made() {
      const [rows] = await administrator.query<RowDataPacket[]>("SELECT note FROM ledger.made");
      return rows.map(({ note }) => note);
    }
  },
);

test.runIf(engine === "mysql")("placeholders that MySQL announces and does not define", async () => {
  const sql = "SELECT COUNT(*) AS n FROM (SELECT id FROM entries WHERE account = ? LIMIT 3) e";
  const sorted = "SELECT GROUP_CONCAT(note ORDER BY FIELD(note, ?)) AS n FROM entries";
  expect((await read(sql, [1])).body.rows).toEqual([{ n: "3" }]);
  expect((await read(sorted, ["tower"])).status).toBe(200);
});

test("the same text with values of several types, in one batch", async () => {
  const sql = "SELECT id FROM balances WHERE id = ? OR amount = ?";
  const values: [unknown, unknown][] = [
    ["1", 7],
    ["1.5", "7.5"],
    [2, "7"],
    [{ type: "DECIMAL", value: "1.0" }, null],
  ];
  const batch = () => caller.batch(values.map((params) => ({ sql, params })));
  for (let time = 0; time < 3; time++) {
    const { status, body } = await batch();
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.results.map(({ rows }: { rows: { id: number }[] }) => rows.map(({ id }) => id))).toEqual([
      [1],
      [],
      [2],
      [1],
    ]);
  }
  const wrong = await caller.batch([...values, ["1x", 7]].map((params) => ({ sql, params })));
  expectRefused(wrong, "compared_with_number");
  expect(wrong.body.statement).toBe(values.length);
});

test("more kinds of values for one text than a connection can have prepared", async () => {
  const columns = Array.from({ length: 7 }, (_, i) => `id + ${i} = ?`).join(" OR ");
  const sql = `SELECT COUNT(*) AS n FROM balances WHERE ${columns}`;
  // The bits of each 7-bit number decide which of its values are integers, and which are fractions.
  const statements = Array.from({ length: 100 }, (_, n) => ({
    sql,
    params: Array.from({ length: 7 }, (_, bit) => ((n >> bit) & 1 ? "-1.5" : "-1")),
  }));
  const { status, body } = await caller.batch(statements);
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body.results).toHaveLength(100);
});

test("a number that may be null", async () => {
  const sql = "SELECT id FROM balances WHERE (:id IS NULL OR id = :id) AND id < 3 ORDER BY id";
  for (const [id, ids] of [
    [2, [2]],
    ["2", [2]],
    [null, [1, 2]],
  ] as const) {
    const { body } = await caller.sql(sql, { id });
    expect(body.rows).toEqual(ids.map((one) => ({ id: one })));
  }
});
