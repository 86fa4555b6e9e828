import type { DefaultOf } from "./defaults.ts";
import { mariadbDefault, mysqlDefault, tidbDefault } from "./defaults.ts";
import type { Default } from "./schema.ts";

/** What the engines' information_schema say differently. */
export interface InformationSchema {
  /** The servers' own databases, which are nobody's data, in small letters; TiDB has one more. */
  readonly systemDatabases: readonly string[];
  /** Two columns of TABLES: how a table's rows and the values of its key are spread, which only TiDB says. */
  readonly spread: string;
  /**
   * Two columns of STATISTICS: the expression of an index's part, and whether the index is visible. MySQL and TiDB index
   * expressions and hide indexes, MariaDB ignores indexes.
   */
  readonly indexColumns: string;
  /** Whether a JSON column is known by its check: on MariaDB. */
  readonly hasJsonChecks: boolean;
  /** Whether expressions are escaped once more: on MySQL. */
  readonly escapesExpressions: boolean;
  /** Whether a VECTOR is answered as a text: on TiDB. */
  readonly vectorsAreTexts: boolean;
  /** @param written COLUMN_DEFAULT. @returns null where the column has none, or where it cannot be said */
  readDefault(written: string | null, of: DefaultOf): Default | null;
}

const systemDatabases = ["information_schema", "mysql", "performance_schema", "sys"];

const mysql: InformationSchema = {
  systemDatabases,
  spread: "NULL, NULL",
  indexColumns: "EXPRESSION, IS_VISIBLE",
  hasJsonChecks: false,
  escapesExpressions: true,
  vectorsAreTexts: false,
  readDefault: mysqlDefault,
};

const mariadb: InformationSchema = {
  systemDatabases,
  spread: "NULL, NULL",
  indexColumns: "NULL, IF(IGNORED = 'YES', 'NO', 'YES')",
  hasJsonChecks: true,
  escapesExpressions: false,
  vectorsAreTexts: false,
  readDefault: mariadbDefault,
};

const tidb: InformationSchema = {
  systemDatabases: [...systemDatabases, "metrics_schema"],
  spread: "TIDB_PK_TYPE, TIDB_ROW_ID_SHARDING_INFO",
  indexColumns: "EXPRESSION, IS_VISIBLE",
  hasJsonChecks: false,
  escapesExpressions: false,
  vectorsAreTexts: true,
  readDefault: tidbDefault,
};

const all = { mysql, mariadb, tidb };

/** As the configuration calls it. */
export type Engine = keyof typeof all;

/** @returns what an engine's information_schema says differently */
export function informationSchemaOf(engine: Engine): InformationSchema {
  return all[engine];
}
