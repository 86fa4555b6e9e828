import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Statement } from "../../contract/statement.ts";
import { tooManyColumns } from "../driver/column-limit.ts";
import type { Excess } from "../guard/reply-packets.ts";
import { ProtocolError } from "../guard/reply-packets.ts";

/** The cause of a lost connection. */
export interface Loss {
  /** The text for the log. */
  reason: string;
  /** The gateway ended the connection, because the server's reply is too large to read. */
  excess?: Excess | undefined;
}

/** @param cause the driver's error for the connection */
export function lossOf(cause: Error): Loss {
  return { reason: cause.message, excess: cause instanceof ProtocolError ? cause.excess : undefined };
}

/** @returns the error of the gateway's own commands */
export function lossError({ reason }: Loss): Error {
  return new Error(reason);
}

/**
 * The connection was already dead when it got the statement, or its session not restored. So the statement was
 * not executed.
 */
export class StaleConnectionError extends TidegateError {}

/**
 * @param sent whether the server may have begun to execute the statement
 * @returns the caller's error for a statement whose connection is lost
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
  // This is the fault of a PREPARE, so nothing was executed.
  if (excess === "columns" && !(sent && statement.writable)) return tooManyColumns();
  if (sent && statement.writable) return new TidegateError("outcome_unknown", details, reason);
  const Lost = isStale ? StaleConnectionError : TidegateError;
  return new Lost("connection_lost", details, reason);
}

/** @returns the same for a statement of an open transaction: the server rolls the transaction back */
export function lostInTransaction(loss: Loss): TidegateError {
  return lostError({ writable: false }, true, false, loss);
}
