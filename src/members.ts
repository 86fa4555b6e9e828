/** Walks through JSON text beside the value that JSON.parse has made of it, for what the value does not say any more. */

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

/** An object or a list that is open, and where in it we are. */
interface Level {
  /** Where a member comes that is there twice, JSON.parse has kept something else, or nothing. */
  holder: Holder | undefined;
  key: string | number;
  /** Of an object, the names so far. */
  names: Set<string> | undefined;
}

type Holder = Record<string | number, unknown>;

/** What JSON.parse may have lost of a number: its holder, its member there, and its text. */
export type OnNumber = (holder: object, key: string | number, text: string) => void;

/**
 * JSON.parse keeps the last of several members of one name, other parsers the first: whoever read the text before may have
 * read something else (RFC 8259 §4).
 * @param json valid JSON
 * @param root an object whose member `""` is the value of the text
 * @param onNumber told of each number that is more than up to 15 digits: those with a fraction, an exponent, `-0`, and long
 *   ones
 * @returns a name that an object has twice, at any depth; undefined if there is none. If there is one, what `onNumber` was
 *   told may be about other members
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

/** Own members only: an inherited one is everybody's (`__proto__`), and may be written to. */
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
 * Long strings are searched, not walked through.
 * @returns where the closing quote of the string stands whose opening quote is at `start`
 */
function endOfString(json: string, start: number): number {
  let at = json.indexOf('"', start + 1);
  while (isEscaped(json, at)) at = json.indexOf('"', at + 1);
  return at;
}

/** An odd number of backslashes stands before it. */
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

/** A double says whole numbers of 15 digits as they are written, but for -0. */
function isPlain(json: string, start: number, end: number): boolean {
  if (end - start > 15) return false;
  for (let at = start + 1; at < end; at++)
    if (json.charCodeAt(at) < code.zero || json.charCodeAt(at) > code.nine) return false;
  return !(end - start === 2 && json.startsWith("-0", start));
}
