import type { HistogramData } from "../../../exposition.ts";
import type { Link } from "../../links/link.ts";
import type { CloseReason, Result, ShardGauges, ShardMetrics } from "../messages/counters.ts";
import { closeReasons } from "../messages/counters.ts";

/** The counts of a shard since its object started. An object that slept or moved begins with zero. */

/**
 * @param detail the driver's or the server's words
 * @returns the reason for the log. For a lost connection the words alone say enough
 */
export function closeText(reason: CloseReason, detail?: string): string {
  if (reason === "lost" && detail !== undefined) return detail;
  const words = reason.replaceAll("_", " ");
  return detail === undefined ? words : `${words}: ${detail}`;
}

/** In seconds. The range is from a statement near the cluster to the longest deadline. */
const boundsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export class ShardCounters {
  readonly #startedMs = Date.now();
  #created = 0;
  readonly #closed: Record<string, number> = Object.fromEntries(closeReasons.map((reason) => [reason, 0]));
  readonly #refused: Record<string, number> = {};
  readonly #unserved: Record<string, number> = {};
  readonly #restores = { ok: 0, failed: 0 };
  readonly #kills = { ok: 0, failed: 0 };
  readonly #wait = new Histogram();
  readonly #statements = new Histogram();

  /** A connection has joined the pool. */
  created(): void {
    this.#created += 1;
  }

  closed(reason: CloseReason): void {
    count(this.#closed, reason);
  }

  /** @param code an error code of errors.ts */
  refused(code: string): void {
    count(this.#refused, code);
  }

  unserved(code: string): void {
    count(this.#unserved, code);
  }

  waited(ms: number): void {
    this.#wait.add(ms / 1000);
  }

  ran(ms: number): void {
    this.#statements.add(ms / 1000);
  }

  restored(result: Result): void {
    this.#restores[result] += 1;
  }

  killed(result: Result): void {
    this.#kills[result] += 1;
  }

  read(
    gauges: ShardGauges,
    limit: number,
    { certificate, handshakes }: Pick<Link, "certificate" | "handshakes">,
  ): ShardMetrics {
    return {
      startedMs: this.#startedMs,
      gauges,
      limit,
      created: this.#created,
      closed: this.#closed,
      refused: this.#refused,
      unserved: this.#unserved,
      restores: this.#restores,
      kills: this.#kills,
      wait: this.#wait.read(),
      statements: this.#statements.read(),
      certificate,
      ...(handshakes && { handshakes }),
    };
  }
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

class Histogram {
  readonly #counts = Array.from({ length: boundsSeconds.length + 1 }, () => 0);
  #sum = 0;

  add(value: number): void {
    const bucket = boundsSeconds.findIndex((bound) => value <= bound);
    const at = bucket < 0 ? boundsSeconds.length : bucket;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  read(): HistogramData {
    return { bounds: boundsSeconds, counts: [...this.#counts], sum: this.#sum };
  }
}
