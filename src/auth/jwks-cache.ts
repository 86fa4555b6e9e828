import type { KeySet } from "../config/key-set.ts";
import { limits } from "../limits.ts";

/** A key set and when it was fetched, in milliseconds since the epoch. */
export interface FetchedKeys {
  jwks: KeySet;
  fetchedAt: number;
}

export interface JwksCacheOptions {
  fetch: () => Promise<KeySet>;
  now: () => number;
  /** The stored keys from before the object restarted. */
  initial?: FetchedKeys | undefined;
  /** Called after each successful fetch. */
  fetched?: (keys: FetchedKeys) => void;
}

/**
 * Caches one issuer's keys. It runs one fetch at a time for all requests. It fetches again in the background
 * when the set is old, and at once for an unknown `kid`, but not for every forged token. While the issuer
 * cannot be reached, the last set stays in use for a limited time. Pure, except for the `fetch` option.
 */
export class JwksCache {
  readonly #options: JwksCacheOptions;
  #known: FetchedKeys | undefined;
  #fetching: Promise<FetchedKeys> | undefined;
  #failed: { at: number; error: unknown } | undefined;

  constructor(options: JwksCacheOptions) {
    this.#options = options;
    this.#known = options.initial;
  }

  /**
   * @param unknownKid whether the caller's copy of the set lacks the key that a token names
   * @throws the error of the fetch, if no cached set may be used
   */
  async get(unknownKid: boolean): Promise<FetchedKeys> {
    const known = this.#known;
    const age = known ? this.#options.now() - known.fetchedAt : Number.POSITIVE_INFINITY;
    if (known && age < limits.jwksMaxAgeMs) {
      // If this fetch fails, the token may still be good. So the error goes on, and no old set is returned.
      if (unknownKid && age >= limits.jwksCooldownMs) return await this.#fetch();
      if (age >= limits.jwksRefreshAgeMs) void this.#fetchOr(known);
      return known;
    }
    return await this.#fetchOr(age < limits.jwksStaleMs ? known : undefined);
  }

  async #fetchOr(known: FetchedKeys | undefined): Promise<FetchedKeys> {
    try {
      return await this.#fetch();
    } catch (error) {
      if (known) return known;
      throw error;
    }
  }

  #fetch(): Promise<FetchedKeys> {
    if (this.#fetching) return this.#fetching;
    const { now } = this.#options;
    if (this.#failed && now() - this.#failed.at < limits.jwksRetryMs)
      return Promise.reject(this.#failed.error);
    this.#fetching = this.#options
      .fetch()
      .then(
        (jwks) => {
          this.#failed = undefined;
          this.#known = { jwks, fetchedAt: now() };
          this.#options.fetched?.(this.#known);
          return this.#known;
        },
        (error) => {
          this.#failed = { at: now(), error };
          throw error;
        },
      )
      .finally(() => {
        this.#fetching = undefined;
      });
    return this.#fetching;
  }
}
