import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Work } from "../messages/protocol.ts";

/**
 * The object restarted, or the platform lost the way to it: how far the work had come is not known.
 * @param cause why a call failed; a TidegateError is what the object said itself
 * @returns the error for the caller; the cause as it is for work that each shard is asked for by itself
 */
export function lostError(work: Work, cause: unknown): unknown {
  if (cause instanceof TidegateError) return cause;
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

/** @param keeps whether the work may have changed something for good */
function codeOf(keeps: boolean): "connection_lost" | "outcome_unknown" {
  return keeps ? "outcome_unknown" : "connection_lost";
}
