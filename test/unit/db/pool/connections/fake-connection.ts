import type { RunStatement } from "../../../../../src/db/mysql/session/plain-run.ts";
import type { Pooled } from "../../../../../src/db/pool/connections/pooled.ts";

/** A connection that a test controls. */
export class FakeConnection implements Pooled {
  readonly lost: Promise<string>;
  readonly gone: Promise<void>;
  usable = true;
  /** The texts that may continue its run; undefined if it is restored. */
  run: readonly string[] | undefined;
  closed = 0;
  destroyed = 0;
  readonly #lose: (reason: string) => void;
  readonly #go: () => void;
  /** If set, its socket ends when the test calls `go`. */
  lingers = false;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.lost = promise;
    this.#lose = resolve;
    const { promise: gone, resolve: go } = Promise.withResolvers<void>();
    this.gone = gone;
    this.#go = go;
  }

  get isInRun(): boolean {
    return this.run !== undefined;
  }

  mayServe(statement?: RunStatement): boolean {
    return this.run === undefined || (statement !== undefined && this.run.includes(statement.sql));
  }

  isGone = false;

  /** Ends its socket. */
  go(): void {
    this.isGone = true;
    this.#go();
  }

  /** Acts as if the server had gone. */
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

/** A server that opens connections when the test lets it. */
export class FakeServer {
  /** The logins that wait for `accept` or `refuse`. */
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
