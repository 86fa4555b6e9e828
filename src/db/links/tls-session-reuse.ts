import { limits } from "../../limits.ts";
import type { TlsEngine } from "./tls-engine.ts";

/** The earlier verification of a server, which the tickets of an engine rely on. */
export interface Verified {
  /** The settings of that verification: host, name, CAs and versions. */
  settings: string;
  /** The time when chain and name were verified, in milliseconds since 1970. */
  atMs: number;
  /** The end date of the server's certificate, in milliseconds since 1970; undefined if unknown. */
  notAfterMs: number | undefined;
}

type ReusableEngine = Pick<TlsEngine, "beginAgain" | "free">;

/**
 * The idle engines of one pool, whose connections have ended. The next connection to the same server may use
 * one, and saves a signature and a chain check. An engine is either here or in a connection.
 */
export class ReusableEngines<E extends ReusableEngine> {
  #engines: { engine: E; verified: Verified }[] = [];

  /** Adds an idle engine, and frees the oldest one if there are too many. */
  put(engine: E, verified: Verified): void {
    this.#engines.push({ engine, verified });
    while (this.#engines.length > limits.restingEngines) this.#engines.shift()?.engine.free();
  }

  /** @returns the newest engine that may serve now. It frees the engines that may not serve any more */
  take(settings: string, nowMs: number): { engine: E; verified: Verified } | undefined {
    const all = Map.groupBy(this.#engines, ({ verified }) => mayServe(verified, settings, nowMs));
    for (const { engine } of all.get(false) ?? []) engine.free();
    this.#engines = all.get(true) ?? [];
    return this.#engines.pop();
  }

  /** Frees all idle engines. */
  clear(): void {
    for (const { engine } of this.#engines.splice(0)) engine.free();
  }
}

/** An unknown value counts as a refusal. */
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
