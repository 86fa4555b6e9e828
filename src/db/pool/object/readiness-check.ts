import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Session } from "../../mysql/session/session.ts";
import type { Lease } from "../connections/lease.ts";
import type { CloseReason } from "../messages/counters.ts";

type Ping = { ping(): Promise<void> };

/** What is needed of the pooled connections. */
export interface Pooled {
  /** Whether whoever asks now would wait for somebody else's. */
  isSaturated(): boolean;
  acquire(): Promise<Lease<Session>>;
  release(session: Session): void;
  discard(session: Session, reason: CloseReason): void;
}

/** Whether the server answers; what was found out a moment ago still holds. */
export class ReadinessCheck {
  readonly #pooled: Pooled;
  readonly #control: Ping;
  #until = 0;
  /** The check under way: who asks meanwhile waits for it. */
  #checking: Promise<void> | undefined;

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
    this.#checking = undefined;
  }

  /**
   * Nobody waits here behind statements: when every connection is busy, one beside them asks.
   * @throws TidegateError when no connection can be had or the server does not answer
   */
  async check(): Promise<void> {
    if (Date.now() < this.#until) return;
    if (this.#checking) return await this.#checking;
    const checking = this.#ask();
    this.#checking = checking;
    try {
      await checking;
      // What was forgotten meanwhile was about connections of before.
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
