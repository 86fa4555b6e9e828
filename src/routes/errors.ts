import { asTidegateError, TidegateError } from "../errors.ts";
import { ParameterError, StatementError } from "../sql/errors.ts";

/** The rooms sql and catalog know nothing of HTTP; their refusals get their place in the union here. */
export function publicError(cause: unknown): TidegateError {
  const { message: detail } = cause as Error;
  if (cause instanceof StatementError)
    return new TidegateError("statement_refused", { detail, reason: cause.reason });
  if (cause instanceof ParameterError) {
    // What the token says, or does not, is a matter of access, not of the request's form: the caller cannot mend it.
    const isClaim = cause.reason === "missing_claim" || cause.reason === "wrong_claim";
    if (isClaim) return new TidegateError("access_denied", { detail, reason: cause.reason }, detail);
    return new TidegateError("parameter_invalid", { detail, reason: cause.reason });
  }
  return asTidegateError(cause);
}
