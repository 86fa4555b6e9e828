import type { ErrorCode } from "../../../errors.ts";
import { errorKinds, TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { BoundValue } from "../../../sql/bound-value.ts";
import type { ServerError } from "../driver/driver.ts";
import { adviceOnZones } from "../values/zoned-texts.ts";
import { constraintOf } from "./constraint.ts";
import { withoutQuotations } from "./quotations.ts";
import type { ServerErrorKind } from "./server-errors.ts";
import { kindOf } from "./server-errors.ts";

/** Mistakes in the SQL text. In a saved query they are the operator's mistakes, not the caller's. */
const textMistakes = new Set([1046, 1049, 1051, 1052, 1054, 1055, 1056, 1060, 1064, 1066, 1109, 1146, 1305]);

/**
 * Only the author of a statement can mend these too: what it names has another form now, or is gone. An invalid view,
 * a missing definer, a missing function, index or partition, another number of columns or arguments, a column without
 * a default that the statement does not know.
 */
const formMistakes = new Set([1128, 1136, 1176, 1191, 1318, 1356, 1364, 1449, 1630, 1735, 4091]);

/**
 * Messages that quote only names and SQL text. Every other message may quote values ("Duplicate entry 'x'"),
 * so its quotations are removed. 1644 is SIGNAL's: its author wrote the text for the caller.
 */
const quotesNoValue = new Set([
  ...textMistakes,
  1044,
  1048,
  1142,
  1143,
  1227,
  1264,
  1364,
  1370,
  1406,
  1644,
  1792,
  // TiDB: a missing privilege, a missing feature.
  8121,
  8132,
]);

/** Messages with values outside quotation marks: keys and rows, or the SQL and message of another error. */
const tellsValues = new Set([1526, 8039, 8041, 8134, 8138, 8139, 8140, 8141, 8143, 8147, 8223, 9007]);

/** The facts about a failed statement. */
interface Failed {
  author: "caller" | "operator";
  atomic: boolean;
  /** The statement runs alone and may change data. */
  writable?: boolean;
  /** A part of the answer came before the error. */
  answered?: boolean;
  values?: readonly BoundValue[];
}

/**
 * @param author who wrote the SQL
 * @param atomic false for CALL: its effects before the error may be committed
 * @param values of the statement, one for each `?`. The error never contains them
 * @returns the caller's error for a statement that the server refused
 */
export function statementError(error: ServerError, failed: Failed): TidegateError {
  if (error instanceof TidegateError) return error;
  const { author, atomic, values = [] } = failed;
  const { errno, sqlState } = error;
  // Without an error number, the error is the driver's. Its message may repeat a value, so the log omits it.
  if (errno === undefined) return new TidegateError("internal", {}, `driver: ${error.name}`);
  const message = error.sqlMessage ?? error.message;
  const more = isRepeated(errno, message, values.length) ? ` ${repeatedParameter}` : "";
  if (author === "operator" && (textMistakes.has(errno) || formMistakes.has(errno))) {
    return new TidegateError("query_broken", {}, `${errno}: ${error.message}${more}`);
  }
  const kind = kindOf(errno, message);
  const code = codeOf(kind, failed);
  // In a saved query the operator declares the types, so advice on types does not help the caller.
  const onZones = author === "caller" ? adviceOnZones(errno, values) : undefined;
  const constraint = constraintOf(errno, message, isCut(message));
  return new TidegateError(code, {
    errno,
    ...(sqlState ? { sqlstate: sqlState } : {}),
    ...(constraint === undefined ? {} : { constraint }),
    detail: publicMessage(errno, message) + (onZones === undefined ? more : `. ${onZones}`),
    ...(errorKinds[code].status === 503 ? { retryAfter: limits.retryAfterSeconds } : {}),
    ...(kind.retryable === undefined ? {} : { retryable: kind.retryable }),
    ...(atomic ? {} : { retryable: false }),
  });
}

/** The code of an error. Two codes depend on the statement: whether it may have been executed. */
function codeOf({ code }: ServerErrorKind, { writable = false, answered = false }: Failed): ErrorCode {
  // The server sends this error during a commit. A statement that changes nothing, or runs in a transaction,
  // has no commit of its own, so its outcome is not in doubt.
  if (code === "outcome_unknown" && !writable) return "database_unavailable";
  if (code !== "statement_too_large" || !answered) return code;
  // A part of the answer came, so a row of the result was too large, not the statement.
  return writable ? "outcome_unknown" : "result_too_large";
}

/**
 * For a server, each `?` is a separate parameter. So an expression with a parameter in SELECT differs from
 * the same expression in GROUP BY, HAVING or ORDER BY.
 */
const repeatedParameter =
  "If the expression has a parameter: to the database each place of it is a parameter of its own, also under one name. Write the expression once, with an alias (SELECT .. AS x .. GROUP BY x ORDER BY x) or in a derived table, and name that.";

/**
 * 1055: an expression is missing in GROUP BY. 3065: it is missing in SELECT DISTINCT. 1054: HAVING does not
 * know a column that occurs only inside an expression.
 */
function isRepeated(errno: number, message: string, parameters: number): boolean {
  if (parameters < 2) return false;
  return errno === 1055 || errno === 3065 || (errno === 1054 && / in 'having(?: clause)?'$/i.test(message));
}

/** The errors of SET for an unknown mode, time zone or collation. */
export const settingsRefused = [1231, 1298, 1273];

/**
 * Errors of our own questions on a server that differs from the configuration: SHOW GRANTS on a TiDB that
 * accepts everybody, an unknown variable, and TiDB's error for READ ONLY.
 */
export const identityRefused = [1141, 1193, 1235];

/**
 * The error of a refused login, by number. 4150 and 4151 are MariaDB's. A wrong password, an unknown user and
 * a missing client certificate all have 1045: servers do not tell strangers the difference.
 */
const loginErrors: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  ...codes("database_unreachable", [1041, 1053]),
  ...codes("database_connections_exhausted", [1040, 1203, 1226]),
  ...codes("database_host_denied", [1129, 1130]),
  ...codes("database_account_locked", [3118, 3955, 4150, 4151]),
  ...codes("database_login_expired", [1820, 1862]),
  ...codes("database_auth_unsupported", [1251, 1524]),
  ...codes("database_missing", [1044, 1049]),
  // SET ROLE: the login does not have the role (1959 is MariaDB's).
  ...codes("database_identity_wrong", [3530, 1959, ...identityRefused]),
  ...codes("database_settings_refused", settingsRefused),
]);

/** Advice for the operator. */
const advice: Partial<Record<ErrorCode, string>> = {
  database_login_failed:
    "check the user, its secret, the host that it may come from, and that no certificate is demanded of it (REQUIRE X509)",
  database_connections_exhausted:
    "compare max_connections and the user's limits with shards × connections_per_shard",
  database_host_denied: "check from which hosts the user may come; FLUSH HOSTS ends a block",
  // TiDB drops REQUIRE SSL with each ALTER USER that does not repeat it.
  database_account_locked: "ALTER USER .. REQUIRE SSL ACCOUNT UNLOCK",
  database_login_expired:
    "ALTER USER .. IDENTIFIED BY a new password REQUIRE SSL, then put it as the account's secret",
  database_auth_unsupported: "let the user log in with a method of docs/guides/accounts.md",
  database_identity_wrong: "grant the account's role to the user",
  database_settings_refused:
    "change the account's sql_mode, time_zone or collation; a zone's name needs the server's time zone tables (mysql_tzinfo_to_sql), an offset such as +02:00 does not",
  database_missing: "check cluster.database and that the user has a privilege on it",
};

const otherEngine =
  "the server does not know what each server of cluster.engine does: compare cluster.engine with the server, and its version";

/** Advice for numbers whose code has several causes. */
const adviceByNumber: ReadonlyMap<number, string> = new Map([
  [1273, "change the account's collation to one that SHOW COLLATION LIKE 'utf8mb4%' names"],
  [
    1141,
    "the server shows no privileges of the login, so it may let everybody in: start it without skip-grant-table",
  ],
  [1193, otherEngine],
  [1235, otherEngine],
]);

/** TiDB answers 1045 for every problem with a token (checkAuthTokenClaims). */
const tokenAdvice =
  "check that auth-token-jwks has the public key with its kid and alg, that the user's TOKEN_ISSUER and e-mail are those of the account's token, and both clocks; TiDB's log says what it found";

/**
 * @param showsToken whether the account logs in with a token instead of a password
 * @returns the error of a failed login. The server's words are for the operator only
 */
export function loginError(error: ServerError, showsToken = false): TidegateError {
  if ((error as { code?: string }).code === "HANDSHAKE_NO_SSL_SUPPORT") {
    return new TidegateError("database_tls_failed", {}, "the server offers no TLS; turn it on there");
  }
  // Without an error number, the connection was lost during the login.
  const code =
    error.errno === undefined
      ? "database_unreachable"
      : (loginErrors.get(error.errno) ?? "database_login_failed");
  const asked = showsToken && code === "database_login_failed" ? tokenAdvice : advice[code];
  const said = adviceByNumber.get(error.errno ?? 0) ?? asked;
  const hint = said === undefined ? "" : `; ${said}`;
  const reason = `${error.errno ?? "-"} ${error.message}${hint}`;
  return new TidegateError(code, { retryAfter: limits.retryAfterSeconds }, reason);
}

/**
 * @param author who wrote the statement. A caller's own statement warns of values that the caller may read
 *   anyway. A saved query compares with rows that it does not show
 * @returns a warning's text that the caller may read
 */
export function warningMessage(code: number, message: string, author: "caller" | "operator"): string {
  return author === "caller" ? withoutLogins(message) : publicMessage(code, message);
}

/** Logins and the gateway's address are for the operator only. */
function withoutLogins(message: string): string {
  return message.replace(/(['"`])[^'"`]*\1@(['"`])[^'"`]*\2/g, "'…'");
}

function publicMessage(errno: number, message: string): string {
  if (quotesNoValue.has(errno)) return withoutLogins(message);
  return withoutQuotations(withoutBareValues(errno, message), isCut(message));
}

/**
 * A server cuts its messages at 512 bytes. Then a closing quotation mark may be missing, and the rest counts
 * as a value.
 */
function isCut(message: string): boolean {
  return Buffer.byteLength(message) >= 500;
}

function withoutBareValues(errno: number, message: string): string {
  if (tellsValues.has(errno)) return message.replace(/(?:[:,=]| for value ).*/s, "").trimEnd();
  return isOfTidb(errno) ? withoutKeys(message) : message;
}

/** https://docs.pingcap.com/tidb/stable/error-codes/ */
function isOfTidb(errno: number): boolean {
  return errno >= 8000 && errno < 10_000;
}

/** TiDB may name a row by its key with values: ".., key={.., handle={a@b.example}}, ..". */
function withoutKeys(message: string): string {
  return message.replace(/(?:[,:]\s*\w+\s*=|[,:]?\s*\bkey\b\s*[:=]|\{).*$/is, "").trimEnd();
}

function codes(code: ErrorCode, numbers: number[]): [number, ErrorCode][] {
  return numbers.map((number) => [number, code]);
}
