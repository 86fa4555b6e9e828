/** Character codes and classes, as the servers' lexers see them. */

export const code = {
  tab: 0x09,
  newline: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  bang: 0x21,
  doubleQuote: 0x22,
  hash: 0x23,
  dollar: 0x24,
  quote: 0x27,
  open: 0x28,
  close: 0x29,
  star: 0x2a,
  plus: 0x2b,
  comma: 0x2c,
  minus: 0x2d,
  dot: 0x2e,
  slash: 0x2f,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  semicolon: 0x3b,
  equals: 0x3d,
  question: 0x3f,
  at: 0x40,
  backslash: 0x5c,
  underscore: 0x5f,
  backquote: 0x60,
  delete: 0x7f,
} as const;

/**
 * The ASCII operators. Brackets and the backslash are missing, because the three servers read them
 * differently.
 */
const operators = "!%&*+-/:<=>^{|}~";

/** Space, tab, newline, vertical tab, form feed and carriage return. All three servers skip these. */
export function isSpace(c: number): boolean {
  return c === code.space || (c >= code.tab && c <= code.carriageReturn);
}

export function isDigit(c: number): boolean {
  return c >= code.zero && c <= code.nine;
}

export function isHexDigit(c: number): boolean {
  return isDigit(c) || isBetween(lower(c), "a", "f");
}

/** A letter or underscore. An ASCII word or a placeholder's name begins with one. */
export function isNameStart(c: number): boolean {
  return isBetween(lower(c), "a", "z") || c === code.underscore;
}

export function isNamePart(c: number): boolean {
  return isNameStart(c) || isDigit(c);
}

/** A character inside an unquoted identifier. For the servers, every character beyond ASCII is a letter. */
export function isWordPart(c: number): boolean {
  return isNamePart(c) || c === code.dollar || c > code.delete;
}

export function isOperator(c: number): boolean {
  return c < 0x80 && operators.includes(String.fromCharCode(c));
}

/** @returns the code of the lower-case letter for an ASCII letter; other codes are not meaningful. */
export function lower(c: number): number {
  return c | 0x20;
}

/**
 * Spaces, controls and invisible marks beyond ASCII. A person does not see them, but the server reads them as
 * letters, so two visible words could be one name.
 */
export function isMisleading(c: number): boolean {
  return (
    (c >= 0x80 && c <= 0xa0) ||
    c === 0xad ||
    c === 0x1680 ||
    c === 0x180e ||
    (c >= 0x2000 && c <= 0x200f) ||
    (c >= 0x2028 && c <= 0x202f) ||
    (c >= 0x205f && c <= 0x206f) ||
    c === 0x3000 ||
    c === 0xfeff ||
    (c >= 0xfff9 && c <= 0xfffb)
  );
}

function isBetween(c: number, first: string, last: string): boolean {
  return c >= first.charCodeAt(0) && c <= last.charCodeAt(0);
}
