import { code, isDigit, isHexDigit, isWordPart, lower } from "./characters.ts";
import { invalidCharacter } from "./errors.ts";

const e = "e".charCodeAt(0);
const x = "x".charCodeAt(0);
const b = "b".charCodeAt(0);

/**
 * `12`, `1.5`, `.5`, `1.`, `1e5`, `0x1F`, `0b01`: https://dev.mysql.com/doc/refman/en/number-literals.html
 *
 * @param start the offset of a digit, or of a dot before one
 * @returns the offset after the number; undefined when the digits begin a name
 * @throws StatementError `invalid_character` when a letter follows directly: MySQL reads `1.5INTO` as a
 *   number and a keyword but `0x1INTO` as a name, and TiDB reads both as a number and a keyword. Also when a
 *   dot follows 0x1F or 0b01 directly: TiDB reads `0x1.` as the number 0 and the name x1.
 */
export function numberEnd(source: string, start: number): number | undefined {
  const second = lower(source.charCodeAt(start + 1));
  if (source.charCodeAt(start) === code.zero && (second === x || second === b)) {
    const end = mustEnd(source, digitsEnd(source, start + 2, second === x ? isHexDigit : isBit));
    if (source.charCodeAt(end) !== code.dot) return end;
    throw invalidCharacter("A literal 0x.. or 0b.. touches the dot after it: put a space between them.", end);
  }
  const whole = digitsEnd(source, start, isDigit);
  const fraction = source.charCodeAt(whole) === code.dot ? digitsEnd(source, whole + 1, isDigit) : whole;
  const exponent = exponentEnd(source, fraction);
  if (exponent !== fraction) return mustEnd(source, exponent);
  if (fraction !== whole) return mustEnd(source, fraction);
  return isWordPart(source.charCodeAt(whole)) ? undefined : whole;
}

/**
 * x'1F' and b'01': https://dev.mysql.com/doc/refman/en/hexadecimal-literals.html
 *
 * @param letter the first character, in lower case; a quote follows it
 * @returns the offset after the closing quote; undefined when the letter does not introduce a literal.
 * @throws StatementError `invalid_character` for characters that are not such digits
 */
export function quotedLiteralEnd(source: string, start: number, letter: number): number | undefined {
  if (letter !== x && letter !== b) return undefined;
  const end = digitsEnd(source, start + 2, letter === x ? isHexDigit : isBit);
  if (source.charCodeAt(end) === code.quote) return end + 1;
  throw invalidCharacter("A literal x'..' or b'..' has other characters than digits.", start);
}

function exponentEnd(source: string, at: number): number {
  if (lower(source.charCodeAt(at)) !== e) return at;
  const sign = source.charCodeAt(at + 1);
  const first = at + (sign === code.plus || sign === code.minus ? 2 : 1);
  return isDigit(source.charCodeAt(first)) ? digitsEnd(source, first, isDigit) : at;
}

function digitsEnd(source: string, start: number, belongs: (c: number) => boolean): number {
  let at = start;
  while (belongs(source.charCodeAt(at))) at += 1;
  return at;
}

function isBit(c: number): boolean {
  return c === code.zero || c === code.zero + 1;
}

function mustEnd(source: string, end: number): number {
  if (!isWordPart(source.charCodeAt(end))) return end;
  throw invalidCharacter("A number touches the word after it: put a space between them.", end);
}
