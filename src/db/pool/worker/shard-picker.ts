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
    const all = [...this.#shards.keys()].filter((shard) => shard !== except);
    const good = all.filter((shard) => now >= this.#of(shard).avoidUntil);
    if (except !== undefined && good.length === 0) return undefined;
    const drawn = drawTwo(good.length > 0 ? good : all);
    return drawn.reduce((a, b) => (this.#load(b, now) < this.#load(a, now) ? b : a));
  }

  /** Counts a request on its way. @returns a function to call at its answer or refusal */
  begin(shard: number): () => void {
    const known = this.#of(shard);
    known.inFlight += 1;
    let done = false;
    return () => {
      if (!done) known.inFlight -= 1;
      done = true;
    };
  }

  /** @param waiting how many requests wait there, from the shard's answer */
  answered(shard: number, waiting: number, now: number): void {
    Object.assign(this.#of(shard), { waiting, heardAt: now, avoidUntil: Number.NEGATIVE_INFINITY });
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

function drawTwo(shards: number[]): number[] {
  if (shards.length <= 2) return shards.length === 2 && Math.random() < 0.5 ? shards.toReversed() : shards;
  const a = Math.floor(Math.random() * shards.length);
  const b = (a + 1 + Math.floor(Math.random() * (shards.length - 1))) % shards.length;
  return [shards[a] as number, shards[b] as number];
}
