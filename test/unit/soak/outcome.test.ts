import { describe, expect, test } from "vitest";
import type { Answer } from "../../../soak/outcome.ts";
import { complaint, judge } from "../../../soak/outcome.ts";

const problem = (status: number, code: string, more: Partial<Answer> = {}): Answer => ({
  status,
  code,
  retryable: false,
  body: {},
  ...more,
});

describe("a caller's knowledge after a batch or a COMMIT", () => {
  test.each([
    ["200", { status: 200, body: {} }, "acknowledged", false],
    ["no answer", undefined, "unknown", false],
    ["an outcome that is unknown", problem(503, "outcome_unknown"), "unknown", false],
    ["a failure without a name", problem(500, "internal"), "unknown", false],
    ["an answer that is not the gateway's", { status: 502, body: {} }, "unknown", false],
    ["a code that it does not have", problem(503, "tired"), "unknown", false],
    ["a lost race", problem(409, "sql_transient", { retryable: true }), "refused", true],
    ["a conflict", problem(409, "sql_conflict"), "refused", false],
    ["no connection", problem(503, "database_unreachable", { retryable: true }), "refused", true],
  ] as const)("%s", (_, answer, outcome, retryable) => {
    expect(judge("decisive", answer)).toEqual({ outcome, retryable });
  });

  test("before its COMMIT a transaction has no effect, with any answer", () => {
    expect(judge("preparing", undefined).outcome).toBe("refused");
    expect(judge("preparing", problem(503, "outcome_unknown")).outcome).toBe("refused");
  });
});

describe("a wrong answer", () => {
  test("these answers are right", () => {
    expect(complaint({ status: 200, body: {} })).toBeUndefined();
    expect(complaint(problem(503, "pool_timeout", { retryable: true }))).toBeUndefined();
    expect(complaint(problem(409, "sql_conflict", { errno: 3819 }))).toBeUndefined();
    expect(complaint(problem(409, "sql_conflict", { errno: 4025 }))).toBeUndefined();
  });

  test.each([
    ["a duplicate: what was refused had been done", problem(409, "sql_conflict", { errno: 1062 })],
    ["unknown and yet retryable", problem(503, "outcome_unknown", { retryable: true })],
    ["a conflict of another kind", problem(409, "sql_conflict", { errno: 1452 })],
    ["a failure of the gateway", problem(500, "internal")],
    ["a wrong identity", problem(503, "database_identity_wrong")],
    ["a page that is not the gateway's", { status: 502, body: {} }],
  ])("%s", (_, answer) => {
    expect(complaint(answer)).toBeTypeOf("string");
  });
});
