/**
 * The kinds of tokens. `word` is an unquoted identifier or keyword, `identifier` is in backquotes. x'..' and
 * b'..' are numbers. `positional` is `?`, `named` is `:name`, `assign` is `:=`.
 */
export const tokenKinds = [
  "word",
  "identifier",
  "string",
  "number",
  "user_variable",
  "system_variable",
  "positional",
  "named",
  "assign",
  "semicolon",
  "open",
  "close",
  "comma",
  "dot",
  "operator",
] as const;

export type TokenKind = (typeof tokenKinds)[number];

/** A comment or an optimizer hint between tokens. */
export interface Gap {
  kind: "comment" | "hint";
  start: number;
  end: number;
}

const fields = 3;

/**
 * The tokens of one statement, as offsets into its text.
 *
 * One typed array holds them all. A statement may be 1 MiB of punctuation, and one object per character would
 * fill most of an isolate's memory.
 */
export class Tokens {
  readonly source: string;
  /** Comments and optimizer hints, in order. */
  readonly gaps: Gap[] = [];
  #data = new Int32Array(64 * fields);
  #length = 0;

  constructor(source: string) {
    this.source = source;
  }

  get length(): number {
    return this.#length;
  }

  push(kind: TokenKind, start: number, end: number): void {
    const at = this.#length * fields;
    if (at === this.#data.length) {
      const larger = new Int32Array(at * 2);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data[at] = tokenKinds.indexOf(kind);
    this.#data[at + 1] = start;
    this.#data[at + 2] = end;
    this.#length += 1;
  }

  /** @returns the kind; undefined before the first token and after the last one */
  kind(index: number): TokenKind | undefined {
    if (index < 0 || index >= this.#length) return undefined;
    return tokenKinds[this.#data[index * fields] ?? -1];
  }

  /** @returns the offset of the first character; after the last token, the length of the text */
  start(index: number): number {
    return index < this.#length ? (this.#data[index * fields + 1] ?? 0) : this.source.length;
  }

  /** @returns the offset after the last character. */
  end(index: number): number {
    return index < this.#length ? (this.#data[index * fields + 2] ?? 0) : this.source.length;
  }

  text(index: number): string {
    return this.source.slice(this.start(index), this.end(index));
  }

  /** @returns the word in upper case; "" for another token, or for a word longer than any keyword */
  keyword(index: number): string {
    if (this.kind(index) !== "word" || this.end(index) - this.start(index) > longestKeyword) return "";
    return upperAscii(this.text(index));
  }

  /** @returns whether the token may be a name: unquoted or in backquotes. */
  isName(index: number): boolean {
    const kind = this.kind(index);
    return kind === "word" || kind === "identifier";
  }

  /**
   * @returns a name without backquotes, ASCII letters in upper case; "" for another token, or for a long name
   */
  name(index: number): string {
    if (!this.isName(index) || this.end(index) - this.start(index) > longestKeyword + 2) return "";
    return upperAscii(this.text(index).replaceAll("`", ""));
  }

  /**
   * @returns the name of the called function, or "". TiDB also finds its own functions by names in
   *   backquotes, and by some letters beyond ASCII.
   */
  calls(index: number): string {
    return this.kind(index + 1) === "open" ? upperAscii(withAsciiTwins(this.name(index))) : "";
  }

  /** @returns whether the token is this keyword. @param keyword in upper case */
  is(index: number, keyword: string): boolean {
    if (this.kind(index) !== "word" || this.end(index) - this.start(index) !== keyword.length) return false;
    return upperAscii(this.text(index)) === keyword;
  }
}

/** More characters than any word that the guard looks for. */
const longestKeyword = 32;

/** Letters beyond ASCII whose lower or upper case in Unicode is an ASCII letter. */
const asciiTwins: Readonly<Record<string, string>> = {
  "\u0130": "I",
  "\u0131": "I",
  "\u017f": "S",
  "\u212a": "K",
};

function withAsciiTwins(name: string): string {
  return name.replaceAll(/[\u0130\u0131\u017f\u212a]/g, (letter) => asciiTwins[letter] ?? letter);
}

/**
 * Keywords are ASCII. `toUpperCase` alone would turn other letters into ASCII (U+017F becomes "S") and so
 * make keywords that the server does not see.
 */
function upperAscii(text: string): string {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return text;
  return text.toUpperCase();
}
