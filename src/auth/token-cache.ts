import { limits } from "../limits.ts";
import type { Caller } from "./caller.ts";

/**
 * Tokens that this isolate has verified, by the SHA-256 of the whole token. A caller's next request then
 * costs a hash and not a signature check. An entry ends with its token, and after one minute at the latest,
 * because the key may have been removed. The least recently used entry goes first.
 */
export class TokenCache {
  readonly #entries = new Map<string, { caller: Caller; until: number }>();

  /** @param now milliseconds since the epoch */
  get(hash: string, now: number): Caller | undefined {
    const entry = this.#entries.get(hash);
    if (!entry) return undefined;
    this.#entries.delete(hash);
    if (now >= entry.until) return undefined;
    this.#entries.set(hash, entry);
    return entry.caller;
  }

  /** @param expires the token's `exp` in milliseconds since the epoch, without any skew */
  set(hash: string, caller: Caller, expires: number, now: number): void {
    const until = Math.min(expires, now + limits.verifiedTokenAgeMs);
    // Written so that NaN counts as expired.
    if (!(until > now)) return;
    this.#entries.set(hash, { caller, until });
    if (this.#entries.size <= limits.verifiedTokens) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  get size(): number {
    return this.#entries.size;
  }
}

const encoder = new TextEncoder();

/** @returns the SHA-256 of a token, base64url */
export async function tokenHash(token: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(token));
  return Buffer.from(digest).toString("base64url");
}
