import type { Engine } from "../../../config/schema.ts";
import { limits } from "../../../limits.ts";
import { judgePlain } from "../../../sql/plain/judge.ts";
import type { PlainSelect } from "../../../sql/plain/plain-select.ts";

/** A statement whose text looks plain. */
export interface PlainCandidate extends PlainSelect {
  sql: string;
}

/** Judges the texts of an account's hot statements, each once. */
export class PlainStatements {
  readonly #engine: Engine;
  /** By version and text, the oldest first. */
  readonly #judged = new Map<string, PlainCandidate | undefined>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * @param version the text that the server's VERSION() returns
   * @returns the statements that are plain if the server agrees
   */
  among(statements: readonly { sql: string }[], version: string): PlainCandidate[] {
    return statements.flatMap(({ sql }) => this.#judge(sql, version) ?? []);
  }

  #judge(sql: string, version: string): PlainCandidate | undefined {
    const key = `${version}\0${sql}`;
    if (this.#judged.has(key)) return this.#judged.get(key);
    const plain = judgePlain(sql, { engine: this.#engine, version });
    const candidate = plain && { ...plain, sql };
    const [oldest] = this.#judged.keys();
    if (this.#judged.size >= limits.hotStatementWindow && oldest !== undefined) this.#judged.delete(oldest);
    this.#judged.set(key, candidate);
    return candidate;
  }
}
