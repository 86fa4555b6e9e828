import type { ErrorCode, TidegateError } from "./errors.ts";

/**
 * Every event that the gateway logs, as one union. Nothing else in src writes to the console. No event
 * carries a token, a password, a parameter's value or a statement's text.
 */
export type Event =
  | {
      event: "request";
      request_id: string;
      /** From the caller's `traceparent`, with OpenTelemetry's names. `span_id` is the gateway's own span. */
      trace_id?: string | undefined;
      span_id?: string | undefined;
      parent_span_id?: string | undefined;
      trace_flags?: string | undefined;
      method: string;
      route: string;
      status: number;
      code?: ErrorCode | undefined;
      /** Who must act. Set alarms for every value except `caller`. */
      fault?: TidegateError["fault"] | undefined;
      /** For the operator only. */
      reason?: string | undefined;
      /** `*`: every account (an operator's request). */
      account?: string | undefined;
      /** The deciding grant's place in the policy, counted from 0. */
      grant?: number | undefined;
      /** Why the answer is `access_denied`. */
      denial?: Denial | undefined;
      /** `verified`: in this request. `remembered`: in an earlier one. */
      token?: "verified" | "remembered" | undefined;
      issuer?: string | undefined;
      subject?: string | undefined;
      /**
       * The requested permission, by the name that grants use: `query:NAME`, `sql:read`, `operate` and so on.
       * `sql`: the statement was refused before its permission was known.
       */
      action?: string | undefined;
      /** The first 16 hex digits of SHA-256 over an ad-hoc statement's text without comments. */
      statement?: string | undefined;
      /** The answer was stored by an earlier request with the same Idempotency-Key. */
      replayed?: true | undefined;
      duration_ms: number;
      /** The phases of the request, as in the Server-Timing header. */
      timings?: string | undefined;
    }
  | { event: "misconfigured"; mistakes: readonly string[] }
  | { event: "connection_opened"; account: string; identity: string; host: string; duration_ms: number }
  | { event: "connection_refused"; account: string; host?: string; code: ErrorCode; reason: string }
  /** A host gave no login. The next configured host serves meanwhile. */
  | { event: "host_failed"; account: string; host: string; code: ErrorCode; retry_in_ms: number }
  | { event: "host_recovered"; account: string; host: string }
  /** The server refuses writes, for example after a failover. The account's connections to it are closed. */
  | { event: "host_read_only"; account: string; host: string }
  | { event: "connection_closed"; account: string; reason: string }
  /** A transaction over several requests ended. `reason` says how (docs/reference/errors.md); it may be `expired`. */
  | { event: "transaction_ended"; account: string; reason: string; duration_ms: number }
  /**
   * The cluster's own certificate or a CA of the bundle expires soon. Logged at most once a day for each
   * while a pool lives.
   */
  | {
      event: "certificate_expiring";
      account: string;
      kind: "server" | "ca";
      subject: string;
      days_left: number;
    }
  | { event: "keys_unavailable"; issuer: string; reason: string }
  /** The gateway does not use these keys of an issuer's set, for these reasons. */
  | { event: "keys_refused"; issuer: string; reasons: readonly string[] }
  /**
   * The result of a request with an Idempotency-Key could not be stored. A repetition gets `outcome_unknown`.
   */
  | { event: "ending_lost"; request_id: string; reason: string }
  /** A pool could not do a Worker's request, or its answer broke off. `reason` is for the operator only. */
  | {
      event: "work_failed";
      request_id: string;
      trace_id?: string;
      account: string;
      code: ErrorCode;
      reason?: string;
    };

export type Denial = "no_grant_matches" | "grant_does_not_allow" | "claim_missing";

/** The reasons of `access_denied` (docs/reference/errors.md). */
const denials: Readonly<Record<string, Denial>> = {
  no_grant_matches: "no_grant_matches",
  grant_does_not_allow: "grant_does_not_allow",
  missing_claim: "claim_missing",
  wrong_claim: "claim_missing",
};

/** @returns why access was denied; undefined if the failure is another one */
export function denialOf({ code, details }: TidegateError): Denial | undefined {
  return code === "access_denied" && details.reason !== undefined ? denials[details.reason] : undefined;
}

const warnings: ReadonlySet<Event["event"]> = new Set([
  "misconfigured",
  "connection_refused",
  "host_failed",
  "host_read_only",
  "certificate_expiring",
  "keys_unavailable",
  "keys_refused",
  "ending_lost",
]);

/** Writes one line of JSON. The platform's log stream adds the time. */
export function observe(event: Event): void {
  const line = JSON.stringify(event);
  if (warnings.has(event.event) || (event.event === "request" && event.status >= 500)) console.warn(line);
  else console.log(line);
}

/**
 * How long a request waited in each phase. Only waiting counts: a Worker's clock stands still while it
 * computes.
 */
export interface Timings {
  queueMs: number;
  connectMs: number;
  databaseMs: number;
}

/** @returns the value of a Server-Timing header (W3C Server Timing §2). */
export function serverTiming({ queueMs, connectMs, databaseMs }: Timings): string {
  return `queue;dur=${queueMs}, connect;dur=${connectMs}, db;dur=${databaseMs}`;
}
