import { limits } from "./limits.ts";

/** Runs things later. */
export interface Timers {
  /** @returns how to say that it need not run any more */
  after(ms: number, run: () => void): () => void;
}

/** The platform's own, for what ends with its request: there they end too. */
export const platformTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Timers of an object that lives for long. workerd keeps some 280 bytes of each timer that was cleared until the object
 * ends, and a request has four of them (docs/performance.md). So the platform's timers are never cleared here: a few of them
 * run for all that is set, to their end. A second after the last one is over none is left, and the object may sleep.
 */
export class SharedTimers implements Timers {
  readonly #set = new Set<{ at: number; run: () => void }>();
  /** When the platform's timers run, the earliest last. */
  #armed: number[] = [];

  after(ms: number, run: () => void): () => void {
    const timer = { at: Date.now() + ms, run };
    this.#set.add(timer);
    this.#arm(timer.at);
    return () => {
      this.#set.delete(timer);
    };
  }

  /** How many are set. */
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
    // Before anything runs, which may fail.
    if (next) this.#arm(next.at);
    const failures: unknown[] = [];
    for (const timer of waiting.filter(({ at }) => at <= now)) {
      // One that ran before it may have called it off.
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
