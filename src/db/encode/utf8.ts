import type { Output } from "./output.ts";

/** Copies UTF-8 without making strings of it. */

/** For each byte, whether it may be copied: 1 for ASCII except the given codes. */
export type Copied = Uint8Array;

/** @returns the table of ASCII without control characters and without these characters */
export function printable(except: string): Copied {
  const table = new Uint8Array(256).fill(1, 0x20, 0x80);
  for (const character of except) table[character.charCodeAt(0)] = 0;
  return table;
}

/**
 * Copies UTF-8 from `start` on. There must be room for `end - start` bytes.
 * @returns where it stopped: at `end`, at an ASCII character that is not in the table, at a sequence that is
 *   not UTF-8 (`sequenceBytes` is 0), or at a line end that the output escapes
 */
export function copyUtf8(
  out: Output,
  bytes: Uint8Array,
  { start, end, copied }: { start: number; end: number; copied: Copied },
): number {
  const to = out.bytes;
  let at = out.length;
  let i = start;
  while (i < end) {
    const byte = bytes[i] as number;
    if (copied[byte] === 1) {
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
