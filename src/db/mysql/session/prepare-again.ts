import { TidegateError } from "../../../errors.ts";
import type { Statement } from "../../contract/statement.ts";
import { kindOf } from "../engines/server-errors.ts";

/**
 * The server has not executed the statement, because it must be prepared again. This then happens, and the
 * statement is executed once more.
 */
export class UnpreparedError extends TidegateError {}

/**
 * @param answered whether a part of the answer came before the error
 * @returns the failure; as an UnpreparedError if nothing can have run. A procedure may have run in part
 */
export function unprepared(failure: TidegateError, { atomic }: Statement, answered: boolean): TidegateError {
  if (answered || !atomic || !isUnprepared(failure)) return failure;
  return new UnpreparedError(failure.code, failure.details, failure.operator);
}

/** @returns whether a statement, also one of a batch, failed because it must be prepared again */
export function isUnprepared(cause: unknown): boolean {
  return cause instanceof TidegateError && kindOf(cause.details.errno, cause.message).again === true;
}
