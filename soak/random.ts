import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Random choices that depend on the seed only. */
export class Random {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** @returns a whole number, both ends included */
  between(from: number, to: number): number {
    return uniformInt(this.#generator, from, to);
  }

  /** @param part the probability: 0 is never, 1 is always */
  chance(part: number): boolean {
    return this.between(0, 999_999) < part * 1_000_000;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.between(0, values.length - 1)] as T;
  }

  shuffled<T>(values: readonly T[]): T[] {
    const left = [...values];
    return values.map(() => left.splice(this.between(0, left.length - 1), 1)[0] as T);
  }
}
