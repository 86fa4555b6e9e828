import { limits } from "../../../limits.ts";

/**
 * The statements of an account that had warnings when they were executed last. Such a statement is asked for its warnings
 * in the write that executes it: one that always warns costs no further round trip.
 */
export class WarnedStatements {
  /** The one that warned longest ago comes first. */
  readonly #texts = new Set<string>();

  has(sql: string): boolean {
    return this.#texts.has(sql);
  }

  /** @param warned whether the statement had warnings this time */
  note(sql: string, warned: boolean): void {
    this.#texts.delete(sql);
    if (!warned || sql.length > limits.hotStatementCharacters) return;
    this.#texts.add(sql);
    const [oldest] = this.#texts;
    if (this.#texts.size > limits.warnedStatements && oldest !== undefined) this.#texts.delete(oldest);
  }
}
