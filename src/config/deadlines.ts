import type { Policy } from "./schema.ts";

/** @returns the longest deadline of the account's statements over all grants, in milliseconds */
export function longestDeadlineMs({ accounts, grants }: Policy, name: string): number {
  const own = accounts[name]?.deadline_ms ?? 0;
  const granted = grants.flatMap(({ account, deadline_ms = own }) => (account === name ? [deadline_ms] : []));
  return granted.length > 0 ? Math.max(...granted) : own;
}
