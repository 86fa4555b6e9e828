import type { HistogramData } from "../../../exposition.ts";
import type { Link } from "../../links/link.ts";

/** Why a pooled connection ended. */
export const closeReasons = [
  "idle",
  "lifetime",
  "drained",
  "left",
  "stopped",
  "not_killed",
  "not_restored",
  "ping_failed",
  "commit_failed",
  "rollback_failed",
  "lost",
] as const;
export type CloseReason = (typeof closeReasons)[number];

/** What of a shard is so right now. */
export interface ShardGauges {
  idle: number;
  /** Handed out, or being restored. */
  busy: number;
  opening: number;
  /** Sockets that have not ended yet: they take up room. */
  closing: number;
  waiting: number;
}

/** The answer to the work `metrics`. */
export interface ShardMetrics {
  startedMs: number;
  gauges: ShardGauges;
  limit: number;
  created: number;
  closed: Record<string, number>;
  /** Logins that failed, by the code of their error. */
  refused: Record<string, number>;
  /** Requests that got no connection, likewise. */
  unserved: Record<string, number>;
  restores: Record<Result, number>;
  kills: Record<Result, number>;
  wait: HistogramData;
  statements: HistogramData;
  certificate?: Link["certificate"];
  handshakes?: Link["handshakes"];
}

export type Result = "ok" | "failed";
