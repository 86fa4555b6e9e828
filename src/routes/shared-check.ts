import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import { within } from "../within.ts";

/** What a check found: nothing, or what is wrong. */
export interface Finding {
  error?: TidegateError;
}

/**
 * One check for everybody who asks. What it found holds for a while. Later checks keep nobody waiting but the one who
 * starts them: the others get the finding before. The first check has none before it, so everybody waits for it.
 */
export class SharedCheck {
  #last: (Finding & { at: number }) | undefined;
  #running: { since: number; finding: Promise<Finding> } | undefined;

  /**
   * @param check asks anew
   * @param keepAlive lets a check end although the one who started it goes away
   */
  async ask(
    check: () => Promise<Finding>,
    keepAlive: (checking: Promise<unknown>) => void = () => {},
  ): Promise<Finding> {
    const now = Date.now();
    if (this.#last && now - this.#last.at < limits.readinessAgeMs) return this.#last;
    const leftMs = (this.#running?.since ?? 0) + limits.readinessPatienceMs - now;
    // A check that the platform has ended never says anything: it is not waited for without end.
    if (!this.#running || leftMs <= 0) return await this.#start(check, keepAlive, now);
    return this.#last ?? (await within(this.#running.finding, leftMs, late));
  }

  async #start(
    check: () => Promise<Finding>,
    keepAlive: (checking: Promise<unknown>) => void,
    since: number,
  ): Promise<Finding> {
    const running = { since, finding: check() };
    this.#running = running;
    const finished = running.finding
      .then(
        (finding) => {
          // Another one has taken its place where it took too long.
          if (this.#running === running) this.#last = { ...finding, at: Date.now() };
        },
        () => {},
      )
      .then(() => {
        if (this.#running === running) this.#running = undefined;
      });
    keepAlive(finished);
    return await running.finding;
  }
}

function late(): Finding {
  const details = { retryAfter: limits.retryAfterSeconds };
  return { error: new TidegateError("database_unreachable", details, "the first check has not ended") };
}
