import { limits } from "./limits.ts";

/** Runs functions later. */
export interface Timers {
  /** @returns a function that cancels the timer */
  after(ms: number, run: () => void): () => void;
}

/** The platform's timers, for code that ends with its request, as these timers do. */
export const platformTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Timers for a long-lived object. workerd keeps about 280 bytes of each cleared timer until the object ends,
 * and a request has four of them (docs/explanation/performance.md). So this class never clears a platform timer: a few of
 * them run to their end for all timers that are set. A second after the last one is due none is left, and the
 * object may sleep.
 */
export class SharedTimers implements Timers {
  readonly #set = new Set<{ at: number; run: () => void }>();
  /** The due times of the running platform timers, the earliest last. */
  #armed: number[] = [];

  after(ms: number, run: () => void): () => void {
    const timer = { at: Date.now() + ms, run };
    this.#set.add(timer);
    this.#arm(timer.at);
    return () => {
      this.#set.delete(timer);
    };
  }

  /** The number of timers that are set. */
  get size(): number {
    return this.#set.size;
  }

  #arm(at: number): void {
    const now = Date.now();
    const next = Math.max(now, Math.min(at, now + limits.timerTickMs));
    const earliest = this.#armed.at(-1);
    if (earliest !== undefined && earliest <= next) return;
    this.#armed.push(next);
    setTimeout(() => this.#look(next), next - now);
  }

  #look(armed: number): void {
    this.#armed = this.#armed.filter((at) => at !== armed);
    const now = Date.now();
    const waiting = [...this.#set].sort((one, other) => one.at - other.at);
    const next = waiting.find(({ at }) => at > now);
    // Arm first, because a timer's function may throw.
    if (next) this.#arm(next.at);
    const failures: unknown[] = [];
    for (const timer of waiting.filter(({ at }) => at <= now)) {
      // An earlier function may have cancelled this timer.
      if (!this.#set.delete(timer)) continue;
      try {
        timer.run();
      } catch (cause) {
        failures.push(cause);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
