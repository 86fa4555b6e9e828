import type { Pooled } from "../../../../../src/db/pool/connections/pooled.ts";

/** A connection of which a test decides what becomes of it. */
export class FakeConnection implements Pooled {
  readonly lost: Promise<string>;
  readonly gone: Promise<void>;
  usable = true;
  closed = 0;
  destroyed = 0;
  readonly #lose: (reason: string) => void;
  readonly #go: () => void;
  /** Set, its socket ends when the test says so. */
  lingers = false;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.lost = promise;
    this.#lose = resolve;
    const { promise: gone, resolve: go } = Promise.withResolvers<void>();
    this.gone = gone;
    this.#go = go;
  }

  isGone = false;

  /** Its socket ends. */
  go(): void {
    this.isGone = true;
    this.#go();
  }

  /** As when the server goes away. */
  lose(reason = "gone"): void {
    this.usable = false;
    this.#lose(reason);
    if (!this.lingers) this.go();
  }

  close(): void {
    this.closed += 1;
    this.lose("closed");
  }

  destroy(): void {
    this.destroyed += 1;
    this.lose("closed");
  }
}

/** Opens connections when the test says so. */
export class FakeServer {
  /** Logins that wait for `accept` or `refuse`. */
  readonly pending: PromiseWithResolvers<FakeConnection>[] = [];
  readonly opened: FakeConnection[] = [];

  open = (): Promise<FakeConnection> => {
    const login = Promise.withResolvers<FakeConnection>();
    this.pending.push(login);
    return login.promise;
  };

  /** Lets the oldest login succeed. */
  accept(): FakeConnection {
    const login = this.pending.shift();
    if (!login) throw new Error("no login is pending");
    const connection = new FakeConnection();
    this.opened.push(connection);
    login.resolve(connection);
    return connection;
  }

  /** Lets the oldest login fail. */
  refuse(error: unknown): void {
    const login = this.pending.shift();
    if (!login) throw new Error("no login is pending");
    login.reject(error);
  }
}
