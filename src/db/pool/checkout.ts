import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";

/** What the pool needs to know of a connection. */
export interface Pooled {
  readonly usable: boolean;
  /** Settled when the connection is gone. */
  readonly lost: Promise<string>;
  close(): void;
  destroy(): void;
}

export interface CheckoutOptions<T extends Pooled> {
  open: () => Promise<T>;
  size: number;
  queueLength: number;
  queueWaitMs: number;
  lifetimeMs: number;
  idleMs: number;
  closed?: (reason: string) => void;
}

export interface Lease<T> {
  connection: T;
  /** How long the request waited, and how much of that was a login it had to wait for. */
  queueMs: number;
  connectMs: number;
}

interface Waiter<T> {
  resolve: (lease: Lease<T>) => void;
  reject: (error: unknown) => void;
  since: number;
  timer: ReturnType<typeof setTimeout>;
}

interface Entry {
  expires: number;
  /** Handed out: only then can it be given back, and only once. */
  busy: boolean;
  idleTimer?: ReturnType<typeof setTimeout>;
}

/**
 * A bounded set of connections and a bounded queue before it. Connections are opened when they are needed
 * and handed out last in, first out, so that unused ones grow old and close.
 */
export class Checkout<T extends Pooled> {
  readonly #options: CheckoutOptions<T>;
  readonly #entries = new Map<T, Entry>();
  readonly #idle: T[] = [];
  readonly #waiting: Waiter<T>[] = [];
  #opening = 0;
  /** While this runs, no further login is tried: the last one failed. */
  #openPause: ReturnType<typeof setTimeout> | undefined;

  constructor(options: CheckoutOptions<T>) {
    this.#options = options;
  }

  /**
   * @returns a usable connection, which the caller must give back with `release` or `discard`
   * @throws TidegateError `pool_full` at once, `pool_timeout` after the wait, or what opening failed with
   */
  acquire(): Promise<Lease<T>> {
    const connection = this.#takeIdle();
    if (connection) return Promise.resolve({ connection, queueMs: 0, connectMs: 0 });
    const retryAfter = limits.retryAfterSeconds;
    if (this.#waiting.length >= this.#options.queueLength) {
      return Promise.reject(new TidegateError("pool_full", { retryAfter }));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(new TidegateError("pool_timeout", { retryAfter }));
      }, this.#options.queueWaitMs);
      const waiter: Waiter<T> = { resolve, reject, since: Date.now(), timer };
      this.#waiting.push(waiter);
      this.#openIfNeeded();
    });
  }

  /** Gives back a connection that is as it was after login. */
  release(connection: T): void {
    const entry = this.#entries.get(connection);
    if (!entry?.busy) return;
    if (!connection.usable || Date.now() >= entry.expires) {
      this.discard(connection, "lifetime");
      return;
    }
    const waiter = this.#waiting.shift();
    if (waiter) {
      serve(waiter, connection, 0);
      return;
    }
    entry.busy = false;
    entry.idleTimer = setTimeout(() => this.#retire(connection), this.#options.idleMs);
    this.#idle.push(connection);
  }

  /** Gives back a connection that must not be used again. */
  discard(connection: T, reason: string): void {
    if (!this.#forget(connection)) return;
    if (connection.usable && reason === "lifetime") connection.close();
    else connection.destroy();
    this.#options.closed?.(reason);
    this.#openIfNeeded();
  }

  #takeIdle(): T | undefined {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      const entry = this.#entries.get(connection);
      if (!entry) continue;
      clearTimeout(entry.idleTimer);
      entry.busy = true;
      if (connection.usable && Date.now() < entry.expires) return connection;
      this.discard(connection, "lifetime");
    }
    return undefined;
  }

  #openIfNeeded(): void {
    if (this.#waiting.length <= this.#opening || this.#openPause !== undefined) return;
    if (this.#entries.size + this.#opening >= this.#options.size) return;
    this.#opening += 1;
    const since = Date.now();
    this.#options.open().then(
      (connection) => {
        this.#opening -= 1;
        this.#adopt(connection, Date.now() - since);
      },
      (error) => {
        this.#opening -= 1;
        this.#refuse(error);
      },
    );
  }

  #adopt(connection: T, connectMs: number): void {
    const jitter = 1 - Math.random() * limits.connectionLifetimeJitter;
    this.#entries.set(connection, { expires: Date.now() + this.#options.lifetimeMs * jitter, busy: true });
    void connection.lost.then((reason) => {
      if (!this.#forget(connection)) return;
      connection.destroy();
      this.#options.closed?.(reason);
      this.#openIfNeeded();
    });
    const waiter = this.#waiting.shift();
    if (waiter) serve(waiter, connection, connectMs);
    else this.release(connection);
  }

  /**
   * While others are open or on their way they serve whoever waits, and another attempt is made a little
   * later. While there is nothing, everybody who waits would only fail later, one by one: they are told now.
   */
  #refuse(error: unknown): void {
    if (this.#entries.size > 0 || this.#opening > 0) {
      this.#openPause ??= setTimeout(() => {
        this.#openPause = undefined;
        this.#openIfNeeded();
      }, limits.openPauseMs);
      return;
    }
    for (const waiter of this.#waiting.splice(0)) {
      clearTimeout(waiter.timer);
      waiter.reject(error);
    }
  }

  #retire(connection: T): void {
    this.#idle.splice(this.#idle.indexOf(connection), 1);
    if (!this.#forget(connection)) return;
    connection.close();
    this.#options.closed?.("idle");
  }

  #forget(connection: T): boolean {
    const entry = this.#entries.get(connection);
    if (!entry) return false;
    clearTimeout(entry.idleTimer);
    this.#entries.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    return true;
  }
}

function serve<T>(waiter: Waiter<T>, connection: T, connectMs: number): void {
  clearTimeout(waiter.timer);
  const waited = Date.now() - waiter.since;
  // Somebody else's login may have served this waiter: it waited for no longer than it was there.
  const connect = Math.min(connectMs, waited);
  waiter.resolve({ connection, queueMs: waited - connect, connectMs: connect });
}
