import type { SavedQuery } from "../catalog/saved-query.ts";

/** The saved queries that grants name: `query:NAME`, or `query:#TAG` for all queries of a tag. */

export type Named = Pick<SavedQuery, "name" | "tags">;

const tagged = "query:#";

/** @returns the permissions with `query:NAME` for each query of a tag, each once */
export function expandTags(allow: readonly string[], queries: readonly Named[]): string[] {
  if (!allow.some((permission) => permission.startsWith(tagged))) return [...allow];
  const expanded = allow.flatMap((permission) => {
    if (!permission.startsWith(tagged)) return [permission];
    const tag = permission.slice(tagged.length);
    return queries.filter(({ tags }) => tags.includes(tag)).map(({ name }) => `query:${name}`);
  });
  return [...new Set(expanded)];
}

/**
 * @param broken the names of queries whose files have mistakes: their tags are not known
 * @returns what is wrong with the names in a grant's `allow`
 */
export function nameMistakes(
  allow: readonly string[],
  queries: readonly Named[],
  broken: readonly string[],
): string[] {
  return allow.flatMap((permission) => {
    if (!permission.startsWith("query:") || permission === "query:*") return [];
    const name = permission.slice("query:".length);
    if (name.startsWith("#")) {
      const isKnown = broken.length > 0 || queries.some(({ tags }) => tags.includes(name.slice(1)));
      return isKnown ? [] : [`no saved query has the tag "${name.slice(1)}": write @tags into its head`];
    }
    const isKnown = broken.includes(name) || queries.some((query) => query.name === name);
    return isKnown ? [] : [`there is no saved query "${name}"`];
  });
}
