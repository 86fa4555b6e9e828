import { limits } from "../../../limits.ts";
import type { HotStatement } from "../../mysql/session/restore.ts";

/**
 * Which statements a shard is asked for again and again: those are prepared ahead, in the restore that everybody's
 * connection goes through anyway. Each costs the server a preparation per restore, so a statement must have had its
 * share of the latest ones.
 */
export class HotStatements {
  /** The latest statements, the oldest first, and how often each is among them. */
  readonly #latest: string[] = [];
  readonly #known = new Map<string, HotStatement & { count: number; ahead: boolean }>();
  readonly #mayBeAhead: (sql: string) => boolean;

  /** @param mayBeAhead whether a text may be prepared while no caller waits for it */
  constructor(mayBeAhead: (sql: string) => boolean) {
    this.#mayBeAhead = mayBeAhead;
  }

  note({ sql, writable }: HotStatement): void {
    if (sql.length > limits.hotStatementCharacters) return;
    this.#latest.push(sql);
    const known = this.#known.get(sql);
    if (known) known.count += 1;
    else this.#known.set(sql, { sql, writable, count: 1, ahead: this.#mayBeAhead(sql) });
    if (this.#latest.length > limits.hotStatementWindow) this.#drop(this.#latest.shift() as string);
  }

  #drop(sql: string): void {
    const known = this.#known.get(sql);
    if (!known) return;
    known.count -= 1;
    if (known.count === 0) this.#known.delete(sql);
  }

  /** @returns the hottest first */
  top(): HotStatement[] {
    const enough = Math.max(2, this.#latest.length * limits.hotStatementShare);
    return [...this.#known.values()]
      .filter(({ count, ahead }) => ahead && count >= enough)
      .sort((one, other) => other.count - one.count)
      .slice(0, limits.hotStatements);
  }

  /** The server does not prepare it (any more): it must become hot again. */
  forget(sql: string): void {
    if (!this.#known.delete(sql)) return;
    const kept = this.#latest.filter((text) => text !== sql);
    this.#latest.splice(0, this.#latest.length, ...kept);
  }
}
