import { limits } from "../limits.ts";

/** The bounds of what is kept. */
export interface Kept {
  texts: number;
  /** A longer text is not kept. */
  characters: number;
}

/**
 * Keeps the results of a pure function of a text. Callers send the same few texts again and again, but may
 * send any text, so what is kept is bounded. When it is full, it begins anew.
 * @param make its results must not be changed. If it throws, nothing is kept
 */
export function memoized<T>(make: (text: string) => T, { texts, characters }: Kept): (text: string) => T {
  const kept = new Map<string, { made: T }>();
  return (text) => {
    const known = kept.get(text);
    if (known) return known.made;
    const made = make(text);
    if (text.length > characters) return made;
    if (kept.size >= texts) kept.clear();
    kept.set(text, { made });
    return made;
  };
}

/** For the text of a header. */
export const keptHeaders: Kept = { texts: limits.keptHeaders, characters: limits.keptHeaderCharacters };
