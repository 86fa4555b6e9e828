import { limits } from "../../../limits.ts";
import type { Timers } from "../../../timers.ts";
import type { Loss } from "./connection-lost.ts";
import { lossError } from "./connection-lost.ts";

/** Ends the wait for an answer when the connection is lost. A session does one thing at a time. */
export class LossWatch {
  /** Settled once, when the connection is lost, with the reason for the log. */
  readonly lost: Promise<string>;
  readonly #loss = Promise.withResolvers<string>();
  readonly #timers: Timers;
  #because: Loss | undefined;
  /** Rejects the wait in progress. */
  #abort: ((loss: Loss) => void) | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
    this.lost = this.#loss.promise;
  }

  get isLost(): boolean {
    return this.#because !== undefined;
  }

  lose(loss: Loss): void {
    this.#because ??= loss;
    this.#abort?.(this.#because);
    this.#loss.resolve(this.#because.reason);
  }

  /** The answer is complete: from now on a loss does not change its outcome. */
  answered(): void {
    this.#abort = undefined;
  }

  /** @throws what `work` throws, or `error` if the connection is lost before that or is lost already */
  async unlessLost<T>(work: () => Promise<T>, error: (loss: Loss) => Error): Promise<T> {
    if (this.#because !== undefined) throw error(this.#because);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = (loss: Loss) => reject(error(loss));
    this.#abort = abort;
    const working = work();
    // The other promise may fail later. This avoids an unhandled rejection.
    working.catch(() => {});
    try {
      return await Promise.race([working, aborted]);
    } finally {
      // With all answers of a burst there, the next command may already have set another `#abort`.
      if (this.#abort === abort) this.#abort = undefined;
    }
  }

  /**
   * As `unlessLost`, for the gateway's commands. Without a reply in time, the connection counts as lost.
   * @param late closes the connection
   */
  async soon<T>(
    work: () => Promise<T>,
    late: () => void,
    deadlineMs: number = limits.commandDeadlineMs,
  ): Promise<T> {
    const reason = `no reply within ${deadlineMs} ms`;
    const answered = this.#timers.after(deadlineMs, () => {
      this.lose({ reason });
      late();
    });
    try {
      return await this.unlessLost(work, lossError);
    } finally {
      answered();
    }
  }
}
