import { describe, expect, test } from "vitest";
import type { ErrorCode } from "../../src/errors.ts";
import { asTidegateError, errorKinds, TidegateError, toProblem } from "../../src/errors.ts";
import { limits } from "../../src/limits.ts";
import { document, rows, section } from "./errors-document.ts";

const codes = Object.keys(errorKinds) as ErrorCode[];

describe("a problem document (RFC 9457)", () => {
  test("with a code only", () => {
    expect(toProblem(new TidegateError("pool_full"), "r1")).toEqual({
      type: "about:blank",
      title: "Every connection is busy and the queue is full",
      status: 503,
      code: "pool_full",
      retryable: true,
      request_id: "r1",
    });
  });

  test("with all members", () => {
    const error = new TidegateError(
      "sql_error",
      {
        detail: "d",
        reason: "r",
        errno: 1064,
        sqlstate: "42000",
        constraint: "t.k",
        retryAfter: 3,
        allow: "GET",
      },
      "for the log",
    );
    expect(toProblem(error, "r1")).toEqual({
      type: "about:blank",
      title: "The database refused the statement",
      status: 400,
      code: "sql_error",
      detail: "d",
      reason: "r",
      errno: 1064,
      sqlstate: "42000",
      constraint: "t.k",
      retryable: false,
      request_id: "r1",
    });
  });

  test("never has the operator's text", () => {
    for (const code of codes) {
      const problem = toProblem(new TidegateError(code, {}, "host db1 refused gw_reader"), "r1");
      expect(JSON.stringify(problem)).not.toContain("db1");
    }
  });

  test("an error may replace its kind's retryable", () => {
    const error = new TidegateError("connection_lost", { retryable: false });
    expect(error.retryable).toBe(false);
    expect(toProblem(error, "r1").retryable).toBe(false);
  });

  test("the message is the detail, or else the title", () => {
    expect(new TidegateError("internal").message).toBe("The gateway failed");
    expect(new TidegateError("internal", { detail: "d" }).message).toBe("d");
  });
});

describe("the kinds", () => {
  const kinds = codes.map((code) => ({ code, ...errorKinds[code] }));

  test("a caller's mistake is a 4xx and not retryable, except for too many requests or a slow body", () => {
    for (const { code, status, retryable } of kinds.filter(({ fault }) => fault === "caller")) {
      expect([code, status >= 400 && status < 500, retryable]).toEqual([
        code,
        true,
        [
          "rate_limited",
          "body_too_slow",
          "concurrency_exceeded",
          "idempotency_in_flight",
          "transactions_exceeded",
          "transaction_busy",
        ].includes(code),
      ]);
    }
  });

  test("a 5xx is never the caller's fault", () => {
    for (const { code, fault } of kinds.filter(({ status }) => status >= 500)) {
      expect([code, ["database", "operator"].includes(fault)]).toEqual([code, true]);
    }
  });

  test("a 503 is the database's or the operator's fault", () => {
    const unavailable = kinds.filter(({ status }) => status === 503);
    expect(unavailable.length).toBeGreaterThan(5);
    for (const { code, fault } of unavailable) {
      expect([code, ["database", "operator"].includes(fault)]).toEqual([code, true]);
    }
  });

  test("an error after a possible write is not retryable by default", () => {
    for (const code of ["outcome_unknown", "deadline_exceeded", "internal"] as const) {
      expect(errorKinds[code].retryable).toBe(false);
    }
  });

  test("codes are words with underscores, titles are sentences", () => {
    for (const { code, title } of kinds) {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(title).toMatch(/^[A-Z].*[^.]$/);
    }
    expect(new Set(kinds.map(({ title }) => title)).size).toBe(kinds.length);
  });
});

describe("asTidegateError", () => {
  test("leaves a TidegateError unchanged", () => {
    const error = new TidegateError("pool_full");
    expect(asTidegateError(error)).toBe(error);
  });

  test.each([
    [new TypeError("x is not a function"), "TypeError: x is not a function"],
    ["text", "text"],
    [undefined, "undefined"],
    [null, "null"],
    [{ code: "pool_full" }, "[object Object]"],
  ])("%s is internal, and its message goes to the log only", (cause, operator) => {
    const error = asTidegateError(cause);
    expect(error).toMatchObject({ code: "internal", status: 500, operator });
    expect(JSON.stringify(toProblem(error, "r1"))).not.toContain(operator);
  });
});

describe("docs/reference/errors.md", () => {
  const table = rows(section("Codes"));

  test("has exactly one row for each code", () => {
    expect(table.map(([code]) => code)).toEqual(codes);
  });

  test.each(table)("%s: status %s, retryable %s, fault %s", (code, status, retryable, fault, meaning) => {
    const kind = errorKinds[code as ErrorCode];
    expect([status, retryable, fault]).toEqual([
      String(kind.status),
      kind.retryable ? "yes" : "no",
      kind.fault,
    ]);
    expect(meaning?.length).toBeGreaterThan(20);
  });

  test("has the current bounds", () => {
    expect(limits.tokenBytes).toBe(8 * 1024);
    expect(limits.bodyBytes).toBe(1024 * 1024);
    expect(limits.clockSkewSeconds).toBe(30);
    expect(limits.queueWaitMs).toBe(10_000);
    expect(limits.statementDeadlineMs).toBe(15_000);
    expect(limits.wholeAnswerBytes).toBe(64 * 1024);
    expect(limits.idempotencyKeyCharacters).toBe(255);
    expect(limits.idempotentAnswerBytes).toBe(256 * 1024);
  });

  test("has an example with the members of a problem document", () => {
    const example = JSON.parse(/```json\n([^`]*)```/.exec(document)?.[1] ?? "");
    const { code, detail, errno, sqlstate, constraint, request_id } = example;
    const details = { detail, errno, sqlstate, constraint };
    expect(toProblem(new TidegateError(code, details), request_id)).toEqual(example);
  });
});
