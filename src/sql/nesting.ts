import type { Tokens } from "./tokens.ts";

/** The nesting of a statement's parentheses, computed in one pass: up to 65,535 placeholders look it up. */
export class Nesting {
  readonly #opens: Int32Array;
  readonly #closes: Int32Array;

  constructor(tokens: Tokens) {
    this.#opens = new Int32Array(tokens.length);
    this.#closes = new Int32Array(tokens.length).fill(tokens.length);
    const open: number[] = [];
    for (let at = 0; at < tokens.length; at++) {
      const kind = tokens.kind(at);
      const closed = kind === "close" ? open.pop() : undefined;
      if (closed !== undefined) this.#closes[closed] = at;
      if (kind === "open") open.push(at);
      this.#opens[at] = open.at(-1) ?? -1;
    }
  }

  /** @returns the innermost open parenthesis at a token (the token itself, if it opens one), or -1 */
  openAt(at: number): number {
    return this.#opens[at] ?? -1;
  }

  /** @returns the closing parenthesis for a result of `openAt`; the statement's end if there is none */
  closeOf(open: number): number {
    return this.#closes[open] ?? this.#closes.length;
  }
}
