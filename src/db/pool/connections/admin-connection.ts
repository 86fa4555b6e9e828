/** What the control connection needs to be. */
export interface AdminSession<S> {
  readonly usable: boolean;
  /** Settled when the connection is gone. */
  readonly lost: Promise<string>;
  /** Whether a KILL on this connection can end what `other` runs. */
  reaches(other: S): boolean;
  /** @returns whether the server acknowledged that it ends what `other` runs */
  kill(other: S): Promise<boolean>;
  /** @throws when the server does not answer */
  ping(): Promise<void>;
  close(): void;
  destroy(): void;
}

export interface AdminConnectionOptions<S> {
  /** Logs in beside the pooled connections, on the host of another one; there is room for one. */
  open: (other?: S) => Promise<S>;
  /** How long it serves, and how long it is kept unused. */
  lifetimeMs: number;
  idleMs: number;
  killed: (acknowledged: boolean) => void;
}

/**
 * The one connection of a shard on which no caller's statement runs: closing a socket does not end a statement (MySQL
 * goes on until it has something to send), so it is ended with KILL over another one of the same login. Kills take
 * turns, and the connection stays for the next one until it is idle or old.
 */
export class AdminConnection<S extends AdminSession<S>> {
  readonly #options: AdminConnectionOptions<S>;
  #opening: Promise<S> | undefined;
  #session: S | undefined;
  #expires = 0;
  #ends = 0;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: AdminConnectionOptions<S>) {
    this.#options = options;
  }

  /** Opens it ahead of its use, for what `other` runs; why that fails is observed where it is opened. */
  prepare(other: S): void {
    void this.#connect(other).catch(() => {});
  }

  /**
   * @returns whether the server acknowledged: only then can what comes next on `other` not be hit by it
   * (an unacknowledged KILL was seen to hit the next statement)
   */
  async kill(other: S): Promise<boolean> {
    const killing = this.#turn.then(() => this.#kill(other));
    this.#turn = killing;
    const acknowledged = await killing;
    this.#options.killed(acknowledged);
    return acknowledged;
  }

  /** Asks the server whether it answers, where every other connection is busy. @throws when it does not */
  async ping(): Promise<void> {
    const pinging = this.#turn.then(async () => (await this.#connect()).ping());
    this.#turn = pinging.catch(() => this.end());
    await pinging;
  }

  async #kill(other: S): Promise<boolean> {
    // What has lost its connection is out of reach.
    if (!other.usable) return false;
    const known = this.#session;
    let used: S | undefined;
    try {
      used = await this.#connect(other);
      return await used.kill(other);
    } catch {
      this.end();
      // A connection that was there may have died without a word. What was sent on it may still arrive, so whatever
      // another one acknowledges, `other` must not be used again.
      if (used && used === known) await this.#killAnew(other).catch(() => this.end());
      return false;
    }
  }

  async #killAnew(other: S): Promise<void> {
    await (await this.#connect(other)).kill(other);
  }

  /** @param other which must be in its reach: with several hosts it may be on another server, or on its way there */
  async #connect(other?: S): Promise<S> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const known = this.#session;
      if (known && (!known.usable || !isInReach(known, other) || Date.now() >= this.#expires)) this.end();
      if (!this.#session) {
        this.#opening ??= this.#open(other).finally(() => {
          this.#opening = undefined;
        });
        await this.#opening;
      }
      const session = this.#session as S | undefined;
      if (!session || !isInReach(session, other)) continue;
      clearTimeout(this.#idleTimer);
      this.#idleTimer = setTimeout(() => this.end(), this.#options.idleMs);
      return session;
    }
    throw new Error("no control connection reaches the statement's server");
  }

  async #open(other: S | undefined): Promise<S> {
    const ends = this.#ends;
    const session = await this.#options.open(other);
    if (ends !== this.#ends) {
      session.close();
      throw new Error("it was ended before it was open");
    }
    this.#session = session;
    this.#expires = Date.now() + this.#options.lifetimeMs;
    void session.lost.then(() => {
      if (this.#session === session) this.end();
    });
    return session;
  }

  /** Closes it; the next use opens another. */
  end(): void {
    this.#ends += 1;
    clearTimeout(this.#idleTimer);
    const session = this.#session;
    this.#session = undefined;
    if (session?.usable) session.close();
    else session?.destroy();
  }
}

function isInReach<S extends AdminSession<S>>(session: S, other: S | undefined): boolean {
  return other === undefined || session.reaches(other);
}
