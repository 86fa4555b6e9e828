import { describe, expect, test } from "vitest";
import type { ServerError } from "../../../../../src/db/mysql/driver/driver.ts";
import { commitError, refusedCommit } from "../../../../../src/db/mysql/engines/commit-error.ts";
import type { ErrorCode } from "../../../../../src/errors.ts";

const server = (errno: number | undefined, message = "m"): ServerError =>
  Object.assign(new Error(message), { sqlMessage: message, ...(errno === undefined ? {} : { errno }) });

describe("a COMMIT that the server refuses has not happened", () => {
  test.each<[number, ErrorCode, boolean]>([
    [1062, "sql_conflict", false],
    [1213, "sql_transient", true],
    [1290, "database_unavailable", true],
    [1836, "database_unavailable", true],
    [3101, "sql_transient", true],
    [8002, "sql_transient", true],
    [8004, "sql_error", false],
    [8005, "sql_transient", true],
    [8024, "sql_error", false],
    [8025, "sql_error", false],
    [8027, "database_unavailable", true],
    [8028, "sql_transient", true],
    [8141, "sql_conflict", false],
    [8147, "sql_conflict", false],
    [8175, "sql_error", false],
    [9003, "database_unavailable", true],
    [9007, "sql_transient", true],
  ])("with %i: %s", (errno, code, retryable) => {
    expect(commitError(server(errno))).toMatchObject({
      ...{ code, retryable },
      details: { errno, transaction: "rolled_back" },
    });
    expect(refusedCommit(server(errno))).toMatchObject({ code, retryable });
  });

  test("and the duplicate value is not quoted", () => {
    const message = "Duplicate entry 'somebody@example.com' for key 'users.email'";
    expect(commitError(server(1062, message)).message).toBe("Duplicate entry '…'");
  });
});

describe("the outcome of a COMMIT is unknown", () => {
  test.each([
    ["that was not answered", undefined],
    ["of which the binary log failed", 1180],
    ["in a shutdown", 1053],
    ["that was interrupted", 1317],
    ["with an error that has no number of its own", 1105],
    ["whose connection was killed", 1927],
    ["with a number that is not known", 19_999],
  ])("%s", (_, errno) => {
    expect(refusedCommit(server(errno))).toBeUndefined();
    expect(commitError(server(errno))).toMatchObject({
      ...{ code: "outcome_unknown", retryable: false },
      details: { transaction: "unknown" },
      operator: expect.stringContaining("COMMIT"),
    });
  });
});
