import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { ServerError } from "../mysql/driver/driver.ts";
import { identityRefused, loginError, settingsRefused, statementError } from "../mysql/engines/errors.ts";

/**
 * What Hyperdrive says for itself where a server would answer
 * (https://developers.cloudflare.com/hyperdrive/observability/troubleshooting/). Its numbers for MySQL are not
 * documented, so the words decide.
 */
const ownWords = [
  /^Failed to acquire a connection from the pool/i,
  /^Server connection attempt failed/i,
  /^Internal error\.?$/i,
];

/** A client library's numbers for a server that is gone: no server sends them, what stands before it may. */
const goneNumbers = new Set([2002, 2003, 2006, 2013]);

/** @returns whether it is Hyperdrive that could not reach the server or lost it, and not the server's answer */
export function isHyperdriveError({ errno, sqlMessage, message }: ServerError): boolean {
  if (errno !== undefined && goneNumbers.has(errno)) return true;
  return ownWords.some((words) => words.test(sqlMessage ?? message));
}

/** The server's own words to our own statements, which say the same as at a login. */
const asAtLogin: readonly number[] = [...settingsRefused, ...identityRefused];

/** @returns the error for a transaction that could not be begun: nothing of it is the caller's doing */
export function preparationError(error: ServerError): TidegateError {
  if (error instanceof TidegateError) return error;
  const retryAfter = limits.retryAfterSeconds;
  const reason = `${error.errno ?? "-"} ${error.message}`;
  if (error.errno !== undefined && asAtLogin.includes(error.errno)) return loginError(error);
  if (error.errno === undefined || isHyperdriveError(error)) {
    return new TidegateError("database_unreachable", { retryAfter }, `Hyperdrive: ${reason}`);
  }
  const { code } = statementError(error, { author: "operator", atomic: true });
  const known = code === "database_unavailable" ? code : "database_unreachable";
  return new TidegateError(known, { retryAfter }, reason);
}
