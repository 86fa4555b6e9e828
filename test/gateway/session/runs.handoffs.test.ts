import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { has } from "../support/features.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer } from "../support/harness.ts";
import { handoffs, run, timeoutMs } from "./handoffs.ts";
import type { Callers } from "./isolation.ts";
import { dropIsolation, prepareIsolation, soiling, startCallers } from "./isolation.ts";

/**
 * Many callers at once, of which half send plain SELECTs, which need no restore. The others send statements that
 * look like them: through views and functions that leave something, and say what they found.
 */

const items = 7;
const setUp = [
  "CREATE TABLE items (id INT PRIMARY KEY, name VARCHAR(40))",
  `INSERT INTO items VALUES ${Array.from({ length: items }, (_, id) => `(${id}, 'item ${id}')`).join()}`,
];
const programs = [
  "CREATE FUNCTION leave_mark(mark INT) RETURNS VARCHAR(99) NOT DETERMINISTIC READS SQL DATA BEGIN DECLARE found VARCHAR(99); SET found = CONCAT_WS('/', @mark, IS_FREE_LOCK('marked'), LAST_INSERT_ID(), @@time_zone); SET @mark = mark, SESSION time_zone = '+05:00'; DO GET_LOCK('marked', 0), LAST_INSERT_ID(mark + 1); RETURN found; END",
  "CREATE VIEW marked AS SELECT id, leave_mark(id) AS found FROM items",
  "CREATE VIEW marked_again AS SELECT id, found FROM marked",
];
const clean = "1/0/+00:00";

let administrator: Connection;
let callers: Callers;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareIsolation(administrator, []);
  for (const sql of has.storedPrograms ? [...setUp, ...programs] : setUp) await administrator.query(sql);
  callers = await startCallers();
});
afterAll(async () => {
  await callers?.gateway.close();
  if (administrator) await dropIsolation(administrator);
  await administrator?.end();
});

interface Kind {
  sql: string;
  params(at: number): unknown[];
  /** @returns whether the row is the only one that a caller may get */
  isRight(row: Record<string, unknown>, at: number): boolean;
}

const idOf = (at: number) => [{ type: "INTEGER", value: String(at % items) }];
const plain: Kind[] = [
  {
    sql: "SELECT name FROM items WHERE id = ?",
    params: idOf,
    isRight: (row, at) => row.name === `item ${at % items}`,
  },
  {
    sql: "SELECT a.name, COUNT(*) AS n FROM items a JOIN items b ON b.id <= a.id WHERE a.id = ? GROUP BY a.name",
    params: idOf,
    isRight: (row, at) => row.name === `item ${at % items}` && Number(row.n) === 1 + (at % items),
  },
];
const soil: Kind = {
  sql: soiling.query,
  params: (at) => [at, at, at, 2 + (at % 6)],
  isRight: (row, at) =>
    row.mark === null &&
    row.found === "1" &&
    row.id === "0" &&
    Number(row.echo) === at &&
    row.zone === "+00:00",
};
const looksPlain: Kind[] = has.storedPrograms
  ? [
      "SELECT found FROM marked WHERE id = ?",
      "SELECT x.found FROM marked_again x WHERE x.id = ?",
      "SELECT leave_mark(id) AS found FROM items WHERE id = ?",
    ].map((sql) => ({ sql, params: idOf, isRight: (row) => row.found === clean }))
  : [];
const others = [soil, ...looksPlain];

/** Half of the requests are plain, two of them after each other. */
function kindOf(at: number): Kind {
  const pair = Math.floor(at / 2);
  const kind = pair % 2 === 0 ? plain[at % 2] : others[(pair + at) % others.length];
  if (!kind) throw new Error("no such kind");
  return kind;
}

/** Asks again if no connection was free in time; then nothing was executed. */
async function patiently(subject: string, at: number): Promise<Answer> {
  const { sql, params } = kindOf(at);
  const answer = await callers.ask(subject, sql, params(at));
  return answer.body?.code === "pool_timeout" ? await patiently(subject, at) : answer;
}

const restores = () => callers.metric("tidegate_pool_restores_total", 'result="ok"');

test("positive control: without a restore the functions of the views find what was left", async (context) => {
  if (!has.storedPrograms) return context.skip();
  const found = async () => {
    const [rows] = await administrator.query("SELECT found FROM handoff.marked WHERE id = 3");
    return (rows as { found: string }[])[0]?.found;
  };
  const first = await found();
  expect([await found(), await found()]).not.toContain(first);
  await administrator.query("SELECT RELEASE_ALL_LOCKS()");
});

test("handoffs, half of them plain, each found clean", { timeout: timeoutMs(handoffs) }, async () => {
  const before = await restores();
  const wrong = await run(handoffs, async (at, caller) => {
    const { status, body } = await patiently(`caller ${caller}`, at);
    const row = body?.rows?.[0];
    if (status !== 200 || row === undefined) return `${status} ${JSON.stringify(body)}`;
    return kindOf(at).isRight(row, at) ? undefined : `${kindOf(at).sql}: ${JSON.stringify(row)}`;
  });
  expect(wrong).toEqual([]);
  // A restore comes after each other statement, and less often after the plain ones.
  const done = (await restores()) - before;
  console.log(`  ${done} restores`);
  expect(done).toBeGreaterThanOrEqual(handoffs / 2);
  expect(done).toBeLessThan(handoffs);
});
