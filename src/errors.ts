/**
 * Every way a request can fail, as one union. docs/reference/errors.md has a row for each code, and a test compares
 * the two.
 *
 * Each code answers three separate questions. `fault`: who must act (for the log). `status`: which HTTP
 * status the caller gets. `retryable`: whether the caller may send the same request again without harm.
 */
interface Kind {
  status: 400 | 401 | 403 | 404 | 405 | 406 | 408 | 409 | 410 | 413 | 415 | 422 | 429 | 500 | 501 | 503 | 504;
  fault: "caller" | "operator" | "database";
  retryable: boolean;
  /** The public text of this code. Texts about one error are in `ErrorDetails`. */
  title: string;
}

const kinds = {
  // Who is calling (RFC 6750)
  token_missing: caller(401, "This endpoint needs an access token"),
  token_malformed: caller(401, "The access token cannot be read"),
  token_invalid: caller(401, "The access token is not valid"),
  token_expired: caller(401, "The access token has expired"),
  issuer_unknown: caller(401, "The access token comes from an unknown issuer"),
  // Whether the caller holds the key that the token is bound to (RFC 9449)
  proof_missing: caller(401, "This access token needs a proof of possession of its key"),
  proof_invalid: caller(401, "The proof of possession is not valid"),
  proof_nonce_required: caller(401, "The proof of possession needs the nonce of this answer"),
  // What the caller may do
  access_denied: caller(403, "No grant gives access"),
  concurrency_exceeded: {
    status: 429,
    fault: "caller",
    retryable: true,
    title: "Too many statements of this grant are running",
  },
  rate_limited: { status: 429, fault: "caller", retryable: true, title: "Too many requests" },
  // The form of the request
  address_invalid: caller(400, "The address of the request cannot be read"),
  route_unknown: caller(404, "There is no such endpoint"),
  query_unknown: caller(404, "There is no such saved query"),
  request_unknown: caller(404, "No statement of yours runs under this request id"),
  method_not_allowed: caller(405, "This endpoint does not accept that method"),
  not_acceptable: caller(406, "The gateway has no format of the answer that the request accepts"),
  media_type_unsupported: caller(
    415,
    "The request body must be application/json, in UTF-8, and not compressed",
  ),
  body_too_large: caller(413, "The request body is too large"),
  body_too_slow: {
    status: 408,
    fault: "caller",
    retryable: true,
    title: "The request body did not arrive in time, so nothing was executed",
  },
  body_invalid: caller(400, "The request body is not valid"),
  parameter_invalid: caller(400, "The parameters do not fit the statement"),
  statement_refused: caller(400, "This statement is not accepted"),
  // The statement, as the server saw it
  sql_error: caller(400, "The database refused the statement"),
  sql_denied: caller(403, "The database account may not do that"),
  sql_conflict: caller(409, "The statement conflicts with existing data"),
  sql_transient: {
    status: 409,
    fault: "database",
    retryable: true,
    title: "The statement lost a race for a lock and was rolled back",
  },
  request_cancelled: caller(409, "The statement was cancelled by its caller"),
  statement_too_large: caller(413, "The statement is larger than the database accepts"),
  result_too_large: caller(413, "The result is larger than it may be"),
  row_missing: caller(404, "The query has no row for these parameters"),
  max_affected_exceeded: caller(409, "A statement of the batch affected more rows than it may"),
  // A request that is sent again under its key (draft-ietf-httpapi-idempotency-key-header)
  idempotency_key_invalid: caller(400, "The Idempotency-Key is not valid"),
  idempotency_key_reused: caller(422, "Another request was sent under this Idempotency-Key"),
  idempotency_in_flight: {
    status: 409,
    fault: "caller",
    retryable: true,
    title: "The first request with this Idempotency-Key is still running",
  },
  idempotency_answer_not_kept: caller(409, "The request was executed, but its answer was too large to keep"),
  idempotency_unavailable: unavailable("Nothing was executed: the request may not be new"),
  // Transactions over several requests
  transaction_unknown: caller(404, "There is no such transaction"),
  transaction_busy: {
    status: 409,
    fault: "caller",
    retryable: true,
    title: "Another statement of the transaction is running",
  },
  transaction_expired: caller(410, "The transaction's time is over; it was rolled back"),
  transaction_ended: caller(410, "The transaction has ended"),
  transaction_lost: {
    status: 503,
    fault: "database",
    retryable: false,
    title: "The transaction's connection was lost; it was rolled back",
  },
  transactions_exceeded: {
    status: 429,
    fault: "caller",
    retryable: true,
    title: "The caller has as many open transactions as the grant allows",
  },
  transactions_full: unavailable("The account already has its maximum number of open transactions"),
  // Ours
  query_broken: operator(500, "The saved query does not fit the database"),
  unsupported_by_link: operator(501, "The gateway's link to the database cannot do that"),
  misconfigured: operator(500, "The gateway is not configured correctly"),
  internal: operator(500, "The gateway failed"),
  keys_unavailable: unavailable("The issuer's keys cannot be fetched"),
  version_mismatch: unavailable("Two versions of the gateway met during a deployment"),
  proofs_unavailable: unavailable("The gateway cannot tell whether a proof of possession is new"),
  limiter_unavailable: unavailable("The gateway cannot count requests, so it accepts none"),
  drain_incomplete: unavailable("Not every connection could be told to close"),
  // The pool and the cluster
  pool_full: unavailable("Every connection is busy and the queue is full"),
  pool_timeout: unavailable("No connection became free in time"),
  database_unreachable: unavailable("The database cannot be reached"),
  database_tls_failed: unavailable("The connection to the database could not be secured"),
  database_login_failed: unavailable("The gateway could not log in to the database"),
  database_account_locked: unavailable("The gateway's account at the database is locked"),
  database_login_expired: unavailable("The login of the gateway's account at the database has expired"),
  database_host_denied: unavailable("The database does not accept the gateway's address"),
  database_connections_exhausted: unavailable("The database accepts no more connections"),
  database_auth_unsupported: unavailable("The database asks for an unsupported login method"),
  database_missing: unavailable("The configured database does not exist for the gateway's account"),
  database_identity_wrong: unavailable("The gateway's session at the database has the wrong identity"),
  database_settings_refused: unavailable(
    "The database does not accept the account's sql_mode, time zone or collation",
  ),
  database_unavailable: unavailable("The database cannot serve the statement now"),
  connection_lost: unavailable("The connection to the database was lost; the statement changed nothing"),
  outcome_unknown: {
    status: 503,
    fault: "database",
    retryable: false,
    title: "The connection to the database was lost; the statement may have been executed",
  },
  deadline_exceeded: {
    status: 504,
    fault: "database",
    retryable: false,
    title: "The statement did not finish in time",
  },
} as const satisfies Record<string, Kind>;

/** A stable code; clients may compare it. */
export type ErrorCode = keyof typeof kinds;

export const errorKinds: Readonly<Record<ErrorCode, Kind>> = kinds;

/** Details for the caller. Never a token, a password, a parameter's value or another caller's name. */
export interface ErrorDetails {
  /** One sentence: what is wrong with this request, and what the caller can do. */
  detail?: string;
  /** The cause, as a stable word, where the code has several causes. */
  reason?: string;
  /** Every wrong parameter of a saved query, up to a bound. */
  errors?: readonly { path: string; reason: string; detail: string }[];
  /** The server's error number and SQLSTATE. Set only when the server judged the caller's own statement. */
  errno?: number;
  sqlstate?: string;
  /** The violated key or constraint, by the server's name for it. */
  constraint?: string;
  /** More headers for the answer, without secrets. */
  headers?: Readonly<Record<string, string>>;
  /** Seconds; sent as Retry-After. Every 503 and 429 has one, and `idempotency_in_flight`. */
  retryAfter?: number;
  /** The methods that the endpoint accepts; sent as Allow with a 405 (RFC 9110 §15.5.6). */
  allow?: string;
  /** The index of the statement in its batch, counted from 0. */
  statement?: number;
  /** The state of the statement's transaction after the error. */
  transaction?: TransactionState;
  /** Replaces the code's own value. A read whose connection was lost may be sent again, a write may not. */
  retryable?: boolean;
}

/**
 * `open`: the transaction goes on; the statement had no effect. `ended`: a procedure ended it by COMMIT or
 * ROLLBACK. `unknown`: the statement may have been executed, and the transaction may still be open.
 */
export type TransactionState = "open" | "rolled_back" | "ended" | "unknown";

/** A failure on the request's path. `operator` goes to the log only. */
export class TidegateError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly operator: string | undefined;

  constructor(code: ErrorCode, details: ErrorDetails = {}, operator?: string) {
    super(details.detail ?? kinds[code].title);
    this.name = "TidegateError";
    this.code = code;
    this.details = details;
    this.operator = operator;
  }

  /** @returns the same error with more details */
  with(details: ErrorDetails): TidegateError {
    return new TidegateError(this.code, { ...this.details, ...details }, this.operator);
  }

  get status(): Kind["status"] {
    return kinds[this.code].status;
  }

  get fault(): Kind["fault"] {
    return kinds[this.code].fault;
  }

  get retryable(): boolean {
    return this.details.retryable ?? kinds[this.code].retryable;
  }
}

/** The wire form: RFC 9457 problem details with our extension members. */
export interface Problem extends Omit<ErrorDetails, "headers" | "retryAfter" | "allow" | "retryable"> {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  retryable: boolean;
  request_id: string;
}

/** @returns the problem document that the caller may read. */
export function toProblem(error: TidegateError, requestId: string): Problem {
  const { detail, reason, errors, errno, sqlstate, constraint, statement, transaction } = error.details;
  return {
    type: "about:blank",
    title: kinds[error.code].title,
    status: error.status,
    code: error.code,
    ...(detail === undefined ? {} : { detail }),
    ...(reason === undefined ? {} : { reason }),
    ...(errors === undefined ? {} : { errors }),
    ...(errno === undefined ? {} : { errno }),
    ...(sqlstate === undefined ? {} : { sqlstate }),
    ...(constraint === undefined ? {} : { constraint }),
    ...(statement === undefined ? {} : { statement }),
    ...(transaction === undefined ? {} : { transaction }),
    retryable: error.retryable,
    request_id: requestId,
  };
}

/** @returns `cause` itself if it is a TidegateError, else an `internal` error with its reason for the log */
export function asTidegateError(cause: unknown): TidegateError {
  if (cause instanceof TidegateError) return cause;
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new TidegateError("internal", {}, reason);
}

function caller<S extends Kind["status"]>(status: S, title: string) {
  return { status, fault: "caller", retryable: false, title } as const;
}

function operator<S extends Kind["status"]>(status: S, title: string) {
  return { status, fault: "operator", retryable: false, title } as const;
}

function unavailable(title: string) {
  return { status: 503, fault: "database", retryable: true, title } as const;
}
