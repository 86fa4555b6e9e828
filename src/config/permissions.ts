/**
 * The only list of permissions that a grant may have, besides those for saved queries, which have the query's
 * name or a tag of it.
 */
export const permissions = [
  "sql:read",
  "sql:write",
  "sql:ddl",
  "sql:server",
  "transaction",
  "operate",
  "metrics",
] as const;

export type Permission = (typeof permissions)[number];

/** @returns whether a permission of a parsed policy, whose tags are names, opens a saved query */
export function opensQuery(permission: string, name: string): boolean {
  return permission === "query:*" || permission === `query:${name}`;
}

/** A member of a grant's `allow`. */
export const allowed = {
  form: new RegExp(`^(?:query:(?:\\*|#?[a-z][a-z0-9_-]{0,62})|${permissions.join("|")})$`),
  mistake: `must be query:NAME, query:#TAG, query:*, ${permissions.slice(0, -1).join(", ")} or ${permissions.at(-1)}`,
};
