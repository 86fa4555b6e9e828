import { asTidegateError, TidegateError } from "../errors.ts";
import { ParameterError, StatementError } from "../sql/errors.ts";

/** The rooms sql and catalog know nothing of HTTP; their refusals get their place in the union here. */
export function publicError(cause: unknown): TidegateError {
  const { message: detail } = cause as Error;
  if (cause instanceof StatementError)
    return new TidegateError("statement_refused", { detail, reason: cause.reason });
  if (cause instanceof ParameterError) {
    // A claim that the token lacks is a matter of access, not of the request's form.
    const code = cause.reason === "missing_claim" ? "access_denied" : "parameter_invalid";
    return new TidegateError(code, { detail, reason: cause.reason });
  }
  return asTidegateError(cause);
}
