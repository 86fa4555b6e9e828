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
  /** What an earlier life of the cache knew. */
  initial?: FetchedKeys | undefined;
  /** Called after each successful fetch. */
  fetched?: (keys: FetchedKeys) => void;
}

/**
 * One issuer's keys over time: one fetch at a time whoever asks, again in the background when the set grows
 * old, again for a `kid` that nobody knows but not for every forged token, and the last set for a while when
 * the issuer cannot be reached. Pure but for the fetch it is given.
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
   * @param unknownKid whether the set in hand lacks the key that a token names
   * @throws what fetching threw, when there is nothing that may still be used
   */
  async get(unknownKid: boolean): Promise<FetchedKeys> {
    const known = this.#known;
    const age = known ? this.#options.now() - known.fetchedAt : Number.POSITIVE_INFINITY;
    if (known && age < limits.jwksMaxAgeMs) {
      // When this fetch fails nobody can say whether the token is good: that is no reason to call it bad.
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
