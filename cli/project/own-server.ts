import { nameMistakes } from "../../src/config/query-names.ts";

/** What `tidegate start --database` changes in the policy: the user's own server takes the place of the file's. Pure. */

type Table = Record<string, unknown>;

/** The environment variable, and the name of the Worker's secret, with the password of the one login. */
export const ownPassword = "TIDEGATE_DATABASE_PASSWORD";

/** A server of the user's. */
export interface OwnServer {
  /** The keys of `[cluster]`, all of them. */
  cluster: Table;
  /** The login of every account. */
  user: string;
}

/** Settings that name something of the file's own server, or another way to log in. */
const replaced = ["user", "password", "token", "hyperdrive", "plugin", "cleartext", "acts_as", "role"];

/** @returns the accounts with the user's login. What they say of sessions and ceilings stays. */
export function accountsOfOwn(accounts: Record<string, Table>, { user }: OwnServer): Record<string, Table> {
  return Object.fromEntries(
    Object.entries(accounts).map(([name, account]) => {
      const kept = Object.entries(account).filter(([key]) => !replaced.includes(key));
      return [name, { ...Object.fromEntries(kept), user, password: ownPassword }];
    }),
  );
}

/**
 * A project that was made from the sample, and has other queries now, may still have the sample's grants.
 * @param broken the names of the queries whose files have mistakes
 * @returns the grants without permissions for queries and tags that the project does not have, and a sentence for each
 * such permission. A grant without another permission is left out.
 */
export function knownGrants(
  grants: readonly Table[],
  queries: Parameters<typeof nameMistakes>[1],
  broken: readonly string[],
): { grants: Table[]; dropped: string[] } {
  const dropped: string[] = [];
  const known = grants.flatMap((grant, i) => {
    const { allow } = grant;
    if (!Array.isArray(allow)) return [grant];
    const left = allow.filter((permission) => {
      const [mistake] = nameMistakes([String(permission)], queries, broken);
      if (mistake !== undefined) dropped.push(`grants[${i}].allow: "${permission}" is left out: ${mistake}`);
      return mistake === undefined;
    });
    return left.length === 0 && allow.length > 0 ? [] : [{ ...grant, allow: left }];
  });
  return { grants: known, dropped };
}
