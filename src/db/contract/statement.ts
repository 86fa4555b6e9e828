import type { BoundValue } from "../../sql/bind-values.ts";
import type { Lenient } from "../../sql/guard.ts";

/** One statement, ready to run: placeholders are `?` and values are in their order. */
export interface Statement {
  sql: string;
  values: readonly BoundValue[];
  /** A write or ddl statement needs the read-only resting state lifted. */
  writable: boolean;
  /** Who wrote the SQL decides whose fault a mistake in it is. */
  author: "caller" | "operator";
  /** False for CALL: a procedure may have committed a part before it failed. */
  atomic: boolean;
  /** A change with MariaDB's RETURNING: it may answer with rows, which PREPARE does not announce. */
  returning: boolean;
  /** What it does not refuse, as a strict server refuses it in other changes. */
  lenient?: Lenient | undefined;
}
