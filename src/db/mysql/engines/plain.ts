import { limits } from "../../../limits.ts";
import type { PlainSelect } from "../../../sql/plain/plain-select.ts";
import type { Row } from "../driver/commands.ts";
import { escapeString } from "../driver/driver.ts";

/**
 * What the names in a SELECT mean is the server's secret until it is asked. A view may call a function that
 * leaves something in the session, a sequence leaves LASTVAL, a virtual column of MariaDB may set a user
 * variable, and one of TiDB may call NEXTVAL.
 *
 * Each engine asks information_schema in one query, whose rows have the columns kind, name, type and engine.
 * An account sees there each table and view that it may read, in whole or in part, by itself, by a role or as
 * a proxied account (test/gateway/session/plain-select.rights.test.ts). A table that is not shown is not known
 * to be a base table, so its statement is not plain.
 */

/** Storage engines whose tables are read without a side effect, in lower case. */
const storageEngines = new Set(["aria", "innodb", "memory", "myisam", "rocksdb"]);

/** The names of several statements, each once. */
interface Asked {
  names: readonly string[];
  tables: readonly string[];
  functions: readonly string[];
}

/**
 * MySQL joins the tables of its dictionary for each part, so there are few parts. It reads only the rows of the
 * names if it knows the catalog; without it, it reads all tables of the database.
 */
export function questionOfMysql(statements: readonly PlainSelect[]): string {
  const { names, functions } = asked(statements);
  const inCatalog = `TABLE_CATALOG = 'def' AND ${inDatabase}`;
  return united([
    part("'table'", "TABLES", "TABLE_NAME", names, inCatalog, "TABLE_TYPE, ENGINE"),
    part("'schema'", "SCHEMATA", "SCHEMA_NAME", names),
    part("'routine'", "ROUTINES", "ROUTINE_NAME", [...names, ...functions], "ROUTINE_SCHEMA = DATABASE()"),
  ]);
}

/** MariaDB opens one table for `= 'name'`, and looks at each table of the database for IN. */
export function questionOfMariadb(statements: readonly PlainSelect[]): string {
  const { names, tables, functions } = asked(statements);
  return united([
    ...names.map((name) =>
      part("'listed'", "TABLES", "TABLE_NAME", [name], inDatabase, "TABLE_TYPE, ENGINE"),
    ),
    part("'schema'", "SCHEMATA", "SCHEMA_NAME", names),
    part("'routine'", "ROUTINES", "ROUTINE_NAME", [...names, ...functions], "ROUTINE_SCHEMA = DATABASE()"),
    ...tables.map((table) => {
      const name = escapeString(table);
      return `SELECT ${columnsKind}, ${name}, NULL, NULL FROM information_schema.COLUMNS WHERE ${inDatabase} AND TABLE_NAME = ${name}`;
    }),
  ]);
}

/** TiDB has no stored routines. */
export function questionOfTidb(statements: readonly PlainSelect[]): string {
  const { names, tables } = asked(statements);
  const columns = part(columnsKind, "COLUMNS", "TABLE_NAME", tables, inDatabase);
  return united([
    part("'listed'", "TABLES", "TABLE_NAME", names, inDatabase, "TABLE_TYPE, ENGINE"),
    part("'schema'", "SCHEMATA", "SCHEMA_NAME", names),
    columns && `${columns} GROUP BY TABLE_NAME`,
  ]);
}

const inDatabase = "TABLE_SCHEMA = DATABASE()";

/**
 * Tells of a table's columns that the account may read whether none is virtual. A column that it may not read
 * is evaluated only through one that it may, and a stored one is not evaluated by a SELECT.
 *
 * A `listed` table is plain only with this row, because MariaDB skips a table whose definition is being changed.
 * MySQL refuses every function with a side effect in such a column, so there a `table` needs no such row.
 */
const columnsKind = "IF(SUM(EXTRA LIKE '%VIRTUAL%') = 0, 'columns', 'virtual')";

/**
 * @param kind an expression
 * @returns a SELECT of one part of the answer; undefined if there is no name to ask about
 */
function part(
  kind: string,
  view: string,
  column: string,
  names: readonly string[],
  condition = "TRUE",
  columns = "NULL, NULL",
): string | undefined {
  if (names.length === 0) return undefined;
  const list = names.map((name) => escapeString(name));
  const matches = list.length === 1 ? `= ${list[0]}` : `IN (${list.join(", ")})`;
  return `SELECT ${kind} AS kind, ${column} AS name, ${columns} FROM information_schema.${view} WHERE ${condition} AND ${column} ${matches}`;
}

/** The first SELECT names the columns. It has no row. */
function united(parts: readonly (string | undefined)[]): string {
  const columns = "SELECT NULL AS kind, NULL AS name, NULL AS type, NULL AS engine FROM DUAL WHERE FALSE";
  return [columns, ...parts.filter((sql) => sql !== undefined)].join(" UNION ALL ");
}

/** @returns how many of the first statements are asked about: the names of all together are bounded */
function countOf(statements: readonly PlainSelect[]): number {
  const names = new Set<string>();
  const tooMuch = statements.findIndex((statement) => {
    for (const name of [...statement.names, ...statement.functions]) names.add(name);
    return names.size > limits.plainQuestionNames;
  });
  return tooMuch === -1 ? statements.length : tooMuch;
}

function asked(statements: readonly PlainSelect[]): Asked {
  const first = statements.slice(0, countOf(statements));
  const each = (of: (statement: PlainSelect) => readonly string[]) => [...new Set(first.flatMap(of))];
  return {
    names: each(({ names }) => names),
    tables: each(({ tables }) => tables),
    functions: each(({ functions }) => functions),
  };
}

/**
 * Reads the answer to `Dialect.plainQuestion`.
 *
 * A table is found by its exact name alone. All other things are compared without letter case and without
 * accents, as a server may compare them, and one of them outweighs a table of that name.
 *
 * @param statements the same as in the question, in the same order
 * @param rows the rows of its answer
 * @returns for each statement, whether it is plain: each of its tables is a base table of the current
 *   database, and none of its names is anything else that the server knows
 */
export function verifiedPlain(statements: readonly PlainSelect[], rows: readonly Row[]): boolean[] {
  const { names, functions } = asked(statements);
  const known = new Set([...names, ...functions].map(folded));
  const found = { table: new Set<string>(), listed: new Set<string>(), columns: new Set<string>() };
  const others = new Set<string>();
  for (const row of rows) {
    const name = row.name ?? "";
    // The server has found a name that was not asked for, so its comparison is not understood.
    if (!known.has(folded(name))) return statements.map(() => false);
    if (row.kind === "columns") found.columns.add(name);
    else if ((row.kind === "table" || row.kind === "listed") && isBaseTable(row)) found[row.kind].add(name);
    else others.add(folded(name));
  }
  const count = countOf(statements);
  const isTable = (name: string) =>
    found.table.has(name) || (found.listed.has(name) && found.columns.has(name));
  return statements.map((statement, index) => {
    const isHarmless = (name: string) => !others.has(folded(name));
    return (
      index < count &&
      statement.tables.every(isTable) &&
      statement.names.every(isHarmless) &&
      statement.functions.every(isHarmless)
    );
  });
}

function isBaseTable({ type, engine }: Row): boolean {
  return type === "BASE TABLE" && storageEngines.has(String(engine).toLowerCase());
}

function folded(name: string): string {
  return name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
}
