import { limits } from "../../../limits.ts";
import { StaleConnectionError } from "../../mysql/session/connection-lost.ts";
import type { Lease } from "./lease.ts";

/** What is asked of a session here. */
export interface Probed {
  readonly lost: Promise<string>;
  /** @returns whether it has nothing to do, and the server was not heard for so long */
  isSilentFor(ms: number): boolean;
  ping(withinMs: number): Promise<void>;
  destroy(): void;
}

/**
 * Finds connections that died without a word while they were idle: a route that was lost, a server that fell. What
 * the server ends properly is known without asking.
 */
export class ValidateOnBorrow<T extends Probed> {
  /** Those that nobody has: a transaction's may be as silent, and is somebody's. */
  readonly #idle = new Set<T>();

  /** A new connection. */
  watch(session: T): void {
    this.#idle.add(session);
    void session.lost.then(() => this.#idle.delete(session));
  }

  /** It is given back. */
  becomesIdle(session: T): void {
    this.#idle.add(session);
  }

  /** @returns a connection that lives, as far as can be told without asking each time */
  async lend(acquire: () => Promise<Lease<T>>): Promise<Lease<T>> {
    for (;;) {
      const lease = await acquire();
      this.#idle.delete(lease.connection);
      const since = Date.now();
      if (await this.isAlive(lease.connection))
        return { ...lease, queueMs: lease.queueMs + Date.now() - since };
    }
  }

  /** Asks, in one round trip, whether a connection that was silent for long is still there. */
  async isAlive(session: T): Promise<boolean> {
    if (!session.isSilentFor(limits.idleTrustMs)) return true;
    try {
      await session.ping(limits.idlePingMs);
      return true;
    } catch {
      session.destroy();
      // Whoever took another one that has been as silent would wait as long.
      for (const other of this.#idle) if (other.isSilentFor(limits.idleTrustMs)) other.destroy();
      return false;
    }
  }
}

/**
 * A statement that met a dead connection was not executed: it is sent once more, on another.
 * @param isUndone whether nothing has happened, of other work
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
