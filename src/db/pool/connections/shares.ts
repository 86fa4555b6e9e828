import type { Account } from "../../../config/config.ts";
import { FairQueue } from "./fair-queue.ts";

/** The use of a connection: one statement or batch, or a transaction of several requests. */
export type Use = "statement" | "transaction";

/** A request that has a connection or waits for one. */
export interface Holder {
  readonly caller: string;
  readonly use: Use;
}

const shareInUse =
  "Your own statements and transactions have as many connections as one caller may have: end one first.";

/**
 * Counts the connections of each caller and keeps the queue. A running statement is never interrupted for a
 * new caller. So each caller has at most its share, even while it is alone, and the rest stays free for new
 * callers.
 * There is one exception: a caller that holds only transactions gets one connection more, if no caller below
 * its share waits. Without it the caller's statement would wait for the caller's own transactions.
 */
export class Shares<T extends Holder> {
  readonly #share: number;
  readonly #queue: FairQueue<T>;
  /** How many connections each caller has, and how many of them are for statements. */
  readonly #held = new Map<string, { all: number; statements: number }>();

  /** @param share how many connections one caller may have */
  constructor(share: number, queueLength: number) {
    this.#share = share;
    this.#queue = new FairQueue(queueLength);
  }

  /** How many requests wait. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** How many waiting requests may have a connection as soon as one is free. */
  get servable(): number {
    return this.#queue.servable(this.#room);
  }

  /** @returns whether the caller may have another connection now */
  mayHave(caller: string): boolean {
    return this.#room(caller) > 0;
  }

  /** @returns the detail of a timeout if the caller waited only for its own connections */
  timeoutDetail(caller: string): { detail?: string } {
    return this.mayHave(caller) ? {} : { detail: shareInUse };
  }

  /** Adds a request to the `FairQueue`. @returns the request that finds no place */
  push(waiter: T): T | undefined {
    return this.#queue.push(waiter);
  }

  remove(waiter: T): void {
    this.#queue.remove(waiter);
  }

  /** Whether the caller has requests that wait. */
  isWaiting(caller: string): boolean {
    return this.#queue.has(caller);
  }

  /**
   * Finds the request for a free connection. Callers below their share come first, in turns. A request that the
   * connection does not fit is passed over only if a restore for it is under way, and its caller keeps room for
   * it: otherwise others might pass it by for ever.
   * @param fits whether the connection may serve a request as it is
   * @param coming how many connections are being restored
   * @returns the request; "restore" if one waits that needs the connection restored
   */
  match(fits: (waiter: T) => boolean, coming: number): T | "restore" | undefined {
    if (this.#queue.size === 0) return undefined;
    let unfit = 0;
    for (const below of [true, false]) {
      for (const [caller, requests] of this.#queue.turns) {
        if (this.#isBelow(caller) !== below) continue;
        for (const waiter of requests.slice(0, this.#room(caller))) {
          if (fits(waiter)) return waiter;
          unfit += 1;
          if (unfit > coming) return "restore";
        }
      }
    }
    return undefined;
  }

  /** The request whose turn it is. */
  get first(): T | undefined {
    const first = this.match(() => true, 0);
    return first === "restore" ? undefined : first;
  }

  /** Takes a request out of the queue. */
  next(waiter: T): void {
    this.#queue.take(waiter);
  }

  /** @returns all waiting requests. The queue is then empty */
  empty(): T[] {
    return this.#queue.empty();
  }

  take(holder: Holder): void {
    this.#add(holder, 1);
  }

  give(holder: Holder): void {
    this.#add(holder, -1);
  }

  #add({ caller, use }: Holder, count: 1 | -1): void {
    const of = this.#of(caller);
    const all = of.all + count;
    const statements = use === "statement" ? of.statements + count : of.statements;
    if (all > 0) this.#held.set(caller, { all, statements });
    else this.#held.delete(caller);
  }

  #of(caller: string) {
    return this.#held.get(caller) ?? { all: 0, statements: 0 };
  }

  #isBelow(caller: string): boolean {
    return this.#of(caller).all < this.#share;
  }

  /** How many more connections the caller may have. */
  readonly #room = (caller: string): number => {
    const { all, statements } = this.#of(caller);
    if (all < this.#share) return this.#share - all;
    return statements === 0 ? 1 : 0;
  };
}

/**
 * @returns how many of a shard's connections one caller may have: the account's setting, else half of them,
 *   rounded down
 */
export function shareOf(account: Pick<Account, "connections_per_shard" | "connections_per_caller">): number {
  return account.connections_per_caller ?? Math.max(1, Math.floor(account.connections_per_shard / 2));
}
