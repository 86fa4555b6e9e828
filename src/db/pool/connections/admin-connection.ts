/** The requirements for the admin connection's session. */
export interface AdminSession<S> {
  readonly usable: boolean;
  /** Settled when the connection is gone. */
  readonly lost: Promise<string>;
  /** Whether a KILL on this connection can end the statement of `other`. */
  reaches(other: S): boolean;
  /** @returns whether the server acknowledged the KILL for the statement of `other` */
  kill(other: S): Promise<boolean>;
  /** @throws if the server does not answer */
  ping(): Promise<void>;
  close(): void;
  destroy(): void;
}

export interface AdminConnectionOptions<S> {
  /** Opens a connection beside the pooled ones, on the host of `other`. There is a socket slot for one. */
  open: (other?: S) => Promise<S>;
  /** How long the connection serves, and how long it stays open unused. */
  lifetimeMs: number;
  idleMs: number;
  killed: (acknowledged: boolean) => void;
}

/**
 * The one connection of a shard that runs no caller's statement. It exists for KILL: closing a socket does
 * not end a statement (MySQL continues until it has something to send), so another connection of the same
 * login must kill it. Kills run one after another. The connection stays open until it is idle or old.
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

  /** Opens the connection before a KILL needs it. The connector logs a failure. */
  prepare(other: S): void {
    void this.#connect(other).catch(() => {});
  }

  /**
   * @returns whether the server acknowledged the KILL. Only then is the next statement on `other` safe: tests
   *   have seen an unacknowledged KILL hit the next statement
   */
  async kill(other: S): Promise<boolean> {
    const killing = this.#turn.then(() => this.#kill(other));
    this.#turn = killing;
    const acknowledged = await killing;
    this.#options.killed(acknowledged);
    return acknowledged;
  }

  /** Pings the server while all other connections are busy. @throws if the server does not answer */
  async ping(): Promise<void> {
    const pinging = this.#turn.then(async () => (await this.#connect()).ping());
    this.#turn = pinging.catch(() => this.end());
    await pinging;
  }

  async #kill(other: S): Promise<boolean> {
    // Without its connection, a session cannot be killed.
    if (!other.usable) return false;
    const known = this.#session;
    let used: S | undefined;
    try {
      used = await this.#connect(other);
      return await used.kill(other);
    } catch {
      this.end();
      // An existing admin connection may have died unnoticed. So send the KILL again over a new one.
      // The first KILL may still arrive, so `other` must not be used again even if the second one is
      // acknowledged.
      if (used && used === known) await this.#killAnew(other).catch(() => this.end());
      return false;
    }
  }

  async #killAnew(other: S): Promise<void> {
    await (await this.#connect(other)).kill(other);
  }

  /**
   * @param other the session to reach. With several hosts, the admin connection may be on another server, or
   *   on its way to one
   */
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
    throw new Error("no admin connection reaches the statement's server");
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

  /** Closes the connection. The next use opens another. */
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
