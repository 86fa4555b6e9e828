import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../../application.ts";
import { configOf } from "../../application.ts";
import type { Account, Config } from "../../config/config.ts";
import { asTidegateError, TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { observe, serverTiming } from "../../telemetry.ts";
import type { Link } from "../links/link.ts";
import { linkOf } from "../links/select.ts";
import { Session } from "../mysql/session.ts";
import { answer } from "./answer.ts";
import type { Lease } from "./checkout.ts";
import { Checkout } from "./checkout.ts";
import type { Ceilings, ExecuteWork, PoolRequest } from "./protocol.ts";
import { encodeError, isSamePeer } from "./protocol.ts";

/**
 * The Durable Object that holds one account's connections: sockets survive from request to request here,
 * which they do not in a Worker.
 */
export class Pool extends DurableObject<Bindings> {
  #connections: AccountConnections | undefined;

  override async fetch(request: Request): Promise<Response> {
    const message = await request.json<PoolRequest>();
    try {
      const config = configOf(this.env);
      if (!isSamePeer(message, config.generation)) {
        throw new TidegateError("version_mismatch", { retryAfter: limits.retryAfterSeconds });
      }
      const connections = this.#connectionsOf(config, message.account);
      const { work } = message;
      if (work.kind === "ready") return await connections.ready();
      if (work.kind === "drain") return connections.drain();
      return await connections.execute(work, (broken) => observeFailure(message, broken));
    } catch (cause) {
      const error = asTidegateError(cause);
      observeFailure(message, error);
      return encodeError(error);
    }
  }

  /** An object serves the first account it is asked for, for life. */
  #connectionsOf(config: Config, name: string): AccountConnections {
    const account = config.accounts.get(name);
    if (!account) throw new TidegateError("internal", {}, "a pool was asked for an unknown account");
    this.#connections ??= new AccountConnections(config, account);
    if (this.#connections.name !== name)
      throw new TidegateError("internal", {}, "a pool was asked for two accounts");
    return this.#connections;
  }
}

function observeFailure({ requestId, account }: PoolRequest, error: TidegateError): void {
  const reason = error.operator === undefined ? {} : { reason: error.operator };
  observe({ event: "work_failed", request_id: requestId, account, code: error.code, ...reason });
}

/** One account's connections and what is done with them. */
class AccountConnections {
  readonly name: string;
  readonly #config: Config;
  readonly #link: Link;
  readonly #account: Account;
  readonly #checkout: Checkout<Session>;
  /** One statement is killed at a time: there is room for one socket besides the pooled ones. */
  #killing: Promise<void> = Promise.resolve();
  #readyUntil = 0;
  /** Statements under way, by grant. */
  readonly #running = new Map<string, number>();

  constructor(config: Config, account: Account) {
    this.name = account.name;
    this.#config = config;
    this.#link = linkOf(config);
    this.#account = account;
    this.#checkout = new Checkout({
      open: () => this.#open(),
      size: account.connections_per_shard,
      queueLength: limits.queueLength,
      queueWaitMs: limits.queueWaitMs,
      lifetimeMs: account.lifetime_s * 1000,
      idleMs: limits.connectionIdleMs,
      closed: (reason) => observe({ event: "connection_closed", account: account.name, reason }),
    });
  }

  /**
   * Says whether the server answers; what was found out a moment ago still holds.
   * @throws TidegateError when no connection can be had or the server does not answer
   */
  async ready(): Promise<Response> {
    if (Date.now() >= this.#readyUntil) {
      const { connection: session } = await this.#checkout.acquire();
      try {
        await session.ping();
      } catch (cause) {
        this.#checkout.discard(session, "ping failed");
        throw new TidegateError(
          "database_unavailable",
          { retryAfter: limits.retryAfterSeconds },
          String(cause),
        );
      }
      this.#checkout.release(session);
      this.#readyUntil = Date.now() + limits.readinessAgeMs;
    }
    return new Response(null, { status: 204 });
  }

  /** Ends what is open; statements under way end as they would have. */
  drain(): Response {
    // What was found out with an old connection says nothing about a new one.
    this.#readyUntil = 0;
    return Response.json(this.#checkout.drain());
  }

  /**
   * @param broke called when the answer breaks off after it has begun
   * @throws TidegateError when the statement fails before the answer has begun
   */
  async execute(work: ExecuteWork, broke: (error: TidegateError) => void): Promise<Response> {
    const leave = this.#enter(work.ceilings.concurrent);
    let lease: Lease<Session>;
    try {
      lease = await this.#checkout.acquire();
    } catch (cause) {
      leave();
      throw cause;
    }
    const { connection: session, queueMs, connectMs } = lease;
    const started = Date.now();
    const deadline = startDeadline(work.ceilings.deadlineMs, () => this.#stop(session));
    const answered = answer(session, work, (broken) => {
      leave();
      if (broken) broke(broken);
      // Past the deadline a KILL is on its way: the session must not be used again.
      if (deadline.cancel()) void this.#restore(session);
    });
    const response = await Promise.race([answered, deadline.passed]);
    const databaseMs = Date.now() - started;
    response.headers.set("server-timing", serverTiming({ queueMs, connectMs, databaseMs }));
    return response;
  }

  /**
   * Counts a statement of a grant, from before its wait for a connection to the end of its answer.
   * @returns how to say that it has ended
   * @throws TidegateError `concurrency_exceeded`
   */
  #enter(concurrent: Ceilings["concurrent"]): () => void {
    if (!concurrent) return () => {};
    const { grant, limit } = concurrent;
    const running = this.#running.get(grant) ?? 0;
    if (running >= limit) {
      throw new TidegateError("concurrency_exceeded", { retryAfter: limits.retryAfterSeconds });
    }
    this.#running.set(grant, running + 1);
    return () => {
      const left = (this.#running.get(grant) ?? 1) - 1;
      if (left > 0) this.#running.set(grant, left);
      else this.#running.delete(grant);
    };
  }

  async #open(): Promise<Session> {
    const { cluster } = this.#config;
    const account = this.name;
    const started = Date.now();
    try {
      const session = await Session.open(this.#link, cluster, this.#account);
      const identity = session.identity.currentUser;
      observe({ event: "connection_opened", account, identity, duration_ms: Date.now() - started });
      return session;
    } catch (cause) {
      const error = asTidegateError(cause);
      observe({ event: "connection_refused", account, code: error.code, reason: error.operator ?? "" });
      throw error;
    }
  }

  /** After the answer, never before it: the caller does not wait for the next one's clean session. */
  async #restore(session: Session): Promise<void> {
    if (this.#checkout.endIfExpired(session)) return;
    try {
      await session.restore();
      this.#checkout.release(session);
    } catch (cause) {
      this.#checkout.discard(
        session,
        `not restored: ${cause instanceof Error ? cause.message : String(cause)}`,
      );
    }
  }

  /** Closing the socket does not end a statement: MySQL goes on until it has something to send. */
  async #stop(session: Session): Promise<void> {
    this.#killing = this.#killing.then(() => this.#kill(session));
    await this.#killing;
    this.#checkout.discard(session, "deadline");
  }

  async #kill(session: Session): Promise<void> {
    let control: Session | undefined;
    try {
      control = await this.#open();
      await control.kill(session);
      control.close();
    } catch {
      // That no connection could be had has been observed; the session is destroyed in any case.
      control?.destroy();
    }
  }
}

/** @returns a promise that rejects at the deadline, and a way to call it off that says whether it was in time */
function startDeadline(ms: number, expire: () => Promise<void>) {
  let expired = false;
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const timer = setTimeout(() => {
    expired = true;
    reject(new TidegateError("deadline_exceeded", { detail: `The deadline is ${ms} ms.` }));
    void expire();
  }, ms);
  return {
    passed: promise,
    cancel: () => {
      clearTimeout(timer);
      return !expired;
    },
  };
}
