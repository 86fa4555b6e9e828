import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { ServerError } from "../driver/driver.ts";
import { statementError } from "./errors.ts";
import { kindOf } from "./server-errors.ts";

/**
 * A server that refuses a COMMIT rolls the transaction back: one that has become read-only since the transaction began, or one
 * that has lost a race (`commit` in server-errors.ts). TiDB does some of its checks at COMMIT only; where it does not know
 * whether a COMMIT happened, it closes the connection without an answer (client-go, ErrResultUndetermined).
 * @returns what the server says of a COMMIT that has certainly not happened; undefined where that is not known
 */
export function refusedCommit(error: ServerError): TidegateError | undefined {
  if (kindOf(error.errno, error.sqlMessage ?? error.message).commit === "unknown") return undefined;
  return statementError(error, { author: "caller", atomic: true });
}

/** @returns the error of a COMMIT that failed, with what became of its transaction */
export function commitError(cause: unknown): TidegateError {
  const error = cause as ServerError;
  const refused = refusedCommit(error);
  if (refused) return refused.with({ transaction: "rolled_back" });
  const details = { retryAfter: limits.retryAfterSeconds, transaction: "unknown" } as const;
  return new TidegateError("outcome_unknown", details, `COMMIT: ${error.errno ?? "-"} ${error.message}`);
}
