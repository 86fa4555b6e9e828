import { engine } from "./harness.ts";

/**
 * What the engine of this run has. A test of what it lacks is skipped by name: `test.skipIf(!has.storedPrograms)(..)`.
 * TiDB: https://docs.pingcap.com/tidb/stable/mysql-compatibility#unsupported-features
 */
export const has = {
  /** Procedures, functions and triggers. */
  storedPrograms: engine !== "tidb",
  /** A session or a transaction that the server lets only read: TiDB takes READ ONLY and writes. */
  readOnly: engine !== "tidb",
  /** CREATE SEQUENCE: MySQL has none. */
  sequences: engine !== "mysql",
  /** GEOMETRY and its kinds. */
  geometry: engine !== "tidb",
  /** READ UNCOMMITTED and SERIALIZABLE: TiDB refuses both (8048). */
  everyIsolation: engine !== "tidb",
  /** The texts of what sleeps, as a state: TiDB's list of processes says "autocommit" of each. */
  proxyUsers: engine === "mysql",
} as const;
