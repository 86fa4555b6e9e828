import { limits } from "../../../limits.ts";

/**
 * An account's statements that had warnings at their last execution. The query for the warnings of such a
 * statement goes in the same write. So a statement that always warns needs no further round trip.
 */
export class WarnedStatements {
  /** The texts, the oldest warning first. */
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
