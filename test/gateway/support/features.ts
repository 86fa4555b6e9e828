import { engine } from "./harness.ts";

/**
 * What the engine of this run has. A test of what it lacks is skipped by name: `test.skipIf(!has.storedPrograms)(..)`.
 * TiDB: https://docs.pingcap.com/tidb/stable/mysql-compatibility#unsupported-features
 */
export const has = {
  /** Procedures, functions and triggers. */
  storedPrograms: engine !== "tidb",
  /** A READ ONLY state. TiDB refuses it (1235), or with tidb_enable_noop_functions takes it and writes. */
  readOnly: engine !== "tidb",
  /** CREATE SEQUENCE: MySQL has none. */
  sequences: engine !== "mysql",
  /** GEOMETRY and its kinds. */
  geometry: engine !== "tidb",
  /** CREATE TABLE .. SELECT. */
  createTableAsSelect: engine !== "tidb",
  /** READ UNCOMMITTED and SERIALIZABLE: TiDB refuses both (8048). */
  everyIsolation: engine !== "tidb",
} as const;
