import { limits } from "../../../limits.ts";
import type { HotStatement } from "../../mysql/session/restore.ts";

/**
 * Finds the statements that a shard runs again and again. Each restore prepares them ahead, for the next
 * request. A preparation costs the server work in each restore, so a statement must be frequent among the
 * latest ones.
 */
export class HotStatements {
  /** The latest statements with the time of each, oldest first, and the count of each among them. */
  #latest: { sql: string; at: number }[] = [];
  readonly #known = new Map<string, HotStatement & { count: number; ahead: boolean }>();
  readonly #mayBeAhead: (sql: string) => boolean;

  /** @param mayBeAhead whether a statement may be prepared without a waiting caller */
  constructor(mayBeAhead: (sql: string) => boolean) {
    this.#mayBeAhead = mayBeAhead;
  }

  note({ sql, writable }: HotStatement): void {
    if (sql.length > limits.hotStatementCharacters) return;
    this.#latest.push({ sql, at: Date.now() });
    const known = this.#known.get(sql);
    if (known) known.count += 1;
    else this.#known.set(sql, { sql, writable, count: 1, ahead: this.#mayBeAhead(sql) });
    if (this.#latest.length > limits.hotStatementWindow) this.#drop(this.#latest.shift()?.sql ?? "");
  }

  #drop(sql: string): void {
    const known = this.#known.get(sql);
    if (!known) return;
    known.count -= 1;
    if (known.count === 0) this.#known.delete(sql);
  }

  /** @returns the hottest statements first */
  top(): HotStatement[] {
    const enough = Math.max(2, this.#latest.length * limits.hotStatementShare);
    return [...this.#known.values()]
      .filter(({ count, ahead }) => ahead && count >= enough)
      .sort((one, other) => other.count - one.count)
      .slice(0, limits.hotStatements);
  }

  /** Drops a statement whose preparation failed, or may have failed a restore. It must become hot again. */
  forget(sql: string): void {
    if (!this.#known.delete(sql)) return;
    this.#latest = this.#latest.filter((one) => one.sql !== sql);
  }

  /** Whether the latest statements came so fast that a run has many of them (plain-run.ts). */
  isBusy(now: number): boolean {
    const [oldest] = this.#latest;
    const isFull = this.#latest.length >= limits.hotStatementWindow;
    return isFull && oldest !== undefined && now - oldest.at <= limits.busyWindowMs;
  }
}
