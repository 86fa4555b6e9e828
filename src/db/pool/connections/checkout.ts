import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { platformTimers, type Timers } from "../../../timers.ts";
import type { Drained } from "../../contract/requests.ts";
import type { RunStatement } from "../../mysql/session/plain-run.ts";
import type { CloseReason, ShardGauges } from "../messages/counters.ts";
import { IdleConnections } from "./idle-connections.ts";
import { type Lease, refuse, serve, type Waiter } from "./lease.ts";
import { Logins } from "./logins.ts";
import type { CheckoutOptions, Entry, Pooled } from "./pooled.ts";
import { type Holder, Shares, type Use } from "./shares.ts";

/** In the past, whatever the clock says. */
const over = Number.NEGATIVE_INFINITY;

/**
 * A bounded set of connections with a bounded queue in front. Connections open when they are needed. A
 * connection in a run is restored before it serves a request that may not continue the run.
 */
export class Checkout<T extends Pooled> {
  readonly #options: CheckoutOptions<T> & { timers: Timers };
  readonly #entries = new Map<T, Entry>();
  readonly #idle: IdleConnections<T>;
  readonly #shares: Shares<Waiter<T>>;
  readonly #logins = new Logins();
  /** Connections that have ended while their sockets are still open. */
  #closing = 0;

  constructor(options: CheckoutOptions<T>) {
    this.#options = { timers: platformTimers, ...options };
    this.#idle = new IdleConnections({
      ...this.#options,
      expire: (connection) => this.#end(connection, "idle"),
    });
    this.#shares = new Shares(options.share, options.queueLength);
  }

  /** How many requests wait for a connection. */
  get waiting(): number {
    return this.#shares.waiting;
  }

  /** The waiting request whose turn it is. */
  get first(): Pick<Waiter<T>, "statement"> | undefined {
    return this.#shares.first;
  }

  /** Whether a caller without a connection would have to wait for another caller's. */
  get saturated(): boolean {
    return this.#idle.size === 0 && (this.#shares.servable > this.#logins.serving || !this.#hasRoom());
  }

  /**
   * @param caller the owner of the request. Callers take turns, and each has at most its share
   * @param abandoned rejects if the request is abandoned; its place in the queue is then free
   * @param statement given if it may continue a run. All other work gets a restored connection
   * @returns a usable connection. Give it back with `release` or `discard`
   * @throws TidegateError `pool_full` at once, `pool_timeout` after the wait, or the error of the login
   */
  acquire(
    caller: string,
    abandoned?: Promise<never>,
    use: Use = "statement",
    statement?: RunStatement,
  ): Promise<Lease<T>> {
    // A caller does not overtake its own requests that wait.
    const connection = this.#shares.isWaiting(caller) ? undefined : this.#takeIdle(caller, statement);
    if (connection) {
      this.#lend(connection, { caller, use });
      this.#idle.keepSpare();
      if (this.waiting > 0) this.#serveNext(); // Its last caller may have room now.
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
      const waiter: Waiter<T> = { caller, use, statement, resolve, reject, since: Date.now(), waited };
      const loser = this.#shares.push(waiter);
      if (loser) refuse(loser, new TidegateError("pool_full", { retryAfter }));
      abandoned?.catch((why) => {
        this.#shares.remove(waiter);
        refuse(waiter, why);
      });
      // The caller's share may be in runs that nobody continues.
      if (!this.#shares.mayHave(caller)) this.#idle.restoreOne((one) => this.#isOf(caller, one));
      this.#prepareIfNeeded();
    });
  }

  /** Gives back a connection whose session is as it was after login, or in a run. */
  release(connection: T): void {
    const entry = this.#entries.get(connection);
    if (!entry?.holder || this.endIfExpired(connection)) return;
    this.#idle.remove(connection);
    if (!connection.usable) this.discard(connection, "lost");
    else this.#offer(connection, entry, 0);
  }

  /** Gives back a connection that must not be used again. */
  discard(connection: T, reason: CloseReason, detail?: string): void {
    this.#end(connection, reason, detail, false);
  }

  /** Ends a connection that has expired. It needs no restore. @returns whether it had expired */
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
    const idle = this.#idle.size;
    this.#logins.drain();
    const opening = this.#logins.size;
    this.retire(() => true, "drained");
    const busy = this.#entries.size;
    while (this.#mayOpen()) this.#open();
    return { idle, busy, opening };
  }

  /** Retires connections: idle ones close at once, busy ones when they are given back. */
  retire(which: (connection: T) => boolean, why: CloseReason): void {
    // First none of them may serve, because the end of one gives its caller room for another.
    for (const [connection, entry] of this.#entries)
      if (which(connection)) Object.assign(entry, { expires: over, why });
    this.#idle.retire(which);
    for (const connection of this.#idle.which(which)) this.#end(connection, why);
  }

  /** How many connections are in each state now. */
  get gauges(): ShardGauges {
    const idle = this.#idle.size;
    const busy = this.#entries.size - idle;
    return { idle, busy, opening: this.#logins.size, closing: this.#closing, waiting: this.waiting };
  }

  #takeIdle(caller: string, statement?: RunStatement): T | undefined {
    const hasRoom = this.#shares.mayHave(caller);
    const take = () => this.#idle.takeFor(statement, (one) => hasRoom || this.#isOf(caller, one));
    for (let connection = take(); connection; connection = take()) {
      if (!connection.usable) this.discard(connection, "lost");
      else if (!this.endIfExpired(connection)) return connection;
    }
    return undefined;
  }

  #lend(connection: T, holder: Holder): void {
    const entry = this.#entries.get(connection);
    if (entry?.holder) this.#shares.give(entry.holder);
    if (entry) entry.holder = holder;
    this.#shares.take(holder);
  }

  /** Whether the connection counts for the caller. One in a run does until it is restored. */
  #isOf(caller: string, connection: T): boolean {
    return this.#entries.get(connection)?.holder?.caller === caller;
  }

  /**
   * Gives a free connection to a waiting request that it fits, or restores it for one that it does not fit.
   * Otherwise it becomes idle.
   */
  #offer(connection: T, entry: Entry, connectMs: number): void {
    const { holder } = entry;
    if (holder) this.#shares.give(holder);
    entry.holder = undefined;
    const next = this.#shares.match((one) => connection.mayServe(one.statement), this.#idle.restoring);
    const isServed = typeof next === "object";
    if (isServed) this.#serve(next, connection, connectMs);
    else if (holder && connection.isInRun) this.#lend(connection, holder);
    if (next === "restore") this.#idle.restore(connection);
    else if (!isServed) this.#idle.add(connection);
  }

  #serve(waiter: Waiter<T>, connection: T, connectMs: number): void {
    this.#shares.next(waiter);
    this.#lend(connection, waiter);
    serve(waiter, connection, connectMs);
    this.#serveNext();
  }

  /** Called when a caller gets or returns a connection. Another request may now take a free one. */
  #serveNext(): void {
    const first = this.#idle.size > 0 ? this.#shares.first : undefined;
    const connection = first && this.#takeIdle(first.caller, first.statement);
    if (connection) this.#serve(first, connection, 0);
    else this.#prepareIfNeeded();
  }

  /** Restores or opens a connection if a request waits without one of both in progress for it. */
  #prepareIfNeeded(): void {
    if (this.#shares.servable > this.#idle.restoring && this.#idle.restoreOne()) return;
    if (this.#mayOpen()) this.#open();
  }

  #mayOpen(): boolean {
    const isAwaited = this.#shares.servable > this.#logins.serving + this.#idle.restoring;
    return !this.#logins.isPaused && this.#hasRoom() && isAwaited;
  }

  #hasRoom(): boolean {
    return this.#entries.size + this.#logins.size + this.#closing < this.#options.size;
  }

  /** @returns whether some connection serves now and has not expired */
  #isServing(): boolean {
    return [...this.#entries.values()].some(({ expires }) => Date.now() < expires);
  }

  #open(): void {
    const ended = this.#logins.begin();
    const since = Date.now();
    this.#options.open().then(
      (connection) => this.#adopt(connection, Date.now() - since, ended()),
      (error) => (ended() ? this.#refuse(error) : this.#prepareIfNeeded()),
    );
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
    if (this.#isServing() || this.#logins.serving > 0) {
      this.#logins.pause(this.#options.timers, () => this.#prepareIfNeeded());
      return;
    }
    for (const waiter of this.#shares.empty()) refuse(waiter, error);
  }

  /** Ends a connection. COM_QUIT is sent only if the session is usable and its owner did not discard it. */
  #end(connection: T, reason: CloseReason, detail?: string, politely = connection.usable): void {
    const entry = this.#entries.get(connection);
    if (!entry) return;
    this.#entries.delete(connection);
    this.#idle.remove(connection);
    this.#closing += 1;
    if (politely) connection.close();
    else connection.destroy();
    this.#options.closed?.(reason, detail);
    void connection.gone.then(() => {
      this.#closing -= 1;
      this.#prepareIfNeeded();
    });
    if (!entry.holder) return;
    this.#shares.give(entry.holder);
    entry.holder = undefined;
    this.#serveNext();
  }
}
