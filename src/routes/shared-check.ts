import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import { within } from "../within.ts";

/** The result of a check: an error, or nothing. */
export interface Finding {
  error?: TidegateError;
}

/**
 * One check for all requests. Its finding holds for a while. Later, only the request that starts a new check
 * waits for it, and the others get the previous finding. During the first check all requests wait, because
 * there is no previous finding.
 */
export class SharedCheck {
  #last: (Finding & { at: number }) | undefined;
  #running: { since: number; finding: Promise<Finding> } | undefined;

  /**
   * @param check runs a new check
   * @param keepAlive lets a check end even if the request that started it is gone
   */
  async ask(
    check: () => Promise<Finding>,
    keepAlive: (checking: Promise<unknown>) => void = () => {},
  ): Promise<Finding> {
    const now = Date.now();
    if (this.#last && now - this.#last.at < limits.readinessAgeMs) return this.#last;
    const leftMs = (this.#running?.since ?? 0) + limits.readinessPatienceMs - now;
    // If the platform has ended a check, it never settles. So no request waits for it longer than the limit.
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
          // A newer check may have replaced this one, if this one took too long.
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
