import type { SavedQuery } from "../catalog/parse.ts";
import { opensQuery } from "./permissions.ts";
import type { Policy } from "./schema.ts";

/**
 * Finds the accounts that only read. TiDB has no READ ONLY state, so there such an account must have no
 * privilege to write. All grants of the account must only read, and each login proves that it has no further
 * privilege (src/db/mysql/engines/privileges.ts).
 */

type Query = Pick<SavedQuery, "name" | "kind">;

/** @returns the accounts that no grant writes with, on TiDB; on other servers none */
export function readingAccounts(
  { cluster, accounts, grants }: Pick<Policy, "cluster" | "accounts" | "grants">,
  queries: readonly Query[],
): string[] {
  if (cluster.engine !== "tidb") return [];
  const writing = writingAccounts(grants, queries);
  return Object.keys(accounts).filter((name) => !writing.has(name));
}

/** @returns the accounts that some grant writes with */
export function writingAccounts(grants: Policy["grants"], queries: readonly Query[]): ReadonlySet<string> {
  const writing = grants.filter(({ allow }) => allow.some((permission) => writes(permission, queries)));
  return new Set(writing.map(({ account }) => account));
}

/** @returns the grants that only read with an account that other grants write with, one line each */
export function readingMistakes(policy: Policy, queries: readonly Query[]): string[] {
  if (policy.cluster.engine !== "tidb") return [];
  const reading = readingAccounts(policy, queries);
  return policy.grants.flatMap(({ account, allow }, i) => {
    const onlyReads = allow.some(runs) && !allow.some((permission) => writes(permission, queries));
    if (!onlyReads || reading.includes(account)) return [];
    return [
      `grants[${i}].account: only reads, and other grants write with "${account}"; TiDB does not enforce READ ONLY: give it an account of its own, with SELECT only`,
    ];
  });
}

/** Other permissions run no statement of the caller, so the account's rights do not matter. */
function runs(permission: string): boolean {
  return permission.startsWith("sql:") || permission.startsWith("query:");
}

function writes(permission: string, queries: readonly Query[]): boolean {
  if (permission === "sql:write" || permission === "sql:ddl") return true;
  return queries.some(({ kind, name }) => kind !== "read" && opensQuery(permission, name));
}
