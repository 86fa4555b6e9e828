import fc from "fast-check";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer, engine, issuers, read } from "../support/harness.ts";
import type { Ledger, LedgerCaller } from "../support/ledger.ts";
import { dropLedger, ledgerGrants, prepareLedger, startLedger } from "../support/ledger.ts";
import type { Lines } from "../support/lines.ts";
import { inLines } from "../support/lines.ts";
import type { ThroughHyperdrive } from "../support/through-hyperdrive.ts";
import { startThroughHyperdrive } from "../support/through-hyperdrive.ts";
import type { Meeting, Operator } from "./meeting-columns.ts";
import {
  columns,
  conditionOf,
  makeMeetings,
  meetings,
  operators,
  rowCount,
  sent,
  tables,
} from "./meeting-columns.ts";
import { exactRows, isPlain } from "./meeting-oracle.ts";
import { isUntold } from "./meeting-untold.ts";

/**
 * A value of any type beside a column of any type: the gateway answers as an exact comparison would, or
 * refuses. The exceptions are comparisons that no server reports (meeting-untold.ts). TIDEGATE_FUZZ_RUNS
 * sets how many are tried, TIDEGATE_FUZZ_SEED chooses others.
 */
const numRuns = Number(process.env.TIDEGATE_FUZZ_RUNS ?? 80);
const seed = Number(process.env.TIDEGATE_FUZZ_SEED ?? 14);

/** One query for each column and operator; its value is a claim. */
const queries = tables.flatMap((table) =>
  columns.flatMap((column) =>
    Object.keys(operators).map((operator) => ({
      name: `${queryName({ table, column, operator: operator as Operator })}.sql`,
      text: `-- Rows that a claim means.\nSELECT id FROM ${table} WHERE ${conditionOf({ column, operator: operator as Operator }, ":jwt.met")}`,
    })),
  ),
);

function queryName({ table, column, operator }: Pick<Meeting, "table" | "column" | "operator">): string {
  return `${table}-${column.name}-${operator}`;
}

let administrator: Connection;
let ledger: Ledger;
let caller: LedgerCaller;
let hyperdrive: ThroughHyperdrive;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  for (const database of ["ledger", "world"]) await makeMeetings(administrator, database);
  const saved = { issuer: issuers.remote, claims: { role: "saved" }, account: "ledger", allow: ["query:*"] };
  ledger = await startLedger({ connections_per_shard: 2 }, { queries, grants: [...ledgerGrants, saved] });
  caller = ledger.as();
  hyperdrive = await startThroughHyperdrive();
});
afterAll(async () => {
  await ledger?.gateway.close();
  await hyperdrive?.close();
  for (const table of tables) await administrator?.query(`DROP TABLE IF EXISTS world.${table}`);
  await dropLedger(administrator);
  await administrator?.end();
});

/** The ids of the selected rows, or the refusal. */
type Outcome = { ids: string } | Pick<Lines, "status" | "body">;
type Rows = { id: number }[];

function outcomeOf({ status, body }: Lines | Answer, rows = (): Rows => body.rows): Outcome {
  return status === 200 ? { ids: idsOf(rows()) } : { status, body };
}

const idsOf = (rows: Rows) =>
  rows
    .map(({ id }) => id)
    .sort((a, b) => a - b)
    .join();

function without(left: Rows): Rows {
  const kept = new Set(left.map(({ id }) => id));
  return Array.from({ length: rowCount }, (_, row) => ({ id: row + 1 })).filter(({ id }) => !kept.has(id));
}

function statementOf(meeting: Meeting, before: string, behind = "") {
  const condition = conditionOf(meeting);
  const params = Array.from(condition.matchAll(/\?/g), () => sent(meeting.value));
  return { sql: `${before} ${meeting.table} WHERE ${condition}${behind}`, params };
}

const select = (meeting: Meeting, behind = "") => statementOf(meeting, "SELECT id FROM", behind);

/** Deletes rows in a dry run. @returns which rows were deleted */
async function taken(meeting: Meeting, verb: string): Promise<Outcome> {
  const statements = [statementOf(meeting, `${verb} FROM`), { sql: `SELECT id FROM ${meeting.table}` }];
  const answer = await caller.batch(statements, { dry_run: true });
  return outcomeOf(answer, () => without(answer.body.results[1].rows));
}

async function marked(meeting: Meeting, verb: string): Promise<Outcome> {
  const change = statementOf(meeting, verb);
  const sql = change.sql.replace(" WHERE", " SET mark = 1 WHERE");
  const statements = [{ ...change, sql }, { sql: `SELECT id FROM ${meeting.table} WHERE mark = 1` }];
  const answer = await caller.batch(statements, { dry_run: true });
  return outcomeOf(answer, () => answer.body.results[1].rows);
}

async function inTransaction(meeting: Meeting): Promise<Outcome> {
  const id = await caller.opened();
  const { sql, params } = select(meeting, " FOR UPDATE");
  const answer = await inLines(
    ledger.gateway,
    { sql, params },
    { role: "writer", path: `/v1/transactions/${id}/sql` },
  );
  await caller.rollback(id);
  return outcomeOf(answer);
}

async function asClaim(meeting: Meeting): Promise<Outcome | undefined> {
  const { kind, text } = meeting.value;
  const met = kind === "text" ? text : JSON.parse(text);
  // JSON.parse reads a token's claims, and it rounds.
  if (typeof met === "number" && !Number.isSafeInteger(met) && kind === "integer") return undefined;
  const authorization = `Bearer ${await ledger.gateway.token({ role: "saved", met })}`;
  const answer = await ledger.gateway.fetch(`/v1/queries/${queryName(meeting)}`, {
    headers: { authorization },
  });
  return outcomeOf(await read(answer));
}

const ways: Record<string, (meeting: Meeting) => Promise<Outcome | undefined>> = {
  sql: async (meeting) => outcomeOf(await inLines(ledger.gateway, select(meeting), { role: "writer" })),
  delete: (meeting) => taken(meeting, "DELETE"),
  "delete ignore": (meeting) => taken(meeting, "DELETE IGNORE"),
  update: (meeting) => marked(meeting, "UPDATE"),
  "update ignore": (meeting) => marked(meeting, "UPDATE IGNORE"),
  transaction: inTransaction,
  claim: asClaim,
  hyperdrive: async (meeting) => outcomeOf(await inLines(hyperdrive.gateway, select(meeting))),
};

const counts: Record<string, Record<string, number>> = {};

/** @returns the mistake in an outcome; undefined if there is none */
function mistakeOf(way: string, meeting: Meeting, outcome: Outcome): string | undefined {
  const allowed = [...exactRows(meeting, way === "claim")];
  const said = "ids" in outcome ? "answered" : "refused";
  counts[way] ??= {};
  counts[way][said] = (counts[way][said] ?? 0) + 1;
  const context = `${way}: ${meeting.column.sql.slice(0, 20)} ${operators[meeting.operator]}, ${meeting.value.kind} ${JSON.stringify(meeting.value.text)} of ${meeting.table}`;
  const expected = allowed.map((ids) => `[${ids}]`).join(" or ") || "a refusal";
  if ("ids" in outcome) {
    const isRight = allowed.includes(outcome.ids) || isUntold(engine, way, meeting);
    return isRight ? undefined : `${context}: rows [${outcome.ids}], not ${expected}`;
  }
  const { status, body } = outcome;
  const isWrongClaim = way === "claim" && status === 403 && body.reason === "wrong_claim";
  const isRight =
    isWrongClaim || (status === 400 && (body.code === "parameter_invalid" || body.errno !== undefined));
  const isClear = isPlain(meeting) && (way !== "claim" || ["text", "integer"].includes(meeting.value.kind));
  if (isRight && !isClear) return undefined;
  return `${context}: ${status} ${body.code} ${body.reason ?? ""} ${body.errno ?? ""}, not ${expected}`;
}

async function mistakesOf(meeting: Meeting): Promise<string[]> {
  const mistakes: string[] = [];
  for (const [way, ask] of Object.entries(ways)) {
    const outcome = await ask(meeting);
    const mistake = outcome && mistakeOf(way, meeting, outcome);
    if (mistake) mistakes.push(mistake);
  }
  return mistakes;
}

test(`any value meets any column, and no other row is taken (seed ${seed})`, {
  timeout: 60_000 + numRuns * 400,
}, async () => {
  const property = fc.asyncProperty(meetings, async (meeting) => {
    expect(await mistakesOf(meeting)).toEqual([]);
  });
  await fc.assert(property, { numRuns, seed });
  console.log("values meet columns", counts);
  // A gateway that refuses everything must not pass.
  for (const way of Object.keys(ways)) expect(counts[way]?.answered).toBeGreaterThan(numRuns / 4);
});

/** The property would find this mistake: the server itself does it without the gateway. */
test("without the gateway, a number that meets texts takes other rows", async () => {
  const [rows] = await administrator.query("SELECT id FROM ledger.met WHERE c_varchar = 0");
  const column = columns.find(({ name }) => name === "c_varchar");
  if (column === undefined) throw new Error("no such column");
  const meeting: Meeting = {
    table: "met",
    column,
    operator: "equals",
    value: { kind: "integer", text: "0" },
  };
  expect(mistakeOf("server", meeting, { ids: idsOf(rows as Rows) })).toMatch(/rows \[1,3,5,9\], not \[3\]/);
});
