import { limits } from "../../../limits.ts";

/** This isolate's knowledge of one shard. */
interface Knowledge {
  /** Requests of this isolate without an answer yet. */
  inFlight: number;
  /** How many requests of all isolates waited there at the last answer, and when that was. */
  waiting: number;
  heardAt: number;
  /** The shard refused a request and is avoided until this time. */
  avoidUntil: number;
}

/**
 * An account's shards as one isolate sees them. It takes the less loaded of two random shards ("The Power of
 * Two Choices", Mitzenmacher 2001). The spread is near the best, and isolates do not all choose the same
 * shard.
 */
export class ShardPicker {
  readonly #shards: Knowledge[];

  constructor(count: number) {
    this.#shards = Array.from({ length: count }, () => ({
      inFlight: 0,
      waiting: 0,
      heardAt: Number.NEGATIVE_INFINITY,
      avoidUntil: Number.NEGATIVE_INFINITY,
    }));
  }

  /**
   * @param except a shard that has just refused
   * @returns the shard to ask; undefined if no other shard is worth an attempt
   */
  choose(now: number): number;
  choose(now: number, except: number): number | undefined;
  choose(now: number, except?: number): number | undefined {
    if (this.#shards.length === 1) return except === undefined ? 0 : undefined;
    const isGood = (shard: number) => shard !== except && now >= this.#of(shard).avoidUntil;
    let good = 0;
    for (let shard = 0; shard < this.#shards.length; shard++) if (isGood(shard)) good += 1;
    if (good === 0 && except !== undefined) return undefined;
    const drawn = (place: number) => (good === 0 ? place : this.#nth(place, isGood));
    const count = good === 0 ? this.#shards.length : good;
    const place = below(count);
    const one = drawn(place);
    if (count === 1) return one;
    const other = drawn((place + 1 + below(count - 1)) % count);
    return this.#load(other, now) < this.#load(one, now) ? other : one;
  }

  /** @returns the shard at this place among the good ones */
  #nth(place: number, isGood: (shard: number) => boolean): number {
    let left = place;
    for (let shard = 0; ; shard++) if (isGood(shard) && left-- === 0) return shard;
  }

  /** Counts a request on its way. */
  begins(shard: number): void {
    this.#of(shard).inFlight += 1;
  }

  /** The request has an answer or a refusal. */
  ends(shard: number): void {
    this.#of(shard).inFlight -= 1;
  }

  /** @param waiting how many requests wait there, from the shard's answer */
  answered(shard: number, waiting: number, now: number): void {
    const known = this.#of(shard);
    known.waiting = waiting;
    known.heardAt = now;
    known.avoidUntil = Number.NEGATIVE_INFINITY;
  }

  /** The shard is saturated or cannot reach the database. */
  refused(shard: number, now: number): void {
    this.#of(shard).avoidUntil = now + limits.shardAvoidedMs;
  }

  #load(shard: number, now: number): number {
    const { inFlight, waiting, heardAt } = this.#of(shard);
    const fresh = Math.max(0, 1 - (now - heardAt) / limits.shardHearsayMs);
    return inFlight + waiting * fresh;
  }

  #of(shard: number): Knowledge {
    return this.#shards[shard] as Knowledge;
  }
}

/** @returns a random integer from 0 to less than the count */
function below(count: number): number {
  return Math.floor(Math.random() * count);
}
