import type { HealthRule } from "./health.ts";
import type { TransferRecord, Violation } from "./oracle.ts";
import type { Answer } from "./outcome.ts";
import { complaint } from "./outcome.ts";

/** How a transfer is sent. */
export type Way = "batch" | "transaction";

/** The events of a run, from the callers' view. Times are in milliseconds since the run began. */
export class Tally {
  readonly #startedMs = performance.now();
  readonly records: TransferRecord[] = [];
  /** The times of acknowledged transfers, in order. */
  readonly acknowledgedMs: number[] = [];
  /**
   * For each acknowledged transfer, the time of the successful attempt, from its first request to its last
   * answer.
   */
  readonly latenciesMs: Record<Way, number[]> = { batch: [], transaction: [] };
  /** The number of answers by status and code. */
  readonly answers = new Map<string, number>();
  /** Wrong answers, the first of each kind. */
  readonly complaints = new Map<string, string>();
  slowestAnswerMs = 0;
  /** Requests that the caller gave up on purpose. */
  abandoned = 0;
  retries = 0;

  nowMs(): number {
    return performance.now() - this.#startedMs;
  }

  acknowledged(way: Way, startedMs: number): void {
    this.acknowledgedMs.push(this.nowMs());
    this.latenciesMs[way].push(this.nowMs() - startedMs);
  }

  /** @param what the request, without values */
  answered(what: string, startedMs: number, answer: Answer | undefined): void {
    const ms = this.nowMs() - startedMs;
    this.slowestAnswerMs = Math.max(this.slowestAnswerMs, ms);
    const label = answer === undefined ? "cut off" : [answer.status, answer.code].filter(Boolean).join(" ");
    this.answers.set(label, (this.answers.get(label) ?? 0) + 1);
    const wrong = answer && complaint(answer);
    if (wrong === undefined || this.complaints.has(wrong)) return;
    const at = `at ${(startedMs / 1000).toFixed(1)} s`;
    this.complaints.set(wrong, `${what} ${at}: ${wrong}: ${JSON.stringify(answer?.body)}`);
  }

  violations(): Violation<HealthRule>[] {
    const explained = [...this.complaints.values()].map((detail) => ({ rule: "explained", detail }) as const);
    if (this.slowestAnswerMs < patienceMs) return explained;
    return [
      ...explained,
      { rule: "answered in time", detail: `a request had no answer after ${patienceMs / 1000} s` },
    ];
  }
}

/** Longer than the bounds of queue, login, deadline, COMMIT and KILL together. */
export const patienceMs = 60_000;
