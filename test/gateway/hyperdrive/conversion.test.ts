import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engine } from "../support/harness.ts";
import type { Lines } from "../support/lines.ts";
import { inLines } from "../support/lines.ts";
import type { ThroughHyperdrive } from "../support/through-hyperdrive.ts";
import { asAdministrator, grant, startThroughHyperdrive } from "../support/through-hyperdrive.ts";

/**
 * Through Hyperdrive values are written into the text. The server derives no types for them, so its
 * warnings decide.
 */

let world: ThroughHyperdrive;
beforeAll(async () => {
  world = await startThroughHyperdrive({ grants: [grant("analyst"), grant("editor")] });
});
afterAll(() => world?.close());

const author = "SELECT id FROM notes WHERE author = ?";
const declared = { type: "INTEGER", value: 0 };

async function reset(): Promise<void> {
  await asAdministrator(async (administrator) => {
    await administrator.query("DELETE FROM world.notes WHERE city_id = 77");
    const rows = ["abc", "tower", "0", "5x"].map((name) => `(77, '${name}', 'b')`);
    await administrator.query(`INSERT INTO world.notes (city_id, author, body) VALUES ${rows.join()}`);
  });
}

async function count(): Promise<number> {
  return await asAdministrator(async (administrator) => {
    const [rows] = await administrator.query("SELECT id FROM world.notes WHERE city_id = 77 AND body = 'b'");
    return (rows as unknown[]).length;
  });
}

const run = (sql: string, params: unknown[]) => inLines(world.gateway, { sql, params }, { role: "editor" });

function expectReason({ status, body }: Lines, ...reasons: string[]): void {
  expect([status, body.code]).toEqual([400, "parameter_invalid"]);
  expect(reasons).toContain(body.reason);
}

describe("a number beside text", () => {
  beforeAll(reset);
  test.each([
    `${author} AND city_id = 77`,
    `${author} FOR UPDATE`,
    "SELECT id FROM notes WHERE author IN (?, 'x')",
    "SELECT id FROM notes WHERE author > ?",
    "SELECT id FROM notes WHERE CONCAT(author, '') = ?",
    "SELECT id FROM notes WHERE author = (SELECT ?)",
  ])("%s", async (sql) => {
    for (const value of [0, false])
      expectReason(await run(sql, [value]), "compared_with_text", "type_undeclared");
  });

  test("that MySQL compares without a warning is refused by what it stands beside", async () => {
    const sql = "SELECT id FROM notes WHERE COALESCE(author, '') = ?";
    for (const other of [
      sql,
      "SELECT id FROM notes WHERE ? IN (id, COALESCE(author, ''))",
      "SELECT id FROM notes WHERE CASE COALESCE(author, '') WHEN ? THEN TRUE END",
      "SELECT id FROM notes WHERE NULLIF(COALESCE(author, ''), ?) IS NULL",
      "SELECT id FROM notes WHERE COALESCE(author, '') = (SELECT ?)",
    ])
      expectReason(await run(other, [0]), engine === "mysql" ? "type_undeclared" : "compared_with_text");
    expect((await run(sql, [declared])).status).toBe(200);
    expect((await run(sql, ["0"])).body.rows).toHaveLength(1);
    expect((await run("SELECT COUNT(*) AS n FROM notes HAVING COUNT(*) > ?", [0])).status).toBe(200);
  });

  test.each([
    "UPDATE notes SET body = 'x' WHERE city_id = 77 AND author = ?",
    "UPDATE IGNORE notes SET body = 'x' WHERE city_id = 77 AND author = ?",
    "DELETE FROM notes WHERE city_id = 77 AND author = ?",
    "DELETE IGNORE FROM notes WHERE city_id = 77 AND author = ?",
    "INSERT IGNORE INTO notes (city_id, author, body) SELECT 77, author, 'b' FROM notes WHERE city_id = 77 AND author = ?",
  ])("%s", async (sql) => {
    await reset();
    for (const value of [0, false]) expect((await run(sql, [value])).status).toBe(400);
    expect(await count()).toBe(4);
    expect((await run(sql, ["5x"])).body.rows_affected).toBe(1);
  });
});

test.each(["id", "city_id"])("a text beside a number: %s", async (column) => {
  await reset();
  for (const value of ["77-4f3a", "77x", "x"]) {
    expectReason(await run(`SELECT id FROM notes WHERE ${column} = ?`, [value]), "compared_with_number");
    for (const sql of [
      `DELETE FROM notes WHERE ${column} = ?`,
      `UPDATE notes SET body = 'x' WHERE ${column} = ?`,
    ])
      expect((await run(sql, [value])).status, `${sql} ${value}`).toBe(400);
  }
  expect(await count()).toBe(4);
  expect((await run("SELECT id FROM notes WHERE city_id = ?", ["77"])).body.rows).toHaveLength(4);
});
