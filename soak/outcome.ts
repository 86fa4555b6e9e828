import { type ErrorCode, errorKinds } from "../src/errors.ts";

/**
 * What a caller knows of a transfer. `refused`: for certain nothing of it was done. `unknown`: the answer says so, or
 * there was none.
 */
export type Outcome = "acknowledged" | "refused" | "unknown";

/** An answer as a caller has it; undefined where the connection broke off before it was there. */
export interface Answer {
  status: number;
  code?: string;
  errno?: number;
  retryable?: boolean;
  retryAfterSeconds?: number;
  /** The rest of its body. */
  body: Record<string, unknown>;
}

/** Whether a request could make a transfer happen: a batch or a COMMIT, and nothing else. */
export type Step = "decisive" | "preparing";

export interface Verdict {
  outcome: Outcome;
  /** The answer says that the same may be sent again. */
  retryable: boolean;
}

/** Codes with which anything may have happened; every other one means that nothing did (docs/errors.md). */
const uncertain: ReadonlySet<string> = new Set<ErrorCode>(["outcome_unknown", "internal", "misconfigured"]);

/** @returns what an answer means for the transfer that the request was for */
export function judge(step: Step, answer: Answer | undefined): Verdict {
  if (answer === undefined) return { outcome: step === "decisive" ? "unknown" : "refused", retryable: false };
  if (answer.status < 300) {
    return { outcome: step === "decisive" ? "acknowledged" : "refused", retryable: false };
  }
  const isCertain =
    step === "preparing" ||
    (answer.code !== undefined && answer.code in errorKinds && !uncertain.has(answer.code));
  return { outcome: isCertain ? "refused" : "unknown", retryable: answer.retryable === true };
}

/** Duplicate key: the only unique key of the ledger is the transfer's id. */
const duplicate = 1062;
/** A balance must not be negative: MySQL's number and MariaDB's. */
const checkFailed = [3819, 4025];

/** Codes that the faults and the callers' own races explain. */
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

/** @returns what is wrong with an answer whatever became of the transfer, or undefined */
export function complaint({ status, code, errno, retryable }: Answer): string | undefined {
  if (status < 300) return undefined;
  if (errno === duplicate) return "a transfer's id was there already: it was done though its answer said not";
  if (code === "outcome_unknown" && retryable) return "an unknown outcome was called retryable";
  if (errno !== undefined && checkFailed.includes(errno)) return undefined;
  if (code !== undefined && explained.has(code)) return undefined;
  return `an answer that no fault explains: ${status} ${code ?? "without a code"} ${errno ?? ""}`.trimEnd();
}
