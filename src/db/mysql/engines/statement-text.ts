import type { Cluster } from "../../../config/schema.ts";
import { compareAloud } from "../../../sql/compare-aloud.ts";
import type { BatchValue } from "../../../sql/references.ts";

/** @returns the statement in the words with which the engine warns of a value that it converts */
export function statementText(engine: Cluster["engine"], sql: string, values: readonly BatchValue[]): string {
  return engine === "mariadb" ? compareAloud(sql, values) : sql;
}
