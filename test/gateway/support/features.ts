import { engine } from "./harness.ts";

/**
 * The features of this run's engine. A test of a missing feature is skipped by name:
 * `test.skipIf(!has.storedPrograms)(..)`. TiDB:
 * https://docs.pingcap.com/tidb/stable/mysql-compatibility#unsupported-features
 */
export const has = {
  /** Procedures, functions and triggers. */
  storedPrograms: engine !== "tidb",
  /**
   * A READ ONLY state. TiDB refuses it (1235); with tidb_enable_noop_functions it accepts the words and
   * still writes.
   */
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
