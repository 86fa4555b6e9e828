import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Percentiles } from "./figures.ts";

export interface LoadTask {
  url: string;
  headers: Record<string, string>;
  /** Every answer must be exactly this. */
  body: string;
  /** The status that every answer must have; 200 if nothing is said. */
  status?: number;
  /** The tokens that the requests bring, one after the other: the name that LoadGenerator.keep was given. */
  ring?: string;
  connections: number;
  durationSeconds: number;
}

/** Bearer tokens that are used in turn, over and over, from one task to the next. */
export interface Ring {
  ring: string;
  tokens: string[];
}

export interface LoadResult extends Percentiles {
  /** Answers with the status that they must have. */
  requests: number;
  durationSeconds: number;
  notOk: number;
  wrongBodies: number;
  errors: number;
  /** The first answer or error that was not as it must be. */
  firstWrong?: string;
}

/** A child process that sends requests as fast as they are answered. */
export class LoadGenerator {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, "load-child.ts"));

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Gives the child tokens once: sent with each task, so many would disturb the task. */
  keep(ring: Ring): void {
    this.#child.send(ring);
  }

  /** @throws when an answer has another status or body than it must, or a connection fails: such a number means nothing */
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
