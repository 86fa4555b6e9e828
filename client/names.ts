/** @returns a saved query's name: `citiesByCountry` is `cities-by-country`; no name has capital letters */
export function queryName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

type Letter =
  | ("a" | "b" | "c" | "d" | "e" | "f" | "g" | "h" | "i" | "j" | "k" | "l" | "m")
  | ("n" | "o" | "p" | "q" | "r" | "s" | "t" | "u" | "v" | "w" | "x" | "y" | "z");

/** The camelCase form of a name; never where a `-` is not before a letter, because then there is no way back. */
export type CamelCase<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? Rest extends `${Letter}${string}`
    ? `${First}${Capitalize<CamelCase<Rest>>}`
    : never
  : Name;
