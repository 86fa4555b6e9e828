import { limits } from "../limits.ts";

/**
 * Keeps the results of a pure function of a header's text. Most callers send one of a few texts. A caller may
 * send any text, so the number of kept texts and their length are bounded. When it is full, it begins anew.
 */
export function memoized<T>(make: (text: string) => T): (text: string) => T {
  const kept = new Map<string, { made: T }>();
  return (text) => {
    const known = kept.get(text);
    if (known) return known.made;
    const made = make(text);
    if (text.length > limits.keptHeaderCharacters) return made;
    if (kept.size >= limits.keptHeaders) kept.clear();
    kept.set(text, { made });
    return made;
  };
}
