import { reservedNames } from "../../src/catalog/head/param.ts";
import { quoteIdentifier } from "../../src/sql/identifiers.ts";

/** Names of files, parameters and columns. Pure. */

/** @returns lower-case letters, digits, `-` and `_`, first a letter; "" if the text has no letter or digit */
export function slug(text: string, most = 48): string {
  const words = text
    .normalize("NFKD")
    .replaceAll(/\p{M}+/gu, "")
    .replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, "-")
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]+/g, "-")
    .replaceAll(/^[-_]+|[-_]+$/g, "");
  const name = /^[0-9]/.test(words) ? `n${words}` : words;
  return name.slice(0, most).replace(/[-_]+$/, "");
}

/**
 * @param taken names that the query has already; the new one is added
 * @returns a name for a parameter, as close to `name` as possible
 */
export function parameterName(name: string, taken: Set<string>): string {
  const plain = name.normalize("NFKD").replaceAll(/\p{M}+/gu, "");
  const letters = plain
    .replaceAll(/[^A-Za-z0-9_]+/g, " ")
    .trim()
    .replaceAll(" ", "_");
  const begun = /[A-Za-z0-9]/.test(letters) ? letters : "column";
  const base = (/^[0-9]/.test(begun) ? `_${begun}` : begun).slice(0, 56);
  const free = (candidate: string) => !reservedNames.has(candidate) && !taken.has(candidate);
  let found = reservedNames.has(base) || taken.has(base) ? `${base}_value` : base;
  for (let count = 2; !free(found); count++) found = `${base}_${count}`;
  taken.add(found);
  return found;
}

/** @param reserved the server's reserved words, in capitals; undefined: they are not known */
export function quoteName(name: string, reserved: ReadonlySet<string> | undefined): string {
  const isPlain = /^[A-Za-z][A-Za-z0-9_]*$/.test(name);
  if (isPlain && reserved !== undefined && !reserved.has(name.toUpperCase())) return name;
  return quoteIdentifier(name);
}
