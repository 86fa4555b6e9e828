/** Reads one line of a saved query's head, word by word. */

/** A word, or the whole text behind the words that were read. */
export interface Word {
  text: string;
  /** Its position in the file. */
  offset: number;
}

export class Line {
  readonly #text: string;
  readonly #start: number;
  #at = 0;

  /**
   * @param text the line without its `-- `
   * @param start the position of the text in the file
   */
  constructor(text: string, start: number) {
    this.#text = text;
    this.#start = start;
    this.#skip();
  }

  /** The position in the file of the next word; behind the last word, of the line's end. */
  get offset(): number {
    return this.#start + this.#at;
  }

  get isDone(): boolean {
    return this.#at === this.#text.length;
  }

  /** @returns the next word without reading it; "" behind the last one */
  peek(): string {
    return this.#text.slice(this.#at, this.#wordEnd());
  }

  /** @returns the next word; its text is "" behind the last one */
  take(): Word {
    return this.#upTo(this.#wordEnd());
  }

  /** @returns what is left, without white space at its end */
  rest(): Word {
    return this.#upTo(this.#text.length);
  }

  /** @returns whether the next character is one of these */
  startsWith(characters: string): boolean {
    return !this.isDone && characters.includes(this.#text[this.#at] ?? "");
  }

  /** @returns the next character */
  takeChar(): string {
    return this.#upTo(Math.min(this.#at + 1, this.#text.length)).text;
  }

  /** @returns the text from the next word up to the first of these characters, or to the line's end */
  takeUpTo(characters: string): Word {
    let end = this.#at;
    while (end < this.#text.length && !characters.includes(this.#text[end] ?? "")) end += 1;
    return this.#upTo(end);
  }

  /** Reads a JSON value. @returns the value; undefined, and nothing is read, if there is none */
  takeJson(): { value: unknown; offset: number } | undefined {
    const end = this.#jsonEnd();
    try {
      const value: unknown = JSON.parse(this.#text.slice(this.#at, end));
      return { value, offset: this.#upTo(end).offset };
    } catch {
      return undefined;
    }
  }

  #wordEnd(): number {
    const length = this.#text.slice(this.#at).search(/\s|$/);
    return this.#at + length;
  }

  /** A text, a list or an object ends at its closing character. Any other literal is one word. */
  #jsonEnd(): number {
    if (!this.startsWith('"[{')) return this.#wordEnd();
    let depth = 0;
    let inText = false;
    for (let at = this.#at; at < this.#text.length; at++) {
      const character = this.#text[at] ?? "";
      if (inText && character === "\\") {
        at += 1;
        continue;
      }
      if (character === '"') inText = !inText;
      if (inText) continue;
      if ("[{".includes(character)) depth += 1;
      if ("]}".includes(character)) depth -= 1;
      if (depth <= 0) return at + 1;
    }
    return this.#text.length;
  }

  #upTo(end: number): Word {
    const word = { text: this.#text.slice(this.#at, end).trim(), offset: this.offset };
    this.#at = end;
    this.#skip();
    return word;
  }

  #skip(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at += 1;
  }
}
