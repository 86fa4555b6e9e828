import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Session } from "../mysql/session.ts";
import type { Lease } from "./waiter.ts";

type Ping = { ping(): Promise<void> };

/** What is needed of the pooled connections. */
export interface Pooled {
  /** Whether whoever asks now would wait for somebody else's. */
  isSaturated(): boolean;
  acquire(): Promise<Lease<Session>>;
  release(session: Session): void;
  discard(session: Session, reason: string): void;
}

/** Whether the server answers; what was found out a moment ago still holds. */
export class Readiness {
  readonly #pooled: Pooled;
  readonly #control: Ping;
  #until = 0;

  /** @param control asks over a connection that is not a pooled one */
  constructor(pooled: Pooled, control: Ping) {
    this.#pooled = pooled;
    this.#control = control;
  }

  /** The server has just been heard of. */
  heard(): void {
    this.#until = Date.now() + limits.readinessAgeMs;
  }

  /** What was found out says nothing any more. */
  forget(): void {
    this.#until = 0;
  }

  /**
   * Nobody waits here behind statements: when every connection is busy, one beside them asks.
   * @throws TidegateError when no connection can be had or the server does not answer
   */
  async check(): Promise<void> {
    if (Date.now() < this.#until) return;
    if (this.#pooled.isSaturated()) await ping(this.#control);
    else await this.#pingPooled();
    this.heard();
  }

  async #pingPooled(): Promise<void> {
    const { connection: session } = await this.#pooled.acquire();
    try {
      await ping(session);
    } catch (cause) {
      this.#pooled.discard(session, "ping failed");
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
