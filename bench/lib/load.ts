import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Percentiles } from "./figures.ts";
import type { RequestKind, Series } from "./request.ts";

export interface LoadTask {
  /** The server's, without a path. */
  url: string;
  /** Of each request. */
  headers: Record<string, string>;
  requests: Series;
  /** The status of every answer; default: 200. */
  status?: number;
  /** The tokens of the requests, in turn: the name that LoadGenerator.keep got. */
  ring?: string;
  connections: number;
  /**
   * So many requests come at the times of independent callers, whatever is unanswered. Without it, each of the
   * connections asks again as soon as it has its answer.
   */
  perSecond?: number;
  durationSeconds: number;
}

/** A task in the form that the child gets. The child already has the requests. */
export interface ChildTask extends Omit<LoadTask, "requests"> {
  series: number;
}

/** Requests that several tasks send. The child continues where the previous task ended. */
export interface KeptSeries {
  series: number;
  requests: Series;
}

/** Bearer tokens that are used in turn, again and again, also from one task to the next. */
export interface Ring {
  ring: string;
  tokens: string[];
}

export interface LoadResult extends Percentiles {
  /** The number of answers with the right status. */
  requests: number;
  /** The latencies of each kind that the requests have. */
  kinds: Partial<Record<RequestKind, Percentiles>>;
  durationSeconds: number;
  notOk: number;
  wrongAnswers: number;
  errors: number;
  /** The first wrong answer or error. */
  firstWrong?: string;
}

/** A child process that sends requests and checks their answers. */
export class LoadGenerator {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, "load-child.ts"));
  readonly #series = new Map<Series, number>();

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Gives the tokens to the child once. If each task sent so many tokens, they would disturb the task. */
  keep(ring: Ring): void {
    this.#child.send(ring);
  }

  /**
   * @returns also when no answer came in time, as may be in a short warm-up
   * @throws Error if an answer has a wrong status or text, or a connection fails: such a number means
   * nothing
   */
  async run({ requests: series, ...task }: LoadTask): Promise<LoadResult> {
    const ended = new AbortController();
    const exit = once(this.#child, "exit", { signal: ended.signal }).then(() => {
      throw new Error("the load generator has ended");
    });
    exit.catch(() => {});
    try {
      this.#child.send({ ...task, series: this.#keepSeries(series) } satisfies ChildTask);
      const answered = once(this.#child, "message", { signal: ended.signal });
      const [result] = (await Promise.race([answered, exit])) as [LoadResult];
      const { requests, notOk, wrongAnswers, errors, firstWrong } = result;
      if (notOk + wrongAnswers + errors > 0) {
        throw new Error(
          `${task.url}${series[0].path}: ${requests} answers of the right status, ${notOk} of another, ${wrongAnswers} wrong answers, ${errors} errors. The first: ${firstWrong}`,
        );
      }
      return result;
    } finally {
      ended.abort();
    }
  }

  stop(): void {
    this.#child.kill();
  }

  /** Gives the child requests once, as `keep` does with tokens. @returns their number */
  #keepSeries(requests: Series): number {
    const known = this.#series.get(requests);
    if (known !== undefined) return known;
    const series = this.#series.size;
    this.#series.set(requests, series);
    this.#child.send({ series, requests } satisfies KeptSeries);
    return series;
  }
}
