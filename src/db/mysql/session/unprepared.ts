import { TidegateError } from "../../../errors.ts";
import type { Statement } from "../../contract/statement.ts";
import type { ServerError } from "../driver/driver.ts";
import type { Prepared } from "../driver/prepared.ts";
import type { Dialect } from "../engines/dialect.ts";
import { statementError } from "../engines/errors.ts";

/**
 * The error for statements that the server cannot prepare (ER_UNSUPPORTED_PS). On MySQL these are triggers
 * and stored programs, ALTER VIEW, ALTER DATABASE, SHOW WARNINGS. Only the server knows them. Then the judged
 * text is sent by the text protocol.
 */
const notPrepared = 1295;

/**
 * Stands for such a statement in the cache of prepared statements, until the session is restored: the server
 * will refuse it again on this connection.
 */
const unprepared: Prepared = { id: 0, parameters: [], close() {} };

/**
 * @param cause why the server refused to prepare a statement
 * @param parameters how many values it has
 * @returns the stand-in for the statement, if its text can be sent
 * @throws `cause`, or TidegateError `sql_error` for a statement with values
 */
export function withoutPreparing(cause: ServerError, parameters: number): Prepared {
  if (cause.errno !== notPrepared) throw cause;
  if (parameters === 0) return unprepared;
  const { sqlState } = cause;
  throw new TidegateError("sql_error", {
    errno: notPrepared,
    ...(sqlState ? { sqlstate: sqlState } : {}),
    detail:
      "The database cannot prepare this statement, so it takes no parameters: write the values into its text.",
  });
}

/**
 * @param reply the reply to PREPARE
 * @returns the prepared statement or its stand-in
 * @throws TidegateError for the server's error
 */
export async function sendable(reply: Promise<Prepared>, statement: Statement): Promise<Prepared> {
  try {
    return await reply.catch((cause: ServerError) => withoutPreparing(cause, statement.values.length));
  } catch (cause) {
    throw statementError(cause as ServerError, statement);
  }
}

/**
 * @returns the stand-in for SHOW WARNINGS and the like, if the server cannot prepare them: a refused PREPARE
 *   would replace the warnings
 */
export function withoutAsking(
  { preparesShowWarnings }: Dialect,
  sql: string,
  parameters: number,
): Prepared | undefined {
  const asks = !preparesShowWarnings && /^SHOW\s+(?:WARNINGS|ERRORS|COUNT)\b/i.test(sql);
  return asks && parameters === 0 ? unprepared : undefined;
}

/** @returns whether it is the stand-in. Then the judged text is executed in the text protocol */
export function isStandIn(prepared: Prepared): boolean {
  return prepared === unprepared;
}
