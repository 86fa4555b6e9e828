import type { Tokens } from "./tokens.ts";

/** How a statement's parentheses are nested, found in one pass: a list may have 65,535 placeholders, and each one asks. */
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

  /** @returns the parenthesis that is open at a token, itself included, or -1 */
  openAt(at: number): number {
    return this.#opens[at] ?? -1;
  }

  /** @returns the parenthesis that closes what `openAt` has found; the statement's end where nothing does */
  closeOf(open: number): number {
    return this.#closes[open] ?? this.#closes.length;
  }
}
