import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Statement } from "./executor.ts";
import { oversize, wide } from "./replies.ts";
import { tooManyColumns } from "./wide-results.ts";

/** The connection was dead already when the statement was given to it: nothing was executed, nothing was heard. */
export class StaleConnectionError extends TidegateError {}

/**
 * @param sent whether the server may have begun to execute the statement
 * @returns what the caller gets for a statement whose connection is lost
 */
export function lostError(
  statement: Pick<Statement, "writable">,
  sent: boolean,
  isStale: boolean,
  reason: string,
): TidegateError {
  const details = { retryAfter: limits.retryAfterSeconds };
  if (reason === oversize && !statement.writable)
    return new TidegateError("result_too_large", { detail: `A row may have ${limits.rowBytes} bytes.` });
  // So said of a PREPARE, before anything is executed.
  if (reason === wide && !(sent && statement.writable)) return tooManyColumns();
  if (sent && statement.writable) return new TidegateError("outcome_unknown", details, reason);
  const Lost = isStale ? StaleConnectionError : TidegateError;
  return new Lost("connection_lost", details, reason);
}

/** @returns the same for statements of a transaction that is not committed: the server rolls it back */
export function lostInTransaction(reason: string): TidegateError {
  return lostError({ writable: false }, true, false, reason);
}
