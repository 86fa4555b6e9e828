import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export interface LoadTask {
  url: string;
  headers: Record<string, string>;
  /** Every answer must be exactly this. */
  body: string;
  connections: number;
  durationSeconds: number;
}

export interface LoadResult {
  /** Answers with status 200. */
  requests: number;
  durationSeconds: number;
  p50Ms: number;
  p99Ms: number;
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

  /** @throws when an answer is not 200 or has another body, or a connection fails: such a number means nothing */
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
          `${task.url}: ${requests} answers of 200, ${notOk} of another status, ${wrongBodies} wrong bodies, ${errors} errors. The first: ${firstWrong}`,
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
