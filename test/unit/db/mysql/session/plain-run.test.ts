import { describe, expect, test } from "vitest";
import { StaleConnectionError } from "../../../../../src/db/mysql/session/connection-lost.ts";
import { PlainRun } from "../../../../../src/db/mysql/session/plain-run.ts";
import { limits } from "../../../../../src/limits.ts";
import type { BoundValue } from "../../../../../src/sql/bound-value.ts";

const since = 1_000_000;
const sql = "SELECT name FROM country WHERE code = ?";
const run = () => new PlainRun({ texts: new Set([sql]), since });
const text = (value: string): BoundValue => ({ type: "string", value });
const plain = { sql, values: [text("US")], writable: false };
const good = { warningCount: 0, serverStatus: 2, columnsChanged: false };

test("a session that was not restored yet has no run", () => {
  const fresh = new PlainRun();
  expect(fresh.admits(plain, 0)).toBe(false);
  expect(fresh.enter(plain, 0)).toBe(false);
  expect(fresh.isOpen(0)).toBe(false);
});

test("verified texts continue a run, with any values", () => {
  const one = run();
  for (const values of [plain.values, [text("DE")], []]) {
    expect(one.enter({ ...plain, values }, since)).toBe(true);
    one.answered(good);
  }
  expect({ used: one.isUsed, open: one.isOpen(since) }).toEqual({ used: true, open: true });
});

describe("a run does not admit", () => {
  test.each([
    ["another text", { ...plain, sql: `${sql} ` }],
    ["a text that may write", { ...plain, writable: true }],
  ])("%s", (_, statement) => expect(run().admits(statement, since)).toBe(false));

  test("anything after its time", () => {
    expect(run().admits(plain, since + limits.runMs - 1)).toBe(true);
    expect(run().admits(plain, since + limits.runMs)).toBe(false);
  });

  test("anything after the clock was set back", () => {
    expect(run().admits(plain, since - 1)).toBe(false);
  });

  test("more than its statements", () => {
    const one = run();
    for (let i = 0; i < limits.runStatements; i++) expect(one.enter(plain, since)).toBe(true);
    expect(one.admits(plain, since)).toBe(false);
  });

  test("more than its bytes of parameters, counted in UTF-8", () => {
    const half = { ...plain, values: [text("é".repeat(limits.runParameterBytes / 4))] };
    const one = run();
    expect(one.enter(half, since)).toBe(true);
    expect(one.enter(half, since)).toBe(true);
    expect(one.admits(plain, since)).toBe(false);
  });
});

test("a run is not open any more after its last statement, so that its restore begins at once", () => {
  const one = run();
  for (let i = 0; i < limits.runStatements; i++) one.enter(plain, since);
  expect(one.isOpen(since)).toBe(false);
  expect(run().isOpen(since + limits.runMs)).toBe(false);
});

test("a statement that comes when the time is over since it was lent is sent to another session", () => {
  const one = run();
  one.enter(plain, since);
  one.answered(good);
  expect(one.admits(plain, since + limits.runMs - 1)).toBe(true);
  expect(() => one.enter(plain, since + limits.runMs)).toThrow(StaleConnectionError);
});

describe("a run is over after", () => {
  test.each([
    ["a warning", { ...good, warningCount: 1 }],
    ["other columns", { ...good, columnsChanged: true }],
    ["an open transaction", { ...good, serverStatus: 3 }],
    ["autocommit off", { ...good, serverStatus: 0 }],
    ["a read-only transaction", { ...good, serverStatus: 0x2003 }],
    ["a cursor", { ...good, serverStatus: 0x42 }],
    ["changed columns of a prepared statement", { ...good, serverStatus: 0x402 }],
    ["a dropped database", { ...good, serverStatus: 0x102 }],
    ["no escapes by backslash", { ...good, serverStatus: 0x202 }],
    ["a changed session", { ...good, serverStatus: 0x4002 }],
    ["a flag that does not exist yet", { ...good, serverStatus: 0x10002 }],
  ])("%s", (_, answer) => {
    const one = run();
    one.enter(plain, since);
    one.answered(answer);
    expect({ open: one.isOpen(since), admits: one.admits(plain, since) }).toEqual({
      open: false,
      admits: false,
    });
  });

  test.each([0x12, 0x22, 0x802, 0x832])("nothing that only tells of the plan: status %i", (serverStatus) => {
    const one = run();
    one.enter(plain, since);
    one.answered({ ...good, serverStatus });
    expect(one.isOpen(since)).toBe(true);
  });
});

test("other work on a session that a run has used is refused, before it is sent", () => {
  const other = { ...plain, sql: "SELECT @a" };
  for (const work of [(one: PlainRun) => one.leave(), (one: PlainRun) => one.enter(other, since)]) {
    const unused = run();
    work(unused);
    expect(unused.isOpen(since)).toBe(false);
    const used = run();
    used.enter(plain, since);
    expect(() => work(used)).toThrow(StaleConnectionError);
    expect(used.isOpen(since)).toBe(false);
    expect(() => work(used)).toThrow(StaleConnectionError);
  }
});

test("other work may follow other work", () => {
  const one = run();
  one.leave();
  one.leave();
  expect(one.enter(plain, since)).toBe(false);
  expect(one.isUsed).toBe(false);
});
