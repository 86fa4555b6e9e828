import type { Config } from "../../config/config.ts";
import { demandZone } from "../../sql/bind-values.ts";
import type { BatchValue } from "../../sql/references.ts";
import { dialectOf } from "../mysql/engines/dialect-of.ts";

/**
 * @returns the statement in the form for the cluster's engine
 * @throws ParameterError for a value that a session in the account's time zone would read as another one
 */
export function adaptStatement<T extends { sql: string; values: readonly BatchValue[] }>(
  { cluster, accounts }: Pick<Config, "cluster" | "accounts">,
  account: string,
  statement: T,
): T {
  const { sql, values } = statement;
  demandZone(values, accounts.get(account)?.time_zone ?? "");
  const text = dialectOf(cluster).comparedAloud(sql, values);
  return text === sql ? statement : { ...statement, sql: text };
}
