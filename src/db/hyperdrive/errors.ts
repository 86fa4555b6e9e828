import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { ServerError } from "../mysql/driver/driver.ts";
import { identityRefused, loginError, settingsRefused, statementError } from "../mysql/engines/errors.ts";

/**
 * Errors of Hyperdrive itself (https://developers.cloudflare.com/hyperdrive/observability/troubleshooting/).
 * Its error numbers for MySQL are not documented, so the message decides.
 */
const ownWords = [
  /^Failed to acquire a connection from the pool/i,
  /^Server connection attempt failed/i,
  /^Internal error\.?$/i,
];

/** A client library's numbers for a lost server. No server sends them, but a proxy may. */
const goneNumbers = new Set([2002, 2003, 2006, 2013]);

/** @returns whether the error is Hyperdrive's, for a server that it could not reach or has lost */
export function isHyperdriveError({ errno, sqlMessage, message }: ServerError): boolean {
  if (errno !== undefined && goneNumbers.has(errno)) return true;
  return ownWords.some((words) => words.test(sqlMessage ?? message));
}

/** The server's errors for our own statements. They mean the same as in a login. */
const asAtLogin: readonly number[] = [...settingsRefused, ...identityRefused];

/** @returns the error for a transaction that could not begin. The caller has not caused it */
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
