import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { platformTimers, type Timers } from "../../../timers.ts";
import type { Drained } from "../../contract/requests.ts";
import type { CloseReason, ShardGauges } from "../messages/counters.ts";
import { type Lease, refuse, serve, type Waiter } from "./lease.ts";
import type { CheckoutOptions, Entry, Pooled } from "./pooled.ts";
import { type Holder, Shares, type Use } from "./shares.ts";

/** In the past, whatever the clock says. */
const over = Number.NEGATIVE_INFINITY;

/**
 * A bounded set of connections with a bounded queue in front. Connections open when they are needed. Checkout
 * lends them last in, first out, so unused ones grow old and close.
 */
export class Checkout<T extends Pooled> {
  readonly #options: CheckoutOptions<T> & { timers: Timers };
  readonly #entries = new Map<T, Entry>();
  readonly #idle: T[] = [];
  readonly #shares: Shares<Waiter<T>>;
  /** Logins in progress that will serve requests. */
  #opening = 0;
  /** Logins that began before the last drain. They take room and will serve no request. */
  #overtaken = 0;
  #drains = 0;
  /** Connections that have ended while their sockets are still open. */
  #closing = 0;
  /** Set after a failed login: no login starts during this pause. */
  #openPause: (() => void) | undefined;

  constructor(options: CheckoutOptions<T>) {
    this.#options = { timers: platformTimers, ...options };
    this.#shares = new Shares(options.share, options.queueLength);
  }

  /** How many requests wait for a connection. */
  get waiting(): number {
    return this.#shares.waiting;
  }

  /** Whether a caller without a connection would have to wait for another caller's. */
  get saturated(): boolean {
    return this.#idle.length === 0 && (this.#shares.servable > this.#opening || !this.#hasRoom());
  }

  /**
   * @param caller the owner of the request. Callers take turns, and each has at most its share
   * @param abandoned rejects if the request is abandoned; its place in the queue is then free
   * @returns a usable connection. Give it back with `release` or `discard`
   * @throws TidegateError `pool_full` at once, `pool_timeout` after the wait, or the error of the login
   */
  acquire(caller: string, abandoned?: Promise<never>, use: Use = "statement"): Promise<Lease<T>> {
    const connection = this.#shares.mayHave(caller) ? this.#takeIdle() : undefined;
    if (connection) {
      this.#lend(connection, { caller, use });
      return Promise.resolve({ connection, queueMs: 0, connectMs: 0 });
    }
    const refusal = this.#isServing() ? undefined : this.#options.refusal?.();
    if (refusal) return Promise.reject(refusal);
    const retryAfter = limits.retryAfterSeconds;
    return new Promise((resolve, reject) => {
      const waited = this.#options.timers.after(this.#options.queueWaitMs, () => {
        this.#shares.remove(waiter);
        reject(new TidegateError("pool_timeout", { retryAfter, ...this.#shares.timeoutDetail(caller) }));
      });
      const waiter: Waiter<T> = { caller, use, resolve, reject, since: Date.now(), waited };
      const loser = this.#shares.push(waiter);
      if (loser) refuse(loser, new TidegateError("pool_full", { retryAfter }));
      abandoned?.catch((why) => {
        this.#shares.remove(waiter);
        refuse(waiter, why);
      });
      this.#openIfNeeded();
    });
  }

  /** Gives back a connection whose session is as it was after login. */
  release(connection: T): void {
    const entry = this.#entries.get(connection);
    if (!entry?.holder || this.endIfExpired(connection)) return;
    if (!connection.usable) this.discard(connection, "lost");
    else {
      this.#takeBack(entry);
      this.#offer(connection, entry, 0);
    }
  }

  /** Gives back a connection that must not be used again. */
  discard(connection: T, reason: CloseReason, detail?: string): void {
    this.#end(connection, reason, detail, false);
  }

  /**
   * Ends a connection that has expired. Its session needs no restore.
   * @returns whether it had expired; then it is closed
   */
  endIfExpired(connection: T): boolean {
    const entry = this.#entries.get(connection);
    if (!entry || Date.now() < entry.expires) return false;
    this.#end(connection, entry.why ?? "lifetime");
    return true;
  }

  /**
   * Retires all connections and logins that began before now. Idle connections close at once, busy ones on
   * return. Waiting requests get new connections.
   */
  drain(): Drained {
    const idle = this.#idle.length;
    this.#drains += 1;
    this.#overtaken += this.#opening;
    this.#opening = 0;
    const opening = this.#overtaken;
    this.retire(() => true, "drained");
    const busy = this.#entries.size;
    // The cause of the last failed login may be mended now.
    this.#openPause?.();
    this.#openPause = undefined;
    while (this.#mayOpen()) this.#open();
    return { idle, busy, opening };
  }

  /** Retires connections: idle ones close at once, busy ones when they are given back. */
  retire(which: (connection: T) => boolean, why: CloseReason): void {
    for (const connection of this.#idle.filter(which)) this.#end(connection, why);
    for (const [connection, entry] of this.#entries)
      if (which(connection)) Object.assign(entry, { expires: over, why });
  }

  /** How many connections are in each state now. */
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
      entry.used?.();
      if (!connection.usable) this.discard(connection, "lost");
      else if (!this.endIfExpired(connection)) return connection;
    }
    return undefined;
  }

  #lend(connection: T, holder: Holder): void {
    const entry = this.#entries.get(connection);
    if (entry) entry.holder = holder;
    this.#shares.take(holder);
  }

  #takeBack(entry: Entry): void {
    if (entry.holder) this.#shares.give(entry.holder);
    entry.holder = undefined;
  }

  /** Gives a free connection to a waiting request. Without one, the connection becomes idle. */
  #offer(connection: T, entry: Entry, connectMs: number): void {
    const waiter = this.#shares.next();
    if (waiter) {
      this.#lend(connection, waiter);
      serve(waiter, connection, connectMs);
      this.#serveNext();
      return;
    }
    entry.used = this.#options.timers.after(this.#options.idleMs, () => this.#end(connection, "idle"));
    this.#idle.push(connection);
  }

  /** Called when a caller gets or returns a connection. Another request may now take a free one. */
  #serveNext(): void {
    const isFree = this.#idle.length > 0 && this.#shares.servable > 0;
    const connection = isFree ? this.#takeIdle() : undefined;
    const entry = connection && this.#entries.get(connection);
    if (entry) this.#offer(connection, entry, 0);
    else this.#openIfNeeded();
  }

  #openIfNeeded(): void {
    if (this.#mayOpen()) this.#open();
  }

  /** @returns whether a request waits without a login in progress for it, and there is room for one */
  #mayOpen(): boolean {
    return this.#openPause === undefined && this.#hasRoom() && this.#shares.servable > this.#opening;
  }

  #hasRoom(): boolean {
    const taken = this.#entries.size + this.#opening + this.#overtaken + this.#closing;
    return taken < this.#options.size;
  }

  /** @returns whether some connection serves now and has not expired */
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

  /** Counts a login that has ended. @returns false if a drain came during the login */
  #counts(drains: number): boolean {
    if (drains !== this.#drains) this.#overtaken -= 1;
    else this.#opening -= 1;
    return drains === this.#drains;
  }

  /** @param counts false for a login that began before a drain: its proof may be older than the drain */
  #adopt(connection: T, connectMs: number, counts: boolean): void {
    const jitter = 1 - Math.random() * limits.connectionLifetimeJitter;
    const expires = counts ? Date.now() + this.#options.lifetimeMs(connection) * jitter : over;
    const entry: Entry = { expires, ...(counts ? {} : { why: "drained" }) };
    this.#entries.set(connection, entry);
    void connection.lost.then((detail) => this.discard(connection, "lost", detail));
    if (!this.endIfExpired(connection)) this.#offer(connection, entry, connectMs);
  }

  /**
   * With other connections or logins, waiting requests are served later, and a new attempt follows soon.
   * Without any, refuse the waiting requests at once: waiting could only delay their failure.
   */
  #refuse(error: unknown): void {
    if (this.#isServing() || this.#opening > 0) {
      this.#openPause ??= this.#options.timers.after(limits.openPauseMs, () => {
        this.#openPause = undefined;
        this.#openIfNeeded();
      });
      return;
    }
    for (const waiter of this.#shares.empty()) refuse(waiter, error);
  }

  /** Ends a connection. COM_QUIT is sent only if the session is usable and its owner did not discard it. */
  #end(connection: T, reason: CloseReason, detail?: string, politely = connection.usable): void {
    const entry = this.#forget(connection);
    if (!entry) return;
    this.#closing += 1;
    if (politely) connection.close();
    else connection.destroy();
    this.#options.closed?.(reason, detail);
    void connection.gone.then(() => {
      this.#closing -= 1;
      this.#openIfNeeded();
    });
    if (!entry.holder) return;
    this.#takeBack(entry);
    this.#serveNext();
  }

  #forget(connection: T): Entry | undefined {
    const entry = this.#entries.get(connection);
    if (!entry) return undefined;
    entry.used?.();
    this.#entries.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    return entry;
  }
}
