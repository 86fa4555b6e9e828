import { type ErrorCode, errorKinds } from "../src/errors.ts";

/**
 * A caller's knowledge about a transfer. `refused`: it certainly changed nothing. `unknown`: the answer says
 * so, or there was no answer.
 */
export type Outcome = "acknowledged" | "refused" | "unknown";

/** An answer at the caller; undefined if the connection broke before it arrived. */
export interface Answer {
  status: number;
  code?: string;
  errno?: number;
  retryable?: boolean;
  retryAfterSeconds?: number;
  /** The other members of its body. */
  body: Record<string, unknown>;
}

/**
 * `decisive`: the request could execute the transfer: a batch or a COMMIT. `preparing`: any other request.
 */
export type Step = "decisive" | "preparing";

export interface Judgement {
  outcome: Outcome;
  /** The answer says that the same request may be sent again. */
  retryable: boolean;
}

/**
 * Codes after which the transfer may have been executed. After every other code it was not (docs/reference/errors.md).
 */
const uncertain: ReadonlySet<string> = new Set<ErrorCode>(["outcome_unknown", "internal", "misconfigured"]);

/** @returns the meaning of an answer for its transfer */
export function judge(step: Step, answer: Answer | undefined): Judgement {
  if (answer === undefined) return { outcome: step === "decisive" ? "unknown" : "refused", retryable: false };
  if (answer.status < 300) {
    return { outcome: step === "decisive" ? "acknowledged" : "refused", retryable: false };
  }
  const isCertain =
    step === "preparing" ||
    (answer.code !== undefined && answer.code in errorKinds && !uncertain.has(answer.code));
  return { outcome: isCertain ? "refused" : "unknown", retryable: answer.retryable === true };
}

/** Error number of a duplicate key. The ledger's only unique key is the transfer's id. */
const duplicate = 1062;
/** Error numbers for a negative balance: of MySQL and of MariaDB. */
const checkFailed = [3819, 4025];

/** Codes that the faults, or races between callers, explain. */
const explained: ReadonlySet<string> = new Set<ErrorCode>([
  "sql_transient",
  "transaction_busy",
  "transaction_unknown",
  "transaction_expired",
  "transaction_ended",
  "transaction_lost",
  "transactions_exceeded",
  "transactions_full",
  "pool_full",
  "pool_timeout",
  "database_unreachable",
  "database_unavailable",
  "database_tls_failed",
  "connection_lost",
  "outcome_unknown",
  "deadline_exceeded",
]);

/** @returns a mistake of the answer itself, apart from its transfer; undefined if there is none */
export function complaint({ status, code, errno, retryable }: Answer): string | undefined {
  if (status < 300) return undefined;
  if (errno === duplicate) return "a transfer's id was there already: it was done though its answer said not";
  if (code === "outcome_unknown" && retryable) return "an unknown outcome was called retryable";
  if (errno !== undefined && checkFailed.includes(errno)) return undefined;
  if (code !== undefined && explained.has(code)) return undefined;
  return `an answer that no fault explains: ${status} ${code ?? "without a code"} ${errno ?? ""}`.trimEnd();
}
