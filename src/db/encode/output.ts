/** Text of an answer that is not taken yet, as UTF-8 in one buffer that grows. */
export class Output {
  /** The buffer. Writers put bytes at `length` after `reserve`, and then move `length`. */
  bytes: Uint8Array;
  /** Of the same buffer. */
  view: DataView;
  length = 0;
  /** Whether text gets the escapes of `wireText`: for NDJSON. */
  readonly escapesLineEnds: boolean;

  constructor(escapesLineEnds = false) {
    this.escapesLineEnds = escapesLineEnds;
    const buffer = new ArrayBuffer(smallestBytes);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Makes room for so many bytes behind `length`. `bytes` may be another buffer afterwards. */
  reserve(more: number): void {
    if (this.length + more > this.bytes.length) this.#grow(this.length + more);
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.#use(grown);
  }

  #use(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** Writes bytes as they are, from `start` to `end`. */
  raw(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const count = end - start;
    this.reserve(count);
    const to = this.bytes;
    let at = this.length;
    if (count > 64) to.set(bytes.subarray(start, end), at);
    else for (let i = start; i < end; i++) to[at++] = bytes[i] as number;
    this.length += count;
  }

  /** Writes a text. Half of a surrogate pair becomes U+FFFD. */
  text(text: string): void {
    const written = this.escapesLineEnds ? wireText(text) : text;
    this.reserve(written.length * mostBytesPerCharacter);
    this.length += utf8.encodeInto(written, this.bytes.subarray(this.length)).written;
  }

  /** Writes a text of ASCII without line ends. */
  ascii(text: string): void {
    this.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.bytes[this.length++] = text.charCodeAt(i);
  }

  /** @returns the bytes since the last call, in a buffer of their own */
  take(): Uint8Array {
    const taken = this.bytes.slice(0, this.length);
    this.length = 0;
    if (this.bytes.length > largestKeptBytes) this.#use(new Uint8Array(smallestBytes));
    return taken;
  }
}

const smallestBytes = 2 * 1024;
/** A larger buffer, made by a long row, is not kept for the next rows. */
const largestKeptBytes = 256 * 1024;
/** UTF-8 needs up to 3 bytes per UTF-16 code unit. */
const mostBytesPerCharacter = 3;
const utf8 = new TextEncoder();

/**
 * Escapes three characters that JSON allows inside strings. Python's `str.splitlines()`, and with it
 * `iter_lines()` of its HTTP clients, splits at them too. JSON itself escapes CR, VT, FF and the separators
 * from U+001C on.
 */
function wireText(text: string): string {
  // Few answers have one of them, and three searches cost a tenth of one regular expression.
  const isPlain = !(text.includes("\u0085") || text.includes("\u2028") || text.includes("\u2029"));
  return isPlain ? text : text.replaceAll(/[\u0085\u2028\u2029]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
