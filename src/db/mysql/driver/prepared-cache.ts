import type { BoundValue } from "../../../sql/bound-value.ts";
import { DerivedTypes, dependsOnPlace } from "../values/derived-types.ts";
import { demandFits } from "../values/packet-size.ts";
import { boundType } from "./bind-types.ts";
import type { Prepared } from "./prepared.ts";

/** A statement that is to be prepared. */
export interface Wanted {
  sql: string;
  /** Undefined when they are not known yet: then one is wanted that was not executed. */
  values: readonly BoundValue[] | undefined;
}

/** @returns the same for those that one prepared statement serves, as far as their values tell */
export function wantedKey({ sql, values }: Wanted): string {
  return values === undefined ? sql : executedKey(sql, values);
}

/**
 * The statements that are prepared on one connection, the one used longest ago first. A server may keep a
 * statement's parameters as they were typed at its first execution (MySQL 9.7 does): executed with other types
 * it is another statement.
 */
export class PreparedStatements {
  readonly #byKey = new Map<string, Prepared>();
  /** What the server has said of the placeholders of each text that is prepared. */
  readonly #derived = new Map<string, DerivedTypes>();
  readonly #most: number;
  readonly #derives: boolean;
  /** Whether a procedure was executed since the last reset: it may leave what a reset keeps. */
  hasCalled = false;
  /** How large a packet the server takes (packet-size.ts). */
  packetBytes = Number.POSITIVE_INFINITY;

  /**
   * @param most how many the connection may have
   * @param derives whether the server derives the types of placeholders, and says them
   */
  constructor(most: number, derives: boolean) {
    this.#most = most;
    this.#derives = derives;
  }

  /**
   * Keeps a statement that has not been executed yet.
   * @returns what must be closed at the server in its place
   */
  add(sql: string, prepared: Prepared): Prepared[] {
    const codes = prepared.parameters.map(({ columnType }) => columnType);
    // Each value says its own type: where fewer definitions came than there are placeholders they are another one's.
    prepared.parameters = [];
    const evicted: Prepared[] = [];
    const known = this.#byKey.get(sql);
    if (known) evicted.push(known);
    this.#byKey.delete(sql);
    for (const [key, oldest] of this.#byKey) {
      if (this.#byKey.size < this.#most) break;
      this.#byKey.delete(key);
      this.#derived.delete(sqlOf(key));
      evicted.push(oldest);
    }
    this.#byKey.set(sql, prepared);
    // Last: what was evicted may be the same text, executed with values of other types.
    if (this.#derives) this.#derived.set(sql, new DerivedTypes(sql, codes));
    return evicted;
  }

  /**
   * Gives values without a declared type the type of their placeholders.
   * @returns the values to bind; undefined while the server has not said those types
   * @throws TidegateError `parameter_invalid` for a value that would meet another type, `statement_too_large`
   */
  typed(sql: string, values: readonly BoundValue[]): readonly BoundValue[] | undefined {
    demandFits(this.packetBytes, sql, values);
    if (!this.#derives || !values.some(dependsOnPlace)) return values;
    return this.#derived.get(sql)?.apply(values);
  }

  /** As `typed`, of a statement that is prepared. @throws also when it is not: no value is bound unjudged */
  bound(sql: string, values: readonly BoundValue[]): readonly BoundValue[] {
    const typed = this.typed(sql, values);
    if (typed === undefined) throw new Error(notPrepared);
    return typed;
  }

  /**
   * Keeps one for these values from being evicted by what is added next.
   * @returns whether there is one
   * @throws as `typed`
   */
  claim({ sql, values }: Wanted): boolean {
    const typed = values && this.typed(sql, values);
    if (values !== undefined) {
      if (typed === undefined || !this.has(sql, typed)) return false;
      this.take(sql, typed);
      return true;
    }
    const prepared = this.#byKey.get(sql);
    if (!prepared) return false;
    this.#byKey.delete(sql);
    this.#byKey.set(sql, prepared);
    return true;
  }

  /** @param values as `typed` gives them. @returns whether one is there for values of their types */
  has(sql: string, values: readonly BoundValue[]): boolean {
    return this.#byKey.has(sql) || this.#byKey.has(executedKey(sql, values));
  }

  /**
   * @param values as `typed` gives them
   * @returns the statement to execute, whose parameters have their types from now on. @throws when it is not there
   */
  take(sql: string, values: readonly BoundValue[]): Prepared {
    const executed = executedKey(sql, values);
    for (const key of [executed, sql]) {
      const prepared = this.#byKey.get(key);
      if (!prepared) continue;
      this.#byKey.delete(key);
      this.#byKey.set(executed, prepared);
      return prepared;
    }
    throw new Error(notPrepared);
  }

  /** The server has forgotten a text, or finds it out of date. @returns what must be closed at the server */
  forget(sql: string): Prepared[] {
    const stale = [...this.#byKey].filter(([key]) => sqlOf(key) === sql);
    for (const [key] of stale) this.#byKey.delete(key);
    this.#derived.delete(sql);
    return stale.map(([, prepared]) => prepared);
  }

  /** After a reset: the server has forgotten them. */
  clear(): void {
    this.#byKey.clear();
    this.#derived.clear();
    this.hasCalled = false;
  }
}

const notPrepared = "the statement is not prepared";

/** No statement begins so: a NUL is accepted in strings only. */
function executedKey(sql: string, values: readonly BoundValue[]): string {
  return `${values.map(boundType).join()}\0${sql}`;
}

function sqlOf(key: string): string {
  return key.slice(key.indexOf("\0") + 1);
}
