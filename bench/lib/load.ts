import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Percentiles } from "./figures.ts";

export interface LoadTask {
  url: string;
  headers: Record<string, string>;
  /** The exact body of every answer. */
  body: string;
  /** The status of every answer; default: 200. */
  status?: number;
  /** The tokens of the requests, in turn: the name that LoadGenerator.keep got. */
  ring?: string;
  connections: number;
  durationSeconds: number;
}

/** Bearer tokens that are used in turn, again and again, also from one task to the next. */
export interface Ring {
  ring: string;
  tokens: string[];
}

export interface LoadResult extends Percentiles {
  /** The number of answers with the right status. */
  requests: number;
  durationSeconds: number;
  notOk: number;
  wrongBodies: number;
  errors: number;
  /** The first wrong answer or error. */
  firstWrong?: string;
}

/** A child process that sends each request right after the answer to the previous one. */
export class LoadGenerator {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, "load-child.ts"));

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Gives the tokens to the child once. If each task sent so many tokens, they would disturb the task. */
  keep(ring: Ring): void {
    this.#child.send(ring);
  }

  /**
   * @throws Error if an answer has a wrong status or body, or a connection fails: such a number means
   * nothing
   */
  async run(task: LoadTask): Promise<LoadResult> {
    const ended = new AbortController();
    const exit = once(this.#child, "exit", { signal: ended.signal }).then(() => {
      throw new Error("the load generator has ended");
    });
    exit.catch(() => {});
    try {
      this.#child.send(task);
      const answered = once(this.#child, "message", { signal: ended.signal });
      const [result] = (await Promise.race([answered, exit])) as [LoadResult];
      const { requests, notOk, wrongBodies, errors, firstWrong } = result;
      if (requests === 0 || notOk + wrongBodies + errors > 0) {
        throw new Error(
          `${task.url}: ${requests} answers of the right status, ${notOk} of another, ${wrongBodies} wrong bodies, ${errors} errors. The first: ${firstWrong}`,
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
}
