import type { Engine } from "../../config/schema.ts";

/** A caller's options for a transaction. */
export interface TransactionOptions {
  isolation?: Isolation | undefined;
  readOnly: boolean;
}

/** In the words of SQL, in lower case. */
export const isolations = ["read uncommitted", "read committed", "repeatable read", "serializable"] as const;
export type Isolation = (typeof isolations)[number];

/**
 * The isolation levels of each engine. TiDB refuses the others (8048). With tidb_skip_isolation_level_check
 * on, it accepts them, but serializable is then snapshot isolation
 * (https://docs.pingcap.com/tidb/stable/transaction-isolation-levels/).
 */
export const isolationsOf: Readonly<Record<Engine, readonly Isolation[]>> = {
  mysql: isolations,
  mariadb: isolations,
  tidb: ["read committed", "repeatable read"],
};
