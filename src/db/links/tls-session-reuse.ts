import { limits } from "../../limits.ts";
import type { TlsEngine } from "./tls-engine.ts";

/** What must hold so that an engine's tickets may stand for the verification of its server. */
export interface Verified {
  /** For whom it was verified, and with what: host, name, CAs and versions. */
  settings: string;
  /** When chain and name were verified, in milliseconds since 1970. */
  atMs: number;
  /** The end of the server's certificate; undefined where it is not known. */
  notAfterMs: number | undefined;
}

type Engine = Pick<TlsEngine, "beginAgain" | "free">;

/**
 * Engines whose connection has ended, of one pool: the next connection to the same server may begin in one of them
 * and save a signature and a chain. An engine is here or in a connection, never both.
 */
export class RestingEngines<E extends Engine> {
  #engines: { engine: E; verified: Verified }[] = [];

  /** Keeps an engine that rests, unless there are enough. */
  put(engine: E, verified: Verified): void {
    this.#engines.push({ engine, verified });
    while (this.#engines.length > limits.restingEngines) this.#engines.shift()?.engine.free();
  }

  /** @returns one that may serve now, the last that came; what may not serve any more is let go */
  take(settings: string, nowMs: number): { engine: E; verified: Verified } | undefined {
    const all = Map.groupBy(this.#engines, ({ verified }) => mayServe(verified, settings, nowMs));
    for (const { engine } of all.get(false) ?? []) engine.free();
    this.#engines = all.get(true) ?? [];
    return this.#engines.pop();
  }

  /** Lets go of all. */
  clear(): void {
    for (const { engine } of this.#engines.splice(0)) engine.free();
  }
}

/** Whatever is not known speaks against it. */
function mayServe({ settings, atMs, notAfterMs }: Verified, wanted: string, nowMs: number): boolean {
  const ageMs = nowMs - atMs;
  return (
    settings === wanted &&
    ageMs >= 0 &&
    ageMs < limits.tlsVerificationAgeMs &&
    notAfterMs !== undefined &&
    nowMs <= notAfterMs
  );
}
