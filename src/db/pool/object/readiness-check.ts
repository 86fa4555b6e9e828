import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Session } from "../../mysql/session/session.ts";
import type { Lease } from "../connections/lease.ts";
import type { CloseReason } from "../messages/counters.ts";

type Ping = { ping(): Promise<void> };

/** The pooled connections that the check needs. */
export interface ConnectionSource {
  /** Whether a new request would have to wait for a connection in use. */
  isSaturated(): boolean;
  acquire(): Promise<Lease<Session>>;
  release(session: Session): void;
  discard(session: Session, reason: CloseReason): void;
}

/** Checks whether the server answers. A recent result is reused. */
export class ReadinessCheck {
  readonly #pooled: ConnectionSource;
  readonly #control: Ping;
  #until = 0;
  /** The check in progress. Further requests wait for its result. */
  #checking: Promise<void> | undefined;

  /** @param control pings over the admin connection, which is not pooled */
  constructor(pooled: ConnectionSource, control: Ping) {
    this.#pooled = pooled;
    this.#control = control;
  }

  /** The server has just answered. */
  heard(): void {
    this.#until = Date.now() + limits.readinessAgeMs;
  }

  /** Forgets the last result. */
  forget(): void {
    this.#until = 0;
    this.#checking = undefined;
  }

  /**
   * A check never waits behind statements: if all connections are busy, it uses the admin connection.
   * @throws TidegateError if there is no connection or the server does not answer
   */
  async check(): Promise<void> {
    if (Date.now() < this.#until) return;
    if (this.#checking) return await this.#checking;
    const checking = this.#ask();
    this.#checking = checking;
    try {
      await checking;
      // After `forget`, this result is about old connections.
      if (this.#checking === checking) this.heard();
    } finally {
      if (this.#checking === checking) this.#checking = undefined;
    }
  }

  async #ask(): Promise<void> {
    if (this.#pooled.isSaturated()) await ping(this.#control);
    else await this.#pingPooled();
  }

  async #pingPooled(): Promise<void> {
    const { connection: session } = await this.#pooled.acquire();
    try {
      await ping(session);
    } catch (cause) {
      this.#pooled.discard(session, "ping_failed");
      throw cause;
    }
    this.#pooled.release(session);
  }
}

async function ping(session: Ping): Promise<void> {
  try {
    await session.ping();
  } catch (cause) {
    if (cause instanceof TidegateError) throw cause;
    const retryAfter = limits.retryAfterSeconds;
    throw new TidegateError("database_unavailable", { retryAfter }, String(cause));
  }
}
