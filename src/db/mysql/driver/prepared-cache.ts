import type { BoundValue } from "../../../sql/bound-value.ts";
import { DerivedTypes, dependsOnPlace } from "../values/derived-types.ts";
import { demandFits } from "../values/packet-size.ts";
import { boundType } from "./bind-types.ts";
import { ColumnMemory, TextColumns } from "./column-memory.ts";
import type { Prepared } from "./prepared.ts";

/** A statement to prepare. */
export interface Wanted {
  sql: string;
  /** Undefined if the values are not known yet. Then only a statement without an execution will do. */
  values: readonly BoundValue[] | undefined;
}

/**
 * @returns a key that is equal for statements which one prepared statement can serve, judged by the values
 */
export function wantedKey({ sql, values }: Wanted): string {
  return values === undefined ? sql : executedKey(sql, values);
}

/**
 * The prepared statements of one connection, the least recently used first. A server may keep the parameter
 * types of the first execution (MySQL 9.7 does). So with values of other types, a text counts as another
 * statement.
 */
export class PreparedStatements {
  readonly #byKey = new Map<string, Prepared>();
  /** The server's types for the placeholders of each prepared text. */
  readonly #derived = new Map<string, DerivedTypes>();
  /** Of executed statements. */
  readonly #columns: ColumnMemory;
  readonly #most: number;
  readonly #derives: boolean;
  /** Whether a procedure ran since the last reset. A procedure may leave state that a reset keeps. */
  hasCalled = false;
  /** The largest packet that the server accepts, in bytes (packet-size.ts). */
  packetBytes = Number.POSITIVE_INFINITY;

  /**
   * @param most how many statements the connection may have
   * @param derives whether the server derives the types of placeholders and sends them
   */
  constructor(most: number, derives: boolean) {
    this.#most = most;
    this.#columns = new ColumnMemory(most);
    this.#derives = derives;
  }

  /**
   * Adds a statement without an execution.
   * @returns the statements that it displaces; close them at the server
   */
  add(sql: string, prepared: Prepared): Prepared[] {
    const codes = prepared.parameters.map(({ columnType }) => columnType);
    // Each value carries its own type. If the server sent fewer definitions than placeholders, they may
    // belong to other placeholders.
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
    // This comes last: a displaced statement may have the same text, for values of other types.
    if (this.#derives) this.#derived.set(sql, new DerivedTypes(sql, codes));
    return evicted;
  }

  /**
   * Gives undeclared values the types of their placeholders.
   * @returns the values to bind; undefined if the server has not sent the types yet
   * @throws TidegateError `parameter_invalid` for a value that would meet another type, `statement_too_large`
   */
  typed(sql: string, values: readonly BoundValue[]): readonly BoundValue[] | undefined {
    demandFits(this.packetBytes, sql, values);
    if (!this.#derives || !values.some(dependsOnPlace)) return values;
    return this.#derived.get(sql)?.apply(values);
  }

  /** As `typed`, for a prepared statement. @throws also if it is not prepared: no value goes unchecked */
  bound(sql: string, values: readonly BoundValue[]): readonly BoundValue[] {
    const typed = this.typed(sql, values);
    if (typed === undefined) throw new Error(notPrepared);
    return typed;
  }

  /**
   * Marks the statement for these values as recently used, so that the next `add` does not displace it.
   * @returns whether there is such a statement
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

  /** @param values the result of `typed`. @returns whether a statement for values of these types is there */
  has(sql: string, values: readonly BoundValue[]): boolean {
    return this.#byKey.has(sql) || this.#byKey.has(executedKey(sql, values));
  }

  /**
   * @param values the result of `typed`
   * @returns the statement to execute. From now on its parameters have these types
   * @throws if it is not there
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

  /** @returns what is known of the result's columns of a statement that `take` gives */
  memory(sql: string, values: readonly BoundValue[]): TextColumns {
    return new TextColumns(this.#columns, executedKey(sql, values));
  }

  /** Drops a text that the server has forgotten or finds out of date. @returns the statements to close */
  forget(sql: string): Prepared[] {
    const stale = [...this.#byKey].filter(([key]) => sqlOf(key) === sql);
    for (const [key] of stale) this.#byKey.delete(key);
    this.#derived.delete(sql);
    return stale.map(([, prepared]) => prepared);
  }

  /** Called after a reset, because the server has then forgotten the statements. */
  clear(): void {
    this.#byKey.clear();
    this.#derived.clear();
    this.#columns.reset();
    this.hasCalled = false;
  }
}

const notPrepared = "the statement is not prepared";

/** Prefixes the types and a NUL. No statement begins like this: a NUL is allowed only in strings. */
function executedKey(sql: string, values: readonly BoundValue[]): string {
  return `${values.map(boundType).join()}\0${sql}`;
}

function sqlOf(key: string): string {
  return key.slice(key.indexOf("\0") + 1);
}
