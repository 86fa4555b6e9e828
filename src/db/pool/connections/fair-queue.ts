/**
 * A bounded queue in which callers take turns: whoever has five hundred requests waiting delays the only one of
 * somebody else by one turn.
 */
export class FairQueue<T extends { readonly caller: string }> {
  readonly #length: number;
  /** By caller, in the order of their turns; each one's own requests are in the order of arrival. */
  readonly #turns = new Map<string, T[]>();
  #size = 0;

  constructor(length: number) {
    this.#length = length;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * When the queue is full, the caller who has the most in it loses the last one; if nobody would have more than
   * the newcomer, that is the newcomer itself.
   * @returns who finds no place: the newcomer, another one that has lost its place to it, or nobody
   */
  push(item: T): T | undefined {
    let loser: T | undefined;
    if (this.#size >= this.#length) {
      const own = this.#turns.get(item.caller)?.length ?? 0;
      const most = [...this.#turns.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
      if (most.length <= own + 1) return item;
      loser = most.at(-1);
      if (loser) this.remove(loser);
    }
    const waiting = this.#turns.get(item.caller);
    if (waiting) waiting.push(item);
    else this.#turns.set(item.caller, [item]);
    this.#size += 1;
    return loser;
  }

  /**
   * @param isServed false for a caller that is passed over: it keeps its turn
   * @returns the first one of the caller whose turn it is
   */
  shift(isServed: (caller: string) => boolean = () => true): T | undefined {
    for (const [caller, waiting] of this.#turns) {
      if (!isServed(caller)) continue;
      const item = waiting.shift();
      this.#size -= 1;
      this.#turns.delete(caller);
      if (waiting.length > 0) this.#turns.set(caller, waiting);
      return item;
    }
    return undefined;
  }

  /** @returns how many could be served now if each caller could have `room` more */
  servable(room: (caller: string) => number): number {
    let count = 0;
    for (const [caller, waiting] of this.#turns) count += Math.min(waiting.length, room(caller));
    return count;
  }

  remove(item: T): void {
    const waiting = this.#turns.get(item.caller);
    const index = waiting?.indexOf(item) ?? -1;
    if (!waiting || index < 0) return;
    waiting.splice(index, 1);
    this.#size -= 1;
    if (waiting.length === 0) this.#turns.delete(item.caller);
  }

  /** @returns all of them; none is left */
  empty(): T[] {
    const all = [...this.#turns.values()].flat();
    this.#turns.clear();
    this.#size = 0;
    return all;
  }
}
