import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { FairQueue } from "./fair-queue.ts";
import type { ShardGauges } from "./metrics.ts";
import type { Drained } from "./protocol.ts";
import type { Lease, Waiter } from "./waiter.ts";
import { refuse, serve } from "./waiter.ts";

/** What the pool needs to know of a connection. */
export interface Pooled {
  readonly usable: boolean;
  /** Settled when the connection is gone. */
  readonly lost: Promise<string>;
  /** Settled when its socket has really ended, which may be later: until then it takes up room. */
  readonly gone: Promise<void>;
  close(): void;
  destroy(): void;
}

export interface CheckoutOptions<T extends Pooled> {
  open: () => Promise<T>;
  size: number;
  queueLength: number;
  queueWaitMs: number;
  lifetimeMs: (connection: T) => number;
  idleMs: number;
  /** Why nothing can be opened now, when that is known beforehand: then nobody needs to wait. */
  refusal?: () => TidegateError | undefined;
  closed?: (reason: string) => void;
}

interface Entry {
  /** When it has served for long enough, in milliseconds since 1970; `drained` after a drain. */
  expires: number;
  /** Handed out: only then can it be given back, and only once. */
  busy: boolean;
  idleTimer?: ReturnType<typeof setTimeout>;
}

/** Expired long ago, whatever the clock says. */
const drained = Number.NEGATIVE_INFINITY;

/**
 * A bounded set of connections and a bounded queue before it. Connections are opened when they are needed
 * and handed out last in, first out, so that unused ones grow old and close.
 */
export class Checkout<T extends Pooled> {
  readonly #options: CheckoutOptions<T>;
  readonly #entries = new Map<T, Entry>();
  readonly #idle: T[] = [];
  readonly #queue: FairQueue<Waiter<T>>;
  /** Logins under way that will count. */
  #opening = 0;
  /** Logins that began before the last drain: they take up room, and serve nobody. */
  #overtaken = 0;
  #drains = 0;
  /** Connections that have ended, whose sockets have not yet. */
  #closing = 0;
  /** While this runs, no further login is tried: the last one failed. */
  #openPause: ReturnType<typeof setTimeout> | undefined;

  constructor(options: CheckoutOptions<T>) {
    this.#options = options;
    this.#queue = new FairQueue(options.queueLength);
  }

  /** How many wait for a connection. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Whether whoever asks now would wait for somebody else's connection. */
  get saturated(): boolean {
    return this.#idle.length === 0 && (this.#queue.size > this.#opening || !this.#hasRoom());
  }

  /**
   * @param caller whose request it is: callers take turns
   * @param abandoned rejects when nobody waits for it any more: its place is free then
   * @returns a usable connection, which must be given back with `release` or `discard`
   * @throws TidegateError `pool_full` at once, `pool_timeout` after the wait, or what opening failed with
   */
  acquire(caller: string, abandoned?: Promise<never>): Promise<Lease<T>> {
    const connection = this.#takeIdle();
    if (connection) return Promise.resolve({ connection, queueMs: 0, connectMs: 0 });
    const refusal = this.#isServing() ? undefined : this.#options.refusal?.();
    if (refusal) return Promise.reject(refusal);
    const retryAfter = limits.retryAfterSeconds;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#queue.remove(waiter);
        reject(new TidegateError("pool_timeout", { retryAfter }));
      }, this.#options.queueWaitMs);
      const waiter: Waiter<T> = { caller, resolve, reject, since: Date.now(), timer };
      const loser = this.#queue.push(waiter);
      if (loser) refuse(loser, new TidegateError("pool_full", { retryAfter }));
      abandoned?.catch((why) => {
        this.#queue.remove(waiter);
        refuse(waiter, why);
      });
      this.#openIfNeeded();
    });
  }

  /** Gives back a connection that is as it was after login. */
  release(connection: T): void {
    const entry = this.#entries.get(connection);
    if (!entry?.busy || this.endIfExpired(connection)) return;
    if (!connection.usable) {
      this.discard(connection, "lost");
      return;
    }
    const waiter = this.#queue.shift();
    if (waiter) {
      serve(waiter, connection, 0);
      return;
    }
    entry.busy = false;
    entry.idleTimer = setTimeout(() => this.#end(connection, "idle"), this.#options.idleMs);
    this.#idle.push(connection);
  }

  /** Gives back a connection that must not be used again. */
  discard(connection: T, reason: string): void {
    this.#end(connection, reason, false);
  }

  /**
   * Gives back a connection that will not serve again, as it is: nobody has to clean it up before.
   * @returns whether it was one; if so it is closed now
   */
  endIfExpired(connection: T): boolean {
    const entry = this.#entries.get(connection);
    if (!entry || Date.now() < entry.expires) return false;
    this.#end(connection, entry.expires === drained ? "drained" : "lifetime");
    return true;
  }

  /**
   * From now on nothing serves that was opened before, or whose login began before: idle connections close
   * at once, busy ones when they are given back. Whoever waits gets a new one.
   */
  drain(): Drained {
    const idle = [...this.#idle];
    this.#drains += 1;
    this.#overtaken += this.#opening;
    this.#opening = 0;
    const opening = this.#overtaken;
    for (const connection of idle) this.#end(connection, "drained");
    for (const entry of this.#entries.values()) entry.expires = drained;
    const busy = this.#entries.size;
    // Why the last login failed may be what has been changed.
    clearTimeout(this.#openPause);
    this.#openPause = undefined;
    while (this.#mayOpen()) this.#open();
    return { idle: idle.length, busy, opening };
  }

  /** How many there are of each kind now. */
  get gauges(): ShardGauges {
    const idle = this.#idle.length;
    const opening = this.#opening + this.#overtaken;
    const busy = this.#entries.size - idle;
    return { idle, busy, opening, closing: this.#closing, waiting: this.waiting };
  }

  #takeIdle(): T | undefined {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      const entry = this.#entries.get(connection);
      if (!entry) continue;
      clearTimeout(entry.idleTimer);
      entry.busy = true;
      if (!connection.usable) this.discard(connection, "lost");
      else if (!this.endIfExpired(connection)) return connection;
    }
    return undefined;
  }

  #openIfNeeded(): void {
    if (this.#mayOpen()) this.#open();
  }

  /** @returns whether somebody waits for whom no login is under way, and there is room for one */
  #mayOpen(): boolean {
    if (this.#queue.size <= this.#opening || this.#openPause !== undefined) return false;
    return this.#hasRoom();
  }

  #hasRoom(): boolean {
    const taken = this.#entries.size + this.#opening + this.#overtaken + this.#closing;
    return taken < this.#options.size;
  }

  /** @returns whether some connection serves now and will again */
  #isServing(): boolean {
    return [...this.#entries.values()].some(({ expires }) => Date.now() < expires);
  }

  #open(): void {
    this.#opening += 1;
    const since = Date.now();
    const drains = this.#drains;
    this.#options.open().then(
      (connection) => this.#adopt(connection, Date.now() - since, this.#counts(drains)),
      (error) => (this.#counts(drains) ? this.#refuse(error) : this.#openIfNeeded()),
    );
  }

  /** A login has ended. @returns whether no drain has overtaken it */
  #counts(drains: number): boolean {
    if (drains !== this.#drains) this.#overtaken -= 1;
    else this.#opening -= 1;
    return drains === this.#drains;
  }

  /** @param counts false: it may have been let in, and proven, the moment before what a drain was for */
  #adopt(connection: T, connectMs: number, counts: boolean): void {
    const jitter = 1 - Math.random() * limits.connectionLifetimeJitter;
    const expires = counts ? Date.now() + this.#options.lifetimeMs(connection) * jitter : drained;
    this.#entries.set(connection, { expires, busy: true });
    void connection.lost.then((reason) => this.discard(connection, reason));
    const waiter = counts ? this.#queue.shift() : undefined;
    if (waiter) serve(waiter, connection, connectMs);
    else this.release(connection);
  }

  /**
   * While others will serve again or are on their way they serve whoever waits, and another attempt is made
   * a little later. Without them everybody who waits would only fail later, one by one: they are told now.
   */
  #refuse(error: unknown): void {
    if (this.#isServing() || this.#opening > 0) {
      this.#openPause ??= setTimeout(() => {
        this.#openPause = undefined;
        this.#openIfNeeded();
      }, limits.openPauseMs);
      return;
    }
    for (const waiter of this.#queue.empty()) refuse(waiter, error);
  }

  /** Ends a connection; by its own fault or the server's without a goodbye. */
  #end(connection: T, reason: string, politely = connection.usable): void {
    if (!this.#forget(connection)) return;
    this.#closing += 1;
    if (politely) connection.close();
    else connection.destroy();
    this.#options.closed?.(reason);
    void connection.gone.then(() => {
      this.#closing -= 1;
      this.#openIfNeeded();
    });
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
