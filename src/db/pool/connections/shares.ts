import type { Account } from "../../../config/config.ts";
import { FairQueue } from "./fair-queue.ts";

/** What a caller has a connection for: a statement or a batch, or a transaction over several requests. */
export type Use = "statement" | "transaction";

/** Who has a connection, or waits for one. */
export interface Holder {
  readonly caller: string;
  readonly use: Use;
}

const shareInUse =
  "Your own statements and transactions have as many connections as one caller may have: end one first.";

/**
 * Counts the connections of each caller, and keeps the queue of those who wait. A running statement is not interrupted for a
 * newcomer, so a caller never has more than its share, even while it is alone: the rest stays free for newcomers.
 *
 * With one exception, or a caller would wait for itself: a caller that has only transactions gets one connection more, if
 * no caller below the share waits.
 */
export class Shares<T extends Holder> {
  readonly #share: number;
  readonly #queue: FairQueue<T>;
  /** How many each caller has, and how many of them are not for transactions. */
  readonly #held = new Map<string, { all: number; statements: number }>();

  /** @param share how many connections one caller may have */
  constructor(share: number, queueLength: number) {
    this.#share = share;
    this.#queue = new FairQueue(queueLength);
  }

  /** How many wait. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** How many of those who wait may have a connection as soon as one is free. */
  get servable(): number {
    return this.#queue.servable(this.#room);
  }

  /** @returns whether the caller may have another connection now */
  mayHave(caller: string): boolean {
    return this.#room(caller) > 0;
  }

  /** @returns the detail of a timeout for a caller that has waited for itself only */
  timeoutDetail(caller: string): { detail?: string } {
    return this.mayHave(caller) ? {} : { detail: shareInUse };
  }

  /** The queue is that of `FairQueue`. @returns who finds no place in it */
  push(waiter: T): T | undefined {
    return this.#queue.push(waiter);
  }

  remove(waiter: T): void {
    this.#queue.remove(waiter);
  }

  /** @returns the request that gets a free connection: callers below the share come first, and take turns */
  next(): T | undefined {
    return (
      this.#queue.shift((caller) => this.#isBelow(caller)) ??
      this.#queue.shift((caller) => this.mayHave(caller))
    );
  }

  /** @returns all who wait; none is left */
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

  /** How many more the caller may have. */
  readonly #room = (caller: string): number => {
    const { all, statements } = this.#of(caller);
    if (all < this.#share) return this.#share - all;
    return statements === 0 ? 1 : 0;
  };
}

/** @returns how many of a shard's connections one caller may have: half of them, rounded down, unless the account says it */
export function shareOf(account: Pick<Account, "connections_per_shard" | "connections_per_caller">): number {
  return account.connections_per_caller ?? Math.max(1, Math.floor(account.connections_per_shard / 2));
}
