import type { Output } from "./output.ts";
import type { Source } from "./source.ts";

/** Copies UTF-8 without making strings of it. */

/** The ASCII that is copied. */
export interface Copied {
  /** 1 for each byte that is. */
  table: Uint8Array;
  /** The two printable characters that are not, in each of four bytes. */
  first: number;
  second: number;
}

/** @returns all of ASCII except two printable characters and what is left of the control characters */
export function copiedBut(first: string, second: string, controls: (code: number) => boolean): Copied {
  const [one, other] = [first.charCodeAt(0), second.charCodeAt(0)];
  const table = new Uint8Array(256).fill(1, 0x20, 0x80);
  for (let code = 0; code < 0x20; code++) table[code] = controls(code) ? 1 : 0;
  table[one] = 0;
  table[other] = 0;
  return { table, first: one * 0x01010101, second: other * 0x01010101 };
}

/**
 * Copies UTF-8 from `start` on. There must be room for `end - start` bytes.
 * @returns where it stopped: at `end`, at an ASCII character that is not copied, at a sequence that is not
 *   UTF-8 (`sequenceBytes` is 0), or at a line end that the output escapes
 */
export function copyUtf8(out: Output, from: Source, start: number, end: number, copied: Copied): number {
  const { bytes, view } = from;
  const { table, first, second } = copied;
  const to = out.bytes;
  const toView = out.view;
  let at = out.length;
  let i = start;
  while (i < end) {
    // Four bytes at once, as long as all of them are printable ASCII and none is one of the two.
    while (i + 4 <= end) {
      const four = view.getInt32(i, true);
      const special =
        four | (four - 0x20202020) | ((four ^ first) - 0x01010101) | ((four ^ second) - 0x01010101);
      if ((special & 0x80808080) !== 0) break;
      toView.setInt32(at, four, true);
      i += 4;
      at += 4;
    }
    if (i === end) break;
    const byte = bytes[i] as number;
    if (table[byte] === 1) {
      to[at++] = byte;
      i++;
      continue;
    }
    if (byte < 0x80) break;
    const size = sequenceBytes(bytes, i, end);
    if (size === 0 || (out.escapesLineEnds && lineEnd(bytes, i) !== 0)) break;
    for (const last = i + size; i < last; ) to[at++] = bytes[i++] as number;
  }
  out.length = at;
  return i;
}

/** @returns the number of bytes of the character at `at`, 2 to 4; 0 if they are not UTF-8 */
export function sequenceBytes(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  const second = at + 1 < end ? (bytes[at + 1] as number) : 0;
  if (first < 0xc2 || first > 0xf4) return 0;
  if (first < 0xe0) return isNext(second) ? 2 : 0;
  const third = at + 2 < end ? (bytes[at + 2] as number) : 0;
  if (first < 0xf0) {
    // Neither a longer form than needed nor half of a surrogate pair.
    const isWhole = (first !== 0xe0 || second >= 0xa0) && (first !== 0xed || second < 0xa0);
    return isWhole && isNext(second) && isNext(third) ? 3 : 0;
  }
  const fourth = at + 3 < end ? (bytes[at + 3] as number) : 0;
  const isWhole = (first !== 0xf0 || second >= 0x90) && (first !== 0xf4 || second < 0x90);
  return isWhole && isNext(second) && isNext(third) && isNext(fourth) ? 4 : 0;
}

function isNext(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** @returns U+0085, U+2028 or U+2029 if the sequence at `at` is one of them; 0 otherwise */
export function lineEnd(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first === 0xc2) return bytes[at + 1] === 0x85 ? 0x85 : 0;
  if (first !== 0xe2 || bytes[at + 1] !== 0x80) return 0;
  if (bytes[at + 2] === 0xa8) return 0x2028;
  return bytes[at + 2] === 0xa9 ? 0x2029 : 0;
}
