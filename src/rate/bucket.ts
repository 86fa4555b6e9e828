/** The rate of a caller: `requests` at once, then the same number over `windowSeconds`. */
export interface Rate {
  requests: number;
  windowSeconds: number;
}

/** A token bucket: its tokens at the time `at` (milliseconds since the epoch). */
export interface Bucket {
  tokens: number;
  at: number;
}

export interface Taken {
  bucket: Bucket;
  allowed: boolean;
  /** How many more whole requests are allowed now. */
  remaining: number;
  /** Seconds, rounded up, until one more request than `remaining` is allowed. */
  resetSeconds: number;
}

/**
 * Takes one token if there is one. Pure: `now` is a parameter. A clock that runs backwards adds no tokens.
 */
export function take(bucket: Bucket | undefined, { requests, windowSeconds }: Rate, now: number): Taken {
  const perMs = requests / (windowSeconds * 1000);
  const before = bucket ?? { tokens: requests, at: now };
  const elapsedMs = Math.max(0, now - before.at);
  const full = Math.min(requests, before.tokens + elapsedMs * perMs);
  const allowed = full >= 1;
  const tokens = allowed ? full - 1 : full;
  const missing = Math.floor(tokens) + 1 - tokens;
  return {
    bucket: { tokens, at: Math.max(now, before.at) },
    allowed,
    remaining: Math.floor(tokens),
    resetSeconds: Math.max(1, Math.ceil(missing / perMs / 1000)),
  };
}
