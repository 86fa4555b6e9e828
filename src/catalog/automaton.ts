/**
 * Patterns as tables. A regular expression can take time that grows exponentially with a caller's text
 * (https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS). A deterministic
 * automaton takes one step for each character, whatever the pattern and the text are.
 */

/** A deterministic finite automaton, minimal. */
export interface Automaton {
  /** The first code point of each range of characters; the first is 0. A range ends where the next begins. */
  ranges: readonly number[];
  /** For each range its class: the automaton does not distinguish the characters of a class. */
  classes: readonly number[];
  /** For each state, for each class: the next state, or -1 where no text with this beginning matches. */
  next: readonly (readonly number[])[];
  /** For each state whether a text that ends there matches: 1 or 0. The first state is the beginning. */
  accepts: readonly number[];
}

/** @returns whether the whole text matches; in time that is linear in the text */
export function matches({ ranges, classes, next, accepts }: Automaton, text: string): boolean {
  let state = 0;
  for (let at = 0; at < text.length; at++) {
    const point = text.codePointAt(at) ?? 0;
    if (point > 0xffff) at += 1;
    state = next[state]?.[classes[rangeOf(ranges, point)] ?? -1] ?? -1;
    if (state < 0) return false;
  }
  return accepts[state] === 1;
}

/** @returns the index of the last range that begins at or before the code point, by bisection */
function rangeOf(ranges: readonly number[], point: number): number {
  let low = 0;
  let high = ranges.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((ranges[middle] ?? 0) <= point) low = middle;
    else high = middle - 1;
  }
  return low;
}
