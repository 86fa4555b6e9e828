/** What the gateway says of a refused request (RFC 9457); docs/reference/errors.md has each member. */
export interface Problem {
  code: string;
  title?: string;
  detail?: string;
  reason?: string;
  retryable?: boolean;
  request_id?: string;
  transaction?: "open" | "rolled_back" | "ended" | "unknown";
  errors?: ParameterFault[];
  errno?: number;
  sqlstate?: string;
  constraint?: string;
  statement?: number;
}

/** One wrong parameter of a saved query. */
export interface ParameterFault {
  path: string;
  reason: string;
  detail: string;
}

/**
 * A request that failed. Compare `code`: one of the gateway's, or one of the client's own:
 *
 * - `network_failed`: no answer came;
 * - `answer_foreign`: an answer that is not the gateway's, such as a proxy's page;
 * - `content_type_wrong`: a good status, and not the type that was asked for;
 * - `answer_cut`: the answer ended before its end;
 * - `number_unsafe`: a BIGINT that no JavaScript number holds, with `bigint: "number"`;
 * - `outcome_unknown`: also a commit whose answers were lost.
 *
 * No message has a token or a value.
 */
export class TidegateError extends Error {
  // `declare`: the constructor sets them all at once.
  declare readonly code: string;
  /** The HTTP status; 0 if no answer came. */
  declare readonly status: number;
  declare readonly reason: string | undefined;
  declare readonly detail: string | undefined;
  /** Whether the same request may be sent again. The client has done so already, as far as `retry` allows. */
  declare readonly retryable: boolean;
  /** Names the request in the gateway's log. */
  declare readonly requestId: string | undefined;
  /** What has become of the transaction. */
  declare readonly transaction: Problem["transaction"];
  /** Every wrong parameter of a saved query. */
  declare readonly errors: readonly ParameterFault[];
  /** The gateway's document, whole; of the client's own codes only what it knows. */
  declare readonly problem: Problem;
  /** The least time until the next try, as the answer says it. */
  declare readonly retryAfterMs: number;

  constructor(problem: Problem, status = 0, retryAfterMs = 0, cause?: unknown) {
    const {
      code,
      title,
      detail,
      reason,
      retryable = false,
      request_id: requestId,
      transaction,
      errors = [],
    } = problem;
    super(`${code}: ${detail ?? title}`);
    const own = { status, retryable, requestId, transaction, errors, problem, retryAfterMs, cause };
    Object.assign(this, own, { name: "TidegateError", code, reason, detail });
  }
}

/** Makes an error of the client's own. */
export function ownError(
  code: string,
  detail: string,
  status?: number,
  retryable = false,
  cause?: unknown,
): TidegateError {
  return new TidegateError({ code, detail, retryable }, status, 0, cause);
}
