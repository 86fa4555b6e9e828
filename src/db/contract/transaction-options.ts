import type { Engine } from "../../config/schema.ts";

/** What a caller may ask of a transaction. */
export interface TransactionOptions {
  isolation?: Isolation | undefined;
  readOnly: boolean;
}

/** As SQL says it, in lower case. */
export const isolations = ["read uncommitted", "read committed", "repeatable read", "serializable"] as const;
export type Isolation = (typeof isolations)[number];

/**
 * The levels that each engine has. TiDB refuses the others (8048), except where tidb_skip_isolation_level_check is on:
 * there it takes them, and gives snapshot isolation for serializable
 * (https://docs.pingcap.com/tidb/stable/transaction-isolation-levels/).
 */
export const isolationsOf: Readonly<Record<Engine, readonly Isolation[]>> = {
  mysql: isolations,
  mariadb: isolations,
  tidb: ["read committed", "repeatable read"],
};
