import type { Prepared } from "./driver.ts";

/** A statement that is to be prepared. */
export interface Wanted {
  sql: string;
  /** Its parameters' types; undefined when they are not known yet: then one is wanted that was not executed. */
  types: readonly string[] | undefined;
}

/** @returns the same for those that one prepared statement serves */
export function wantedKey({ sql, types }: Wanted): string {
  return types === undefined ? sql : executedKey(sql, types);
}

/**
 * The statements that are prepared on one connection, the one used longest ago first. A server may keep a
 * statement's parameters as they were typed at its first execution (MySQL 9.7 does): executed with other types
 * it is another statement.
 */
export class PreparedStatements {
  readonly #byKey = new Map<string, Prepared>();
  readonly #most: number;

  /** @param most how many the connection may have */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Keeps a statement that has not been executed yet.
   * @returns what must be closed at the server in its place
   */
  add(sql: string, prepared: Prepared): Prepared[] {
    const evicted: Prepared[] = [];
    const known = this.#byKey.get(sql);
    if (known) evicted.push(known);
    this.#byKey.delete(sql);
    for (const [key, oldest] of this.#byKey) {
      if (this.#byKey.size < this.#most) break;
      this.#byKey.delete(key);
      evicted.push(oldest);
    }
    this.#byKey.set(sql, prepared);
    return evicted;
  }

  /**
   * Keeps one for parameters of these types, or of any, from being evicted by what is added next.
   * @returns whether there is one
   */
  claim({ sql, types }: Wanted): boolean {
    if (types !== undefined) {
      if (!this.has(sql, types)) return false;
      this.take(sql, types);
      return true;
    }
    const prepared = this.#byKey.get(sql);
    if (!prepared) return false;
    this.#byKey.delete(sql);
    this.#byKey.set(sql, prepared);
    return true;
  }

  /** @returns whether one is there for parameters of these types */
  has(sql: string, types: readonly string[]): boolean {
    return this.#byKey.has(sql) || this.#byKey.has(executedKey(sql, types));
  }

  /** @returns the statement to execute, whose parameters have these types from now on. @throws when it is not there */
  take(sql: string, types: readonly string[]): Prepared {
    const executed = executedKey(sql, types);
    for (const key of [executed, sql]) {
      const prepared = this.#byKey.get(key);
      if (!prepared) continue;
      this.#byKey.delete(key);
      this.#byKey.set(executed, prepared);
      return prepared;
    }
    throw new Error("the statement is not prepared");
  }

  /** After a reset: the server has forgotten them. */
  clear(): void {
    this.#byKey.clear();
  }
}

/** No statement begins so: a NUL is accepted in strings only. */
function executedKey(sql: string, types: readonly string[]): string {
  return `${types.join()}\0${sql}`;
}
