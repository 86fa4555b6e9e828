import { asTidegateError, TidegateError } from "../errors.ts";
import { ParameterError, StatementError } from "../sql/errors.ts";

/** Maps errors of the folders sql and catalog, which know nothing of HTTP, to the union of errors. */
export function publicError(cause: unknown): TidegateError {
  const { message: detail } = cause as Error;
  if (cause instanceof StatementError)
    return new TidegateError("statement_refused", { detail, reason: cause.reason });
  if (cause instanceof ParameterError) {
    // A wrong or missing claim is a matter of access, because the caller cannot change the token.
    const isClaim = cause.reason === "missing_claim" || cause.reason === "wrong_claim";
    if (isClaim) return new TidegateError("access_denied", { detail, reason: cause.reason }, detail);
    const { reason, faults } = cause;
    return new TidegateError("parameter_invalid", {
      detail,
      reason,
      ...(faults.length > 0 && { errors: faults }),
    });
  }
  return asTidegateError(cause);
}
