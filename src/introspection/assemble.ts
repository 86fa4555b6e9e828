import { isJsonCheck, readColumn } from "./columns.ts";
import { expressionText } from "./expressions.ts";
import type { Engine, InformationSchema } from "./information-schema.ts";
import { informationSchemaOf } from "./information-schema.ts";
import { Row } from "./rows.ts";
import type { Column, ForeignKey, Index, IndexPart, Schema, Table } from "./schema.ts";
import type { Narrowing, Part } from "./statements.ts";

export interface Asked extends Narrowing {
  engine: Engine;
  defaultDatabase: string;
}

/** The rows of each part, as arrays. A part that the engine does not have is missing. */
export type Answers = Partial<Record<Part, readonly (readonly unknown[])[]>>;

/**
 * A table under construction, with the positions of its parts. Names are keys of maps, never of objects,
 * because a name may be `__proto__`.
 */
interface Draft extends Omit<Table, "columns" | "primary_key" | "clustered" | "indexes" | "foreign_keys"> {
  /** Whether the primary key is clustered; null without one. */
  clustered: boolean | null;
  /**
   * Whether the first column of the primary key is AUTO_RANDOM. TiDB allows AUTO_RANDOM at no other column.
   */
  autoRandom: boolean;
  columns: Map<number, Column>;
  indexes: Map<string, { index: Index; parts: Map<number, IndexPart> }>;
  foreignKeys: Map<string, { key: ForeignKey; parts: Map<number, { column: string; referenced: string }> }>;
}

/**
 * Builds one document from the server's answers. Equal answers give equal documents, because clients compare
 * digests.
 * @throws Error when the server's information_schema has another form
 */
export function assemble(answers: Answers, { engine, defaultDatabase, database, table }: Asked): Schema {
  const informationSchema = informationSchemaOf(engine);
  // Some servers also return names that differ from the requested one in spelling.
  const isAsked = (name: string, asked: string | undefined) => asked === undefined || asked === name;
  const databases = new Map<string, Map<string, Draft>>();
  for (const row of rowsOf(answers, "databases")) {
    const name = row.text();
    if (isAsked(name, database)) databases.set(name, new Map());
  }
  for (const row of rowsOf(answers, "tables")) {
    const of = row.text();
    const draft = readTable(row);
    if (!isAsked(of, database)) continue;
    // TiDB does not list a database if the account has rights on single tables only.
    const tables = databases.get(of) ?? new Map<string, Draft>();
    if (isAsked(draft.name, table)) tables.set(draft.name, draft);
    databases.set(of, tables);
  }
  // A table may have been dropped or created between the statements. Rows without their table are skipped.
  const draftOf = (row: Row) => {
    const database = row.text();
    const name = row.text();
    return databases.get(database)?.get(name);
  };
  addColumns(answers, informationSchema, draftOf);
  addIndexes(answers, informationSchema, draftOf);
  addForeignKeys(answers, draftOf);
  return {
    default_database: defaultDatabase,
    databases: sorted(databases)
      .map(([name, tables]) => ({ name, tables: sorted(tables).map(([, draft]) => finish(draft)) }))
      .filter(({ tables }) => table === undefined || tables.length > 0),
  };
}

type DraftOf = (row: Row) => Draft | undefined;

function rowsOf(answers: Answers, part: Part): Row[] {
  return (answers[part] ?? []).map((values) => new Row(values));
}

function readTable(row: Row): Draft {
  const name = row.text();
  const type = row.text().toUpperCase();
  const kind = type.includes("VIEW") ? "view" : type === "SEQUENCE" ? "sequence" : "base table";
  const engine = row.optionalText();
  const comment = row.optionalText() ?? "";
  const keyType = row.optionalText();
  const sharding = row.optionalText() ?? "";
  return {
    name,
    kind,
    engine,
    clustered: keyType === null ? null : keyType === "CLUSTERED",
    autoRandom: sharding.startsWith("PK_AUTO_RANDOM_BITS="),
    // A view has no comment: servers write VIEW there, or an error about the view.
    comment: kind === "view" ? "" : comment,
    columns: new Map(),
    indexes: new Map(),
    foreignKeys: new Map(),
  };
}

function addColumns(answers: Answers, of: InformationSchema, draftOf: DraftOf): void {
  const json = new Map<Draft, Set<string>>();
  for (const row of rowsOf(answers, "jsonChecks")) {
    const draft = draftOf(row);
    const column = row.text();
    if (draft && isJsonCheck(row.text(), column)) {
      json.set(draft, (json.get(draft) ?? new Set()).add(column));
    }
  }
  for (const row of rowsOf(answers, "columns")) {
    const draft = draftOf(row);
    const name = row.text();
    const position = row.number();
    draft?.columns.set(position, readColumn(name, row, of, json.get(draft)?.has(name) ?? false));
  }
}

function addIndexes(answers: Answers, of: InformationSchema, draftOf: DraftOf): void {
  for (const row of rowsOf(answers, "indexParts")) {
    const draft = draftOf(row);
    const name = row.text();
    const position = row.number();
    const unique = row.number() === 0;
    const type = row.text();
    const part = readIndexPart(row, of, type);
    const visible = row.text() === "YES";
    const comment = row.optionalText() ?? "";
    const index: Index = { name, unique, type, visible, comment, columns: [] };
    const found = draft?.indexes.get(name) ?? { index, parts: new Map<number, IndexPart>() };
    found.parts.set(position, part);
    draft?.indexes.set(name, found);
  }
}

function readIndexPart(row: Row, { escapesExpressions }: InformationSchema, type: string): IndexPart {
  const column = row.optionalText();
  const prefix = row.optionalNumber();
  const direction = row.optionalText();
  const expression = row.optionalText();
  // For a spatial index, MySQL and MariaDB always write a prefix of 32 and an order. Both mean nothing.
  const isSpatial = type === "SPATIAL";
  const order = isSpatial ? null : direction === "A" ? "asc" : direction === "D" ? "desc" : null;
  // For an index on an expression, MySQL gives no column, and TiDB gives a column with the name NULL.
  if (column === null || expression !== null)
    return { expression: expressionText(expression ?? "", escapesExpressions), order };
  return { column, prefix: isSpatial ? null : prefix, order };
}

function addForeignKeys(answers: Answers, draftOf: DraftOf): void {
  for (const row of rowsOf(answers, "foreignKeyColumns")) {
    const draft = draftOf(row);
    const name = row.text();
    const position = row.number();
    const column = row.text();
    const references = { database: row.text(), table: row.text(), columns: [] };
    const key: ForeignKey = { name, columns: [], references, on_update: "", on_delete: "" };
    const found = draft?.foreignKeys.get(name) ?? { key, parts: new Map() };
    found.parts.set(position, { column, referenced: row.text() });
    draft?.foreignKeys.set(name, found);
  }
  for (const row of rowsOf(answers, "foreignKeyRules")) {
    const key = draftOf(row)?.foreignKeys.get(row.text())?.key;
    if (key) Object.assign(key, { on_update: row.text(), on_delete: row.text() });
  }
}

function finish({ columns, clustered, autoRandom, indexes, foreignKeys, ...table }: Draft): Table {
  const parts = indexes.get("PRIMARY")?.parts;
  const key = parts ? inOrder(parts).flatMap((part) => ("column" in part ? [part.column] : [])) : null;
  return {
    ...table,
    columns: inOrder(columns).map((column) =>
      autoRandom && column.name === key?.[0] ? { ...column, auto_random: true } : column,
    ),
    primary_key: key,
    clustered: key && clustered,
    indexes: sorted(indexes).map(([, { index, parts }]) => ({ ...index, columns: inOrder(parts) })),
    foreign_keys: sorted(foreignKeys).map(([, { key, parts }]) => ({
      ...key,
      columns: inOrder(parts).map(({ column }) => column),
      references: { ...key.references, columns: inOrder(parts).map(({ referenced }) => referenced) },
    })),
  };
}

function inOrder<T>(parts: ReadonlyMap<number, T>): T[] {
  return [...parts].sort(([a], [b]) => a - b).map(([, part]) => part);
}

/** Sorts by code units, because the servers' order depends on their collation. */
function sorted<T>(named: ReadonlyMap<string, T>): [string, T][] {
  return [...named].sort(([a], [b]) => (a < b ? -1 : 1));
}
