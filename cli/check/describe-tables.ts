import type { SavedQuery } from "../../src/catalog/parse.ts";
import type { Cluster } from "../../src/config/schema.ts";
import type { Row } from "../../src/db/mysql/driver/commands.ts";
import type { ServerError } from "../../src/db/mysql/driver/driver.ts";
import { dialectOf } from "../../src/db/mysql/engines/dialect-of.ts";
import { interpolate } from "../../src/db/mysql/engines/interpolate.ts";
import { lex } from "../../src/sql/lexer.ts";
import type { TableColumn } from "./compared-columns.ts";
import type { Hidden } from "./runs-nothing.ts";
import { tablesOf } from "./tables.ts";

/** Asks information_schema about the tables of saved queries. An account sees what it may use. */

/** Sends a question of our own. @throws ServerError with its number, or Error without an answer */
export type Ask = (sql: string) => Promise<Row[]>;

export interface Tables {
  columns: readonly TableColumn[];
  hidden: Hidden;
}

/** Also sets what EXPLAIN needs in this session. */
export async function describeTables(
  ask: Ask,
  cluster: Cluster,
  queries: readonly Pick<SavedQuery, "sql">[],
): Promise<Tables> {
  const { database, engine } = cluster;
  const names = [...new Set(queries.flatMap(({ sql }) => tablesOf(lex(sql)).map(({ name }) => name)))];
  const isAsked = names.length > 0 && !dialectOf(cluster).derivesTypes;
  const columns = !isAsked ? [] : await ask(questionOf(names));
  const views = await ask(
    "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE <> 'BASE TABLE'",
  );
  const schemas = await ask("SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA");
  const hidden = new Set(schemas.map(({ name }) => String(name).toLowerCase()));
  hidden.delete(database.toLowerCase());
  // A scalar subquery would run while TiDB explains it; so would a view that has one.
  const canExplain = engine !== "tidb" || (await succeeds(ask, leavesSubqueries));
  return {
    columns: columns.map(({ tbl, col, type }) => ({
      table: String(tbl),
      column: String(col),
      type: String(type),
    })),
    hidden: {
      views: new Set(views.map(({ name }) => String(name).toLowerCase())),
      schemas: hidden,
      subqueries: !canExplain,
    },
  };
}

/** TiDB 7.3 and later: https://docs.pingcap.com/tidb/stable/system-variables/ */
const leavesSubqueries = "SET SESSION tidb_opt_enable_non_eval_scalar_subquery = ON";

function questionOf(names: readonly string[]): string {
  const list = names.map(() => "?").join(", ");
  const sql = `SELECT TABLE_NAME AS tbl, COLUMN_NAME AS col, DATA_TYPE AS type FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND LOWER(TABLE_NAME) IN (${list})`;
  return interpolate(
    sql,
    names.map((value) => ({ type: "string", value })),
  );
}

async function succeeds(ask: Ask, sql: string): Promise<boolean> {
  try {
    await ask(sql);
    return true;
  } catch (cause) {
    if ((cause as ServerError).errno === undefined) throw cause;
    return false;
  }
}
