import type { ErrorCode, TidegateError } from "./errors.ts";

/**
 * Everything worth observing, as one union. Logs derive from it here; nothing else in src writes to the
 * console. No event carries a token, a password, a parameter's value or a statement's text.
 */
export type Event =
  | {
      event: "request";
      request_id: string;
      /** Of the caller's trace (`traceparent`), by OpenTelemetry's names; `span_id` is the gateway's own span. */
      trace_id?: string;
      span_id?: string;
      parent_span_id?: string;
      trace_flags?: string;
      method: string;
      route: string;
      status: number;
      code?: ErrorCode;
      /** Whose matter the error is: alarms are for what is not the caller's. */
      fault?: TidegateError["fault"];
      /** For the operator only. */
      reason?: string;
      /** `*`: every account (an operator's request). */
      account?: string;
      /** Whether the token was verified for this request, or remembered from one before. */
      token?: "verified" | "remembered";
      issuer?: string;
      subject?: string;
      /**
       * What was asked for, as grants name it: `query:NAME`, `sql:read`, `operate` and so on. `sql`: a statement that was
       * refused before its permission was known.
       */
      action?: string;
      /** SHA-256 of an ad-hoc statement's text without its comments, the first 16 hex digits. */
      statement?: string;
      /** The answer is that of an earlier request with the same Idempotency-Key. */
      replayed?: true;
      duration_ms: number;
      /** Where the time went, as Server-Timing tells the caller. */
      timings?: string;
    }
  | { event: "misconfigured"; mistakes: readonly string[] }
  | { event: "connection_opened"; account: string; identity: string; host: string; duration_ms: number }
  | { event: "connection_refused"; account: string; host?: string; code: ErrorCode; reason: string }
  /** The way to a host does not lead to a login; the next one of the configuration serves meanwhile. */
  | { event: "host_failed"; account: string; host: string; code: ErrorCode; retry_in_ms: number }
  | { event: "host_recovered"; account: string; host: string }
  /** The server takes no writes, as after a failover: the account's connections to it are closed. */
  | { event: "host_read_only"; account: string; host: string }
  | { event: "connection_closed"; account: string; reason: string }
  /** A transaction over several requests; `reason` is how it ended (docs/errors.md), `expired` among them. */
  | { event: "transaction_ended"; account: string; reason: string; duration_ms: number }
  /** Of the cluster's own certificate, or a CA of the bundle; once a day at most for each while a pool lives. */
  | {
      event: "certificate_expiring";
      account: string;
      kind: "server" | "ca";
      subject: string;
      days_left: number;
    }
  | { event: "keys_unavailable"; issuer: string; reason: string }
  /** Keys of an issuer's set that are not used, and why. */
  | { event: "keys_refused"; issuer: string; reasons: readonly string[] }
  /** How a request with an Idempotency-Key ended could not be kept: its repetition is told `outcome_unknown`. */
  | { event: "ending_lost"; request_id: string; reason: string }
  /** A pool could not do what a Worker asked, or its answer broke off; `reason` is for the operator only. */
  | {
      event: "work_failed";
      request_id: string;
      trace_id?: string;
      account: string;
      code: ErrorCode;
      reason?: string;
    };

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

/** Writes one line of JSON; the platform's log stream adds the time. */
export function observe(event: Event): void {
  const line = JSON.stringify(event);
  if (warnings.has(event.event) || (event.event === "request" && event.status >= 500)) console.warn(line);
  else console.log(line);
}

/** Phases a request waited in; a Worker's clock stands still while it computes. */
export interface Timings {
  queueMs: number;
  connectMs: number;
  databaseMs: number;
}

/** @returns the value of a Server-Timing header (W3C Server Timing §2). */
export function serverTiming({ queueMs, connectMs, databaseMs }: Timings): string {
  return `queue;dur=${queueMs}, connect;dur=${connectMs}, db;dur=${databaseMs}`;
}
