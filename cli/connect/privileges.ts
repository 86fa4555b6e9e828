import type { SavedQuery } from "../../src/catalog/parse.ts";
import { expandTags } from "../../src/config/query-names.ts";
import { readingAccounts } from "../../src/config/reading.ts";
import type { Policy } from "../../src/config/schema.ts";
import type { Found } from "./check.ts";

/**
 * Finds rights of a login that its account's callers must not have: on TiDB only the privileges stop them.
 * Pure.
 */

export interface PrivilegeFinding {
  /** Why the account is refused. The gateway would refuse it too. */
  refusal?: string;
  /** A hint for the case that no grant uses the account yet. */
  note?: string;
}

/** @param grants those of the current policy, which may be incomplete */
export function judgePrivileges(
  { engine, surplus }: Pick<Found, "engine" | "surplus">,
  grants: readonly { account?: unknown; allow?: unknown }[],
  account: string,
  queries: readonly Pick<SavedQuery, "name" | "kind" | "tags">[],
): PrivilegeFinding {
  if (surplus === undefined) return {};
  const own = grants
    .filter((grant) => grant.account === account && Array.isArray(grant.allow))
    .map((grant) => ({ ...grant, allow: expandTags((grant.allow as unknown[]).map(String), queries) }));
  const policy = { cluster: { engine }, accounts: { [account]: {} }, grants: own };
  if (!readingAccounts(policy as unknown as Policy, queries).includes(account)) return {};
  const what = `TiDB does not enforce READ ONLY, and this login may do more than read: ${surplus}`;
  return own.length > 0
    ? { refusal: `The grants of "${account}" only read. ${what}. Take it away, or use another login.` }
    : { note: `${what}. The gateway refuses it unless a grant of "${account}" writes.` };
}
