import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { versionMismatch } from "../messages/pool-answer.ts";
import type { Work } from "../messages/protocol.ts";

/**
 * The object restarted, or the platform lost the connection to it. So the progress of the work is unknown.
 * @param cause why a call failed; a TidegateError is the object's own answer
 * @returns the error for the caller; for `ready`, `drain`, `metrics` and `cancel` the cause itself
 */
export function lostError(work: Work, cause: unknown): unknown {
  if (cause instanceof TidegateError) return cause;
  if (isWithoutRun(cause)) return versionMismatch();
  const retryAfter = limits.retryAfterSeconds;
  const reason = String(cause);
  switch (work.kind) {
    case "begin":
      return new TidegateError("connection_lost", { retryAfter }, reason);
    case "execute":
      return new TidegateError(codeOf(work.writable), { retryAfter }, reason);
    case "batch":
      return new TidegateError(codeOf(!work.readOnly && !work.dryRun), { retryAfter }, reason);
    case "transaction":
    case "end":
      return new TidegateError("outcome_unknown", { retryAfter, transaction: "unknown" }, reason);
    default:
      return cause;
  }
}

/**
 * Whether the object has the code of protocol 9 or older, which knows no RPC. So it executed nothing. workerd's
 * worker-rpc.c++ has this text, and no error code.
 */
function isWithoutRun(cause: unknown): boolean {
  return (
    cause instanceof TypeError && cause.message === 'The RPC receiver does not implement the method "run".'
  );
}

/** @param keeps whether the work may have changed data permanently */
function codeOf(keeps: boolean): "connection_lost" | "outcome_unknown" {
  return keeps ? "outcome_unknown" : "connection_lost";
}
