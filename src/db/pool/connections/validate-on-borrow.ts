import { limits } from "../../../limits.ts";
import { StaleConnectionError } from "../../mysql/session/connection-lost.ts";
import type { Lease } from "./lease.ts";

/** The requirements for a session here. */
export interface Probed {
  readonly lost: Promise<string>;
  /** @returns whether the session is idle and has not heard from the server for `ms` */
  isSilentFor(ms: number): boolean;
  ping(withinMs: number): Promise<void>;
  destroy(): void;
}

/**
 * Finds idle connections that died unnoticed: a lost route, a crashed server. Connections that the server
 * closes properly need no ping.
 */
export class ValidateOnBorrow<T extends Probed> {
  /** Idle sessions only. A transaction's session may be silent too, but it is in use. */
  readonly #idle = new Set<T>();

  /** Adds a new connection. */
  watch(session: T): void {
    this.#idle.add(session);
    void session.lost.then(() => this.#idle.delete(session));
  }

  /** The connection is given back. */
  becomesIdle(session: T): void {
    this.#idle.add(session);
  }

  /** @returns a live connection. A recently used one counts as live without a ping */
  async lend(acquire: () => Promise<Lease<T>>): Promise<Lease<T>> {
    for (;;) {
      const lease = await acquire();
      this.#idle.delete(lease.connection);
      const since = Date.now();
      if (await this.isAlive(lease.connection))
        return { ...lease, queueMs: lease.queueMs + Date.now() - since };
    }
  }

  /** Pings a connection that was silent for long. This takes one round trip. */
  async isAlive(session: T): Promise<boolean> {
    if (!session.isSilentFor(limits.idleTrustMs)) return true;
    try {
      await session.ping(limits.idlePingMs);
      return true;
    } catch {
      session.destroy();
      // Other connections with the same silence are probably dead too: destroy them, so that no request waits
      // for their pings.
      for (const other of this.#idle) if (other.isSilentFor(limits.idleTrustMs)) other.destroy();
      return false;
    }
  }
}

/**
 * Sends work once more, on another connection. By default it does so after a stale connection, because the
 * statement was not executed.
 * @param isUndone whether the error says that nothing has happened
 */
export async function onceMore<T>(
  send: () => Promise<T>,
  isUndone: (cause: unknown) => boolean = (cause) => cause instanceof StaleConnectionError,
): Promise<T> {
  try {
    return await send();
  } catch (cause) {
    if (!isUndone(cause)) throw cause;
    return await send();
  }
}
