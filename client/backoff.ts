/** How often a request is sent, and for how long. */
export interface Retry {
  /** All tries together, the first one too. Default: 5. */
  tries?: number;
  /** No try begins later than this after the first one. Default: 30,000. */
  totalMs?: number;
  /** The longest wait before the second try; it doubles with each further one. Default: 200. */
  baseMs?: number;
  /** The longest wait that doubling gives. Default: 5,000. */
  maxMs?: number;
}

export const defaults: Required<Retry> = { tries: 5, totalMs: 30_000, baseMs: 200, maxMs: 5_000 };

/**
 * Exponential backoff with full jitter: callers that failed together do not come back together.
 * @param tried the tries so far, 1 or more
 * @param leastMs what the answer's Retry-After demands; the jitter comes on top
 * @param random 0 to 1
 */
export function waitMs(
  tried: number,
  leastMs: number,
  { baseMs, maxMs }: Required<Retry>,
  random = Math.random(),
): number {
  return leastMs + random * Math.min(maxMs, baseMs * 2 ** (tried - 1));
}

/** @returns the milliseconds of a Retry-After: seconds or a date (RFC 9110 §10.2.3); 0 if there is none */
export function retryAfterMs(header: string | null, now = Date.now()): number {
  const text = String(header);
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  // What is no date gives no wait.
  return Math.max(ms || 0, 0);
}

/** Waits; a signal ends it early. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
