import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { ServerError } from "./driver.ts";
import { statementError } from "./errors.ts";

/**
 * Numbers with which a server refuses a COMMIT: it rolls the transaction back before it answers. A server that has become
 * read-only since the transaction began refuses so. TiDB does some of its checks at COMMIT only. Where TiDB does not know
 * whether a COMMIT happened, it closes the connection without an answer (client-go, ErrResultUndetermined).
 */
const refusals: ReadonlySet<number> = new Set([
  // Read-only: MySQL and MariaDB, TiDB.
  ...[1290, 1836],
  // TiDB: a duplicate key, or a key that was to be new.
  ...[1062, 8141, 8147],
  // TiDB: too large, in all, in one row or in one key; or no transaction at all.
  ...[8004, 8025, 8178, 8024],
  // TiDB: no memory or no request units left.
  ...[8175, 8176, 8252],
  // TiDB: its tables' definitions are too old, or PD or TiKV does not answer.
  ...[8027, 9001, 9002, 9003, 9004, 9005, 9008, 9010, 9011],
]);

/** @returns what the server says of a COMMIT that has certainly not happened; undefined where that is not known */
export function refusedCommit(error: ServerError): TidegateError | undefined {
  if (error.errno === undefined) return undefined;
  const said = statementError(error, { author: "caller", atomic: true });
  // Lost races are rolled back, too.
  return said.code === "sql_transient" || refusals.has(error.errno) ? said : undefined;
}

/** @returns the error of a COMMIT that failed, with what became of its transaction */
export function commitError(cause: unknown): TidegateError {
  const error = cause as ServerError;
  const refused = refusedCommit(error);
  if (refused) return refused.with({ transaction: "rolled_back" });
  const details = { retryAfter: limits.retryAfterSeconds, transaction: "unknown" } as const;
  return new TidegateError("outcome_unknown", details, `COMMIT: ${error.errno ?? "-"} ${error.message}`);
}
