/**
 * A bounded queue in which callers take turns: one caller's five hundred requests delay another caller's only
 * request by one turn.
 */
export class FairQueue<T extends { readonly caller: string }> {
  readonly #length: number;
  /**
   * The requests by caller, in the order of the callers' turns. A caller's own requests are in the order of
   * arrival.
   */
  readonly #turns = new Map<string, T[]>();
  #size = 0;

  constructor(length: number) {
    this.#length = length;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * If the queue is full, the caller with the most requests in it loses its last one. If no caller would have
   * more than the new request's caller, the queue refuses the new request.
   * @returns the request without a place: the new one, the displaced one, or undefined
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

  has(caller: string): boolean {
    return this.#turns.has(caller);
  }

  /** The callers in the order of their turns, each with its requests in the order of arrival. */
  get turns(): Iterable<[caller: string, requests: readonly T[]]> {
    return this.#turns;
  }

  /** Takes a request out. Its caller's next one waits for the caller's next turn. */
  take(item: T): void {
    this.remove(item);
    const waiting = this.#turns.get(item.caller);
    if (!waiting) return;
    this.#turns.delete(item.caller);
    this.#turns.set(item.caller, waiting);
  }

  /** @returns how many requests could be served now if each caller could have `room` more connections */
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

  /** @returns all requests. The queue is then empty */
  empty(): T[] {
    const all = [...this.#turns.values()].flat();
    this.#turns.clear();
    this.#size = 0;
    return all;
  }
}
