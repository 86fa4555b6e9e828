import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Statement } from "../../contract/statement.ts";
import { tooManyColumns } from "../driver/column-limit.ts";
import type { Excess } from "../guard/reply-packets.ts";
import { ProtocolError } from "../guard/reply-packets.ts";

/** Why a connection is lost. */
export interface Loss {
  /** For the log. */
  reason: string;
  /** It was ended here, because the server's reply is too large to be read. */
  excess?: Excess | undefined;
}

/** @param cause what the driver says of a connection that it can use no more */
export function lossOf(cause: Error): Loss {
  return { reason: cause.message, excess: cause instanceof ProtocolError ? cause.excess : undefined };
}

/** @returns what the gateway's own commands fail with */
export function lossError({ reason }: Loss): Error {
  return new Error(reason);
}

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
  { reason, excess }: Loss,
): TidegateError {
  const details = { retryAfter: limits.retryAfterSeconds };
  if (excess === "row" && !statement.writable)
    return new TidegateError("result_too_large", { detail: `A row may have ${limits.rowBytes} bytes.` });
  // So said of a PREPARE, before anything is executed.
  if (excess === "columns" && !(sent && statement.writable)) return tooManyColumns();
  if (sent && statement.writable) return new TidegateError("outcome_unknown", details, reason);
  const Lost = isStale ? StaleConnectionError : TidegateError;
  return new Lost("connection_lost", details, reason);
}

/** @returns the same for statements of a transaction that is not committed: the server rolls it back */
export function lostInTransaction(loss: Loss): TidegateError {
  return lostError({ writable: false }, true, false, loss);
}
