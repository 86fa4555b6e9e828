import type { BoundValue } from "../../sql/bound-value.ts";
import type { Lenient } from "../../sql/guard.ts";

/** One statement, ready to run. Placeholders are `?`, and values are in their order. */
export interface Statement {
  sql: string;
  values: readonly BoundValue[];
  /** A write or ddl statement needs the read-only resting state lifted. */
  writable: boolean;
  /** The author of the SQL is responsible for a mistake in it. */
  author: "caller" | "operator";
  /** False for CALL: a procedure may have committed a part before it failed. */
  atomic: boolean;
  /**
   * Whether it is a change with MariaDB's RETURNING. It may answer with rows that PREPARE does not announce.
   */
  returning: boolean;
  /** Where a strict server may convert a value with only a warning (sql/leniency.ts). */
  lenient?: Lenient | undefined;
}
