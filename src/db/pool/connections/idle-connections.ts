import { limits } from "../../../limits.ts";
import type { Timers } from "../../../timers.ts";
import type { RunStatement } from "../../mysql/session/plain-run.ts";
import type { Pooled } from "./pooled.ts";

export interface IdleOptions<T> {
  timers: Timers;
  idleMs: number;
  /** Restores a connection in a run. It is then given back, or discarded. */
  restore: (connection: T) => void;
  /** Ends a connection that was idle for `idleMs`. */
  expire: (connection: T) => void;
}

/**
 * The connections that no request uses: idle ones, and those in a restore between runs. The last one given
 * back is lent first, so unused ones grow old and close. A statement that may continue a run takes a
 * connection in a run first. So few connections are in runs, and the others stay restored for requests that
 * need that.
 */
export class IdleConnections<T extends Pooled> {
  readonly #options: IdleOptions<T>;
  /** With the function that stops its timer. The last one given back is at the end. */
  readonly #idle = new Map<T, () => void>();
  readonly #restoring = new Set<T>();

  constructor(options: IdleOptions<T>) {
    this.#options = options;
  }

  /** How many are idle. */
  get size(): number {
    return this.#idle.size;
  }

  /** How many are in a restore. */
  get restoring(): number {
    return this.#restoring.size;
  }

  which(matches: (connection: T) => boolean): T[] {
    return [...this.#idle.keys()].filter(matches);
  }

  add(connection: T): void {
    const { timers, idleMs, expire } = this.#options;
    const stop = connection.isInRun
      ? timers.after(limits.lastRunIdleMs, () => this.#restoreOrWait(connection))
      : timers.after(idleMs, () => expire(connection));
    this.#idle.set(connection, stop);
  }

  #restoreOrWait(connection: T): void {
    const restore = () => this.restore(connection);
    if (!this.#hasSpare) return void restore();
    const left = limits.runIdleMs - limits.lastRunIdleMs;
    this.#idle.set(connection, this.#options.timers.after(left, restore));
  }

  remove(connection: T): void {
    this.#idle.get(connection)?.();
    this.#idle.delete(connection);
    this.#restoring.delete(connection);
  }

  /**
   * Takes a connection that may serve the statement now, or any work if there is no statement.
   * @param mayHave whether the caller may have it
   */
  takeFor(statement: RunStatement | undefined, mayHave: (connection: T) => boolean): T | undefined {
    let best: T | undefined;
    for (const connection of this.#idle.keys()) {
      if (!mayHave(connection)) continue;
      if (connection.isInRun) {
        if (statement && connection.mayServe(statement)) best = connection;
      } else if (!best?.isInRun) best = connection;
    }
    if (best) this.remove(best);
    return best;
  }

  restore(connection: T): void {
    this.remove(connection);
    this.#restoring.add(connection);
    this.#options.restore(connection);
  }

  /**
   * Restores the connection that is in a run and idle for the longest time.
   * @param which only one of these
   * @returns whether there is one
   */
  restoreOne(which: (connection: T) => boolean = () => true): boolean {
    for (const connection of this.#idle.keys()) {
      if (!connection.isInRun || !which(connection)) continue;
      this.restore(connection);
      return true;
    }
    return false;
  }

  /** These will serve nobody after their restores. */
  retire(which: (connection: T) => boolean): void {
    for (const connection of this.#restoring) if (which(connection)) this.#restoring.delete(connection);
  }

  /** Restores one if no other is restored or in a restore: the next request may need it at once. */
  keepSpare(): void {
    if (this.#idle.size > 0 && !this.#hasSpare) this.restoreOne();
  }

  get #hasSpare(): boolean {
    if (this.#restoring.size > 0) return true;
    for (const { isInRun } of this.#idle.keys()) if (!isInRun) return true;
    return false;
  }
}
