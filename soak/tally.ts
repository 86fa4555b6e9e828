import type { HealthRule } from "./health.ts";
import type { TransferRecord, Violation } from "./oracle.ts";
import type { Answer } from "./outcome.ts";
import { complaint } from "./outcome.ts";

/** How a transfer is sent. */
export type Way = "batch" | "transaction";

/** What happened in a run, as the callers saw it. Times are in milliseconds since it began. */
export class Tally {
  readonly #startedMs = performance.now();
  readonly records: TransferRecord[] = [];
  /** When transfers were acknowledged, in order. */
  readonly acknowledgedMs: number[] = [];
  /** Of each acknowledged transfer, the try that was: from its first request to its last answer. */
  readonly latenciesMs: Record<Way, number[]> = { batch: [], transaction: [] };
  /** Answers by status and code. */
  readonly answers = new Map<string, number>();
  /** Answers that are wrong by themselves, the first of each kind. */
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

  /** @param what the request; it names no value */
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

/** Queue, login, deadline, COMMIT and KILL have bounds of their own, which together are less than this. */
export const patienceMs = 60_000;
