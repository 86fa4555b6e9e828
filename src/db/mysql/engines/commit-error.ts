import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { ServerError } from "../driver/driver.ts";
import { statementError } from "./errors.ts";
import { kindOf } from "./server-errors.ts";

/**
 * Reads a failed COMMIT. A server that refuses a COMMIT rolls the transaction back: the server has become
 * read-only, or the transaction has lost a race (`commit` in server-errors.ts). TiDB does some of its checks
 * only at COMMIT. If TiDB does not know whether a COMMIT happened, it closes the connection without an answer
 * (client-go, ErrResultUndetermined).
 * @returns the error of a COMMIT that certainly did not happen; undefined if that is unknown
 */
export function refusedCommit(error: ServerError): TidegateError | undefined {
  if (kindOf(error.errno, error.sqlMessage ?? error.message).commit === "unknown") return undefined;
  return statementError(error, { author: "caller", atomic: true });
}

/** @returns the error of a failed COMMIT, with the state of its transaction */
export function commitError(cause: unknown): TidegateError {
  const error = cause as ServerError;
  const refused = refusedCommit(error);
  if (refused) return refused.with({ transaction: "rolled_back" });
  const details = { retryAfter: limits.retryAfterSeconds, transaction: "unknown" } as const;
  return new TidegateError("outcome_unknown", details, `COMMIT: ${error.errno ?? "-"} ${error.message}`);
}
