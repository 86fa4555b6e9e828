import { parse } from "smol-toml";
import type { SavedQuery } from "../../src/catalog/parse.ts";
import { readingAccounts } from "../../src/config/reading.ts";
import type { Policy } from "../../src/config/schema.ts";
import type { Found } from "./check.ts";

/** What a login may do that its account's callers may not: only privileges hold them back on TiDB. Pure. */

export interface PrivilegeFinding {
  /** Why the account is refused; the gateway would refuse it too. */
  refusal?: string;
  /** What to know when no grant has said yet what the account is for. */
  note?: string;
}

/** @param text the policy as it is, which may lack whatever is not written yet */
export function judgePrivileges(
  { engine, surplus }: Pick<Found, "engine" | "surplus">,
  text: string,
  account: string,
  queries: readonly Pick<SavedQuery, "name" | "kind">[],
): PrivilegeFinding {
  if (surplus === undefined) return {};
  const { grants = [] } = parse(text) as { grants?: { account?: unknown; allow?: unknown }[] };
  const own = grants.filter((grant) => grant.account === account && Array.isArray(grant.allow));
  const policy = { cluster: { engine }, accounts: { [account]: {} }, grants: own };
  if (!readingAccounts(policy as unknown as Policy, queries).includes(account)) return {};
  const what = `TiDB does not enforce READ ONLY, and this login may do more than read: ${surplus}`;
  return own.length > 0
    ? { refusal: `The grants of "${account}" only read. ${what}. Take it away, or use another login.` }
    : { note: `${what}. The gateway refuses it unless a grant of "${account}" writes.` };
}
