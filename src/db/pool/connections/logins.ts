import { limits } from "../../../limits.ts";
import type { Timers } from "../../../timers.ts";

/** Counts the logins in progress. Those that began before a drain take room and serve no request. */
export class Logins {
  /** Set after a failed login: no login starts during this pause. */
  #pause: (() => void) | undefined;
  #serving = 0;
  #overtaken = 0;
  #drains = 0;

  /** How many will serve requests. */
  get serving(): number {
    return this.#serving;
  }

  /** All of them. */
  get size(): number {
    return this.#serving + this.#overtaken;
  }

  /** Counts one. @returns a function to call when it has ended: false if a drain came in between */
  begin(): () => boolean {
    this.#serving += 1;
    const drains = this.#drains;
    return () => {
      const serves = drains === this.#drains;
      if (serves) this.#serving -= 1;
      else this.#overtaken -= 1;
      return serves;
    };
  }

  get isPaused(): boolean {
    return this.#pause !== undefined;
  }

  /** @param then called after the pause */
  pause(timers: Timers, then: () => void): void {
    this.#pause ??= timers.after(limits.openPauseMs, () => {
      this.#pause = undefined;
      then();
    });
  }

  /** Ends a pause too: the cause of the last failed login may be mended now. */
  drain(): void {
    this.#pause?.();
    this.#pause = undefined;
    this.#drains += 1;
    this.#overtaken += this.#serving;
    this.#serving = 0;
  }
}
