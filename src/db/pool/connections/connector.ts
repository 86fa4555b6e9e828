import type { Account, Config } from "../../../config/config.ts";
import type { Host } from "../../../config/schema.ts";
import type { ErrorCode } from "../../../errors.ts";
import { asTidegateError, TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { observe } from "../../../telemetry.ts";
import type { Timers } from "../../../timers.ts";
import type { Link } from "../../links/link.ts";
import { selectLink } from "../../links/select.ts";
import type { ServerErrorKind } from "../../mysql/engines/server-errors.ts";
import { PlainStatements } from "../../mysql/session/plain-statements.ts";
import { Session } from "../../mysql/session/session.ts";
import { WarnedStatements } from "../../mysql/session/warned-statements.ts";
import { ExpiryWatch } from "./certificate-expiry.ts";
import { HostFailover, isHostFailure } from "./host-failover.ts";
import { SocketSlots } from "./socket-slots.ts";

/** The object that the connector reports to. */
export interface ConnectorOptions {
  /** The timers of the object that holds the sessions. */
  timers: Timers;
  /** Called for each failed login. */
  refused(code: ErrorCode): void;
  /** Retires the connections that match: they must not serve again. */
  retire(which: (session: Session) => boolean): void;
}

/** Opens one account's connections: to the best reachable host, within the limit of sockets. */
export class Connector {
  readonly #config: Config;
  readonly #account: Account;
  readonly #link: Link;
  readonly #hosts: HostFailover;
  readonly #sockets = new SocketSlots(limits.connectionsPerShard);
  readonly #adminSockets = new SocketSlots(limits.adminConnectionsPerShard);
  /** The host of each connection. */
  readonly #leads = new WeakMap<Session, Host>();
  /** Sessions whose server was read-only at login. Another server may not exist. */
  readonly #readOnlyFromLogin = new WeakSet<Session>();
  readonly #expiry = new ExpiryWatch();
  readonly #warned = new WarnedStatements();
  readonly #plain: PlainStatements | undefined;
  readonly #options: ConnectorOptions;

  constructor(config: Config, account: Account, options: ConnectorOptions) {
    this.#options = options;
    this.#config = config;
    this.#account = account;
    this.#link = selectLink(config);
    this.#plain = account.restore === "always" ? undefined : new PlainStatements(config.cluster.engine);
    this.#hosts = new HostFailover(config.cluster.hosts);
  }

  /** The link's knowledge of the server. */
  get link(): Pick<Link, "certificate" | "handshakes"> {
    return this.#link;
  }

  /** @returns the error if no login may be tried now */
  refusal(): TidegateError | undefined {
    return this.#hosts.refusal(Date.now());
  }

  /** Forgets the failures of hosts: their causes may be mended. */
  forget(): void {
    this.#hosts.forget();
  }

  /** How long a connection may serve. The time is short on a fallback host and on a read-only one. */
  lifetimeMs(session: Session): number {
    const host = this.#leads.get(session);
    const isBest = !host || !(this.#hosts.isFallback(host) || this.#isReadOnly(session));
    const { lifetime_s } = this.#account;
    return (isBest ? lifetime_s : Math.min(limits.fallbackLifetimeSeconds, lifetime_s)) * 1000;
  }

  /** Called after a restore, which reads the identity again: the server may have become read-only. */
  look(session: Session): void {
    const host = this.#leads.get(session);
    if (host && this.#isReadOnly(session) && !this.#readOnlyFromLogin.has(session))
      this.#leave(session, host);
  }

  /**
   * Opens a pooled connection. The hosts share the time of a connect, and the last one gets the rest. A
   * writing account takes a read-only host only if there is no other.
   * @throws TidegateError of the last host that was tried
   */
  async open(): Promise<Session> {
    const until = Date.now() + this.#config.cluster.connect_timeout_ms;
    const hosts = this.#hosts.candidates(Date.now());
    const passedOver = new Set<Host>();
    let error = this.#hosts.refusal(Date.now());
    for (let host = hosts.shift(); host; host = hosts.shift()) {
      const left = until - Date.now();
      if (left <= 0) break;
      const share = left / (hosts.length + 1);
      const isLast = hosts.length === 0;
      // A host that failed before gets little time, because other hosts come after it.
      const timeoutMs =
        this.#hosts.hasFailed(host) && !isLast ? Math.min(share, limits.reconnectTrialMs) : share;
      try {
        const session = await this.#openAt(host, timeoutMs);
        if (!this.#isReadOnly(session) || hosts.every((other) => passedOver.has(other))) return session;
        this.#noteReadOnly(host);
        session.close();
        hosts.push(host);
        passedOver.add(host);
      } catch (cause) {
        error = asTidegateError(cause);
        if (!isHostFailure(error) && passedOver.size === 0) break;
      }
    }
    throw error ?? new TidegateError("misconfigured");
  }

  /** Opens an admin connection, beside the pooled ones, to the host of `other`. */
  async openBeside(other?: Session): Promise<Session> {
    const host = (other && this.#leads.get(other)) ?? this.#hosts.candidates(Date.now())[0];
    if (!host) throw this.refusal() ?? new TidegateError("misconfigured");
    return await this.#withSocket(this.#adminSockets, host, this.#config.cluster.connect_timeout_ms);
  }

  async #openAt(host: Host, timeoutMs: number): Promise<Session> {
    const attempt = this.#hosts.begin(host, Date.now());
    try {
      const session = await this.#withSocket(this.#sockets, host, timeoutMs);
      if (this.#hosts.succeeded(attempt)) {
        observe({ event: "host_recovered", account: this.#account.name, host: show(host) });
      }
      return session;
    } catch (cause) {
      const error = asTidegateError(cause);
      if (isHostFailure(error)) {
        const retry_in_ms = Math.round(this.#hosts.failed(attempt, error, Date.now()));
        const { name: account } = this.#account;
        observe({ event: "host_failed", account, host: show(host), code: error.code, retry_in_ms });
      } else {
        this.#hosts.saidNothing(attempt);
      }
      throw error;
    }
  }

  /** Frees the socket's slot only when the socket has ended. That may be long after a failed login. */
  async #withSocket(sockets: SocketSlots, host: Host, timeoutMs: number): Promise<Session> {
    const until = Date.now() + timeoutMs;
    if (!(await sockets.take(timeoutMs))) {
      const retryAfter = limits.retryAfterSeconds;
      throw new TidegateError("database_unreachable", { retryAfter }, "earlier sockets do not end");
    }
    let gone: Promise<void> = Promise.resolve();
    try {
      const session = await this.#logIn(host, Math.max(until - Date.now(), 1), (ending) => {
        gone = ending;
      });
      void session.gone.then(() => sockets.give());
      return session;
    } catch (cause) {
      void gone.then(() => sockets.give());
      throw cause;
    }
  }

  async #logIn(host: Host, timeoutMs: number, opened: (gone: Promise<void>) => void): Promise<Session> {
    const { cluster } = this.#config;
    const account = this.#account.name;
    const started = Date.now();
    const at = show(host);
    let session: Session | undefined;
    const refused = ({ connection: why }: ServerErrorKind) => {
      if (session && why !== "kept") this.#leave(session, host, why);
    };
    try {
      const { timers } = this.#options;
      const opening = { host, timeoutMs, opened, refused, warned: this.#warned, plain: this.#plain, timers };
      session = await Session.open(this.#link, cluster, this.#account, opening);
      this.#leads.set(session, host);
      if (this.#isReadOnly(session)) this.#readOnlyFromLogin.add(session);
      const identity = session.identity.currentUser;
      observe({ event: "connection_opened", account, identity, host: at, duration_ms: Date.now() - started });
      this.#tellExpiring();
      return session;
    } catch (cause) {
      const error = asTidegateError(cause);
      const reason = error.operator ?? "";
      this.#options.refused(error.code);
      observe({ event: "connection_refused", account, host: at, code: error.code, reason });
      throw error;
    }
  }

  /** @returns whether the account writes and the server is read-only */
  #isReadOnly({ identity }: Session): boolean {
    return this.#account.writes && identity.readOnly === true;
  }

  /** @returns whether this is news */
  #noteReadOnly(host: Host): boolean {
    const isNews = this.#hosts.readOnly(host, Date.now());
    if (isNews) observe({ event: "host_read_only", account: this.#account.name, host: show(host) });
    return isNews;
  }

  /**
   * Retires a session. If its server has just become read-only, retires all sessions of that server too. If
   * the server was already read-only at the session's login, the others stay: they may be newer.
   */
  #leave(session: Session, host: Host, why: ServerErrorKind["connection"] = "left"): void {
    const isNews = why === "left" && !this.#readOnlyFromLogin.has(session) && this.#noteReadOnly(host);
    this.#options.retire((one) => one === session || (isNews && this.#leads.get(one) === host));
  }

  #tellExpiring(): void {
    const { authorities } = this.#config;
    for (const expiring of this.#expiry.due(this.#link.certificate, authorities, Date.now())) {
      observe({ event: "certificate_expiring", account: this.#account.name, ...expiring });
    }
  }
}

function show({ hostname, port }: Host): string {
  return `${hostname}:${port}`;
}
