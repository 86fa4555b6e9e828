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

/** The current state of a shard. */
export interface ShardGauges {
  idle: number;
  /** Lent, or in a restore. */
  busy: number;
  opening: number;
  /** Sockets that have not ended yet. They take room. */
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
  /** Failed logins by error code. */
  refused: Record<string, number>;
  /** Requests without a connection, by error code. */
  unserved: Record<string, number>;
  restores: Record<Result, number>;
  kills: Record<Result, number>;
  wait: HistogramData;
  statements: HistogramData;
  certificate?: Link["certificate"];
  handshakes?: Link["handshakes"];
}

export type Result = "ok" | "failed";
