/** Compares a JSON text with the value that JSON.parse made of it, and finds what the value has lost. */

const code = {
  quote: 0x22,
  plus: 0x2b,
  comma: 0x2c,
  minus: 0x2d,
  dot: 0x2e,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  upperE: 0x45,
  backslash: 0x5c,
  openList: 0x5b,
  closeList: 0x5d,
  e: 0x65,
  open: 0x7b,
  close: 0x7d,
};

/** An open object or list, and the position in it. */
interface Level {
  /**
   * The parsed object or list. For a repeated member JSON.parse kept another value, so it may be wrong or
   * undefined.
   */
  holder: Holder | undefined;
  key: string | number;
  /** The names seen so far; undefined for a list. */
  names: Set<string> | undefined;
}

type Holder = Record<string | number, unknown>;

/**
 * Receives a number that JSON.parse may have changed: the object or list, its key in it, and the number's
 * text.
 */
export type OnNumber = (holder: object, key: string | number, text: string) => void;

/**
 * JSON.parse keeps the last of several members with one name, and other parsers keep the first (RFC 8259 §4).
 * So another program may have read another value from the same text.
 * @param json valid JSON
 * @param root an object whose member `""` is the value of the text
 * @param onNumber is called for each number except plain integers of up to 15 digits: for fractions,
 *   exponents, `-0`, and longer numbers
 * @returns a name that some object has twice, at any depth; undefined if there is none. If there is one,
 *   calls of `onNumber` may have been about other members
 */
export function duplicateMember(json: string, root: object, onNumber?: OnNumber): string | undefined {
  let level: Level = { holder: root as Holder, key: "", names: undefined };
  const outer: Level[] = [];
  for (let at = 0; at < json.length; at++) {
    const char = json.charCodeAt(at);
    if (char === code.quote) {
      const start = at;
      at = endOfString(json, at);
      const { names } = level;
      if (!names || json.charCodeAt(afterSpace(json, at + 1)) !== code.colon) continue;
      const name = nameOf(json.slice(start + 1, at));
      if (names.has(name)) return name;
      names.add(name);
      level.key = name;
    } else if (char === code.comma) {
      if (typeof level.key === "number") level.key += 1;
    } else if (char === code.minus || (char >= code.zero && char <= code.nine)) {
      const end = endOfNumber(json, at);
      if (onNumber && level.holder && !isPlain(json, at, end))
        onNumber(level.holder, level.key, json.slice(at, end));
      at = end - 1;
    } else if (char === code.open || char === code.openList) {
      outer.push(level);
      const holder = ownObject(level.holder, level.key);
      level =
        char === code.open ? { holder, key: "", names: new Set() } : { holder, key: 0, names: undefined };
    } else if (char === code.close || char === code.closeList) {
      level = outer.pop() as Level;
    }
  }
  return undefined;
}

/**
 * Reads own members only. An inherited one (`__proto__`) is shared by all objects, and a caller could write
 * to it.
 */
function ownObject(holder: Holder | undefined, key: string | number): Holder | undefined {
  if (holder === undefined || !Object.hasOwn(holder, key)) return undefined;
  const value = holder[key];
  return typeof value === "object" && value !== null ? (value as Holder) : undefined;
}

function nameOf(text: string): string {
  return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
}

function afterSpace(json: string, from: number): number {
  let at = from;
  while (" \t\n\r".includes(json[at] ?? "x")) at += 1;
  return at;
}

/**
 * Uses indexOf, which is faster than a loop for long strings.
 * @returns the offset of the closing quote; `start` is the offset of the opening quote
 */
function endOfString(json: string, start: number): number {
  let at = json.indexOf('"', start + 1);
  while (isEscaped(json, at)) at = json.indexOf('"', at + 1);
  return at;
}

/** @returns whether an odd number of backslashes stands before the quote */
function isEscaped(json: string, at: number): boolean {
  let before = at;
  while (json.charCodeAt(before - 1) === code.backslash) before -= 1;
  return (at - before) % 2 === 1;
}

/** A number ends where the next token or white space begins. */
function endOfNumber(json: string, start: number): number {
  let at = start + 1;
  while (isOfNumber(json.charCodeAt(at))) at += 1;
  return at;
}

/** A digit, or one of `.eE+-`. */
function isOfNumber(char: number): boolean {
  if (char >= code.zero && char <= code.nine) return true;
  return (
    char === code.dot || char === code.e || char === code.upperE || char === code.plus || char === code.minus
  );
}

/** A double holds every integer of up to 15 digits exactly, except -0. */
function isPlain(json: string, start: number, end: number): boolean {
  if (end - start > 15) return false;
  for (let at = start + 1; at < end; at++)
    if (json.charCodeAt(at) < code.zero || json.charCodeAt(at) > code.nine) return false;
  return !(end - start === 2 && json.startsWith("-0", start));
}
