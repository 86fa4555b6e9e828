import type { QueryFile } from "../../src/catalog/parse.ts";
import type { Example } from "../../src/catalog/saved-query.ts";
import type { Table } from "../../src/introspection/schema.ts";
import type { Head } from "./head.ts";
import { formatQuery } from "./head.ts";
import { quoteName, slug } from "./names.ts";
import type { Owner } from "./owner.ts";
import type { Sent, TableColumns } from "./table-columns.ts";
import { columnsOf, parameterOf } from "./table-columns.ts";

/** A table, or a view, as saved queries: list, get, create, update, delete. Pure. */

export interface Scaffold {
  files: QueryFile[];
  /** What was not written, and why; one line each. */
  notes: string[];
  tag: string;
}

export interface Source {
  table: Table;
  /** Undefined: the table is in the gateway's own database. */
  database: string | undefined;
  owner: Owner | undefined;
  /** The server's reserved words, in capitals; undefined: they are not known, and every name is quoted. */
  reserved: ReadonlySet<string> | undefined;
}

/** Rows of a page, and the most that a caller may ask for. */
const page = "size 50 max 200";

/** @returns the files, none of them written yet */
export function filesOf({ table, database, owner, reserved }: Source): Scaffold {
  const columns = columnsOf(table, owner, reserved);
  const tag = slug(database === undefined ? table.name : `${database}-${table.name}`) || "table";
  const name = quoteName(table.name, reserved);
  const whole = database === undefined ? name : `${quoteName(database, reserved)}.${name}`;
  const subject: Subject = {
    columns,
    ...{ table: whole, title: table.name, owner, owned: undefined, tag },
    ...(owner && { owned: `${quoteName(owner.column.name, reserved)} = :jwt.${owner.claim}` }),
  };
  const { key, keyless, impossible, updated } = columns;
  const notes = owner === undefined ? [] : indexNote(table, owner);
  const files: QueryFile[] = [];
  const add = (what: string, text: string) => files.push({ name: `${tag}-${what}.sql`, text });
  const refuse = (what: string, why: string) => notes.push(`${tag}-${what}.sql is not written: ${why}`);
  add("list", list(subject, table));
  if (key === undefined) refuse("get", keyless);
  else add("get", get(subject, key));
  if (table.kind !== "base table") refuse("create", keyless);
  else if (impossible.length > 0)
    refuse("create", `no parameter can set ${impossible.join(", ")}, which must have a value`);
  else add("create", create(subject, reserved));
  if (key === undefined) refuse("update", keyless);
  else if (updated.length === 0) refuse("update", "it has no column that a caller could change");
  else add("update", update(subject, key));
  if (key === undefined) refuse("delete", keyless);
  else add("delete", remove(subject, key));
  return { files, notes, tag };
}

/** @returns a line if the server reads every row to find those of one owner */
function indexNote({ kind, name, primary_key: key, indexes }: Table, { column }: Owner): string[] {
  const firsts = indexes.map(({ columns: [first] }) => first && "column" in first && first.column);
  if (kind !== "base table" || key?.[0] === column.name || firsts.includes(column.name)) return [];
  const columns = [column.name, ...(key ?? [])].join(", ");
  return [
    `${name} has no index that begins with ${column.name}: a list reads every row until there is one on (${columns})`,
  ];
}

interface Subject {
  columns: TableColumns;
  /** As it stands in SQL, with its database if that is another one. */
  table: string;
  /** The table's name. */
  title: string;
  owner: Owner | undefined;
  /** The condition that a row is the caller's. */
  owned: string | undefined;
  tag: string;
}

function headOf({ owner, tag }: Subject, paragraphs: string[], rest: Omit<Head, "paragraphs">): Head {
  const claims = owner && [{ name: owner.claim, type: owner.type, description: "Whose rows" }];
  return { paragraphs, ...(claims && { claims }), ...rest, tags: [tag] };
}

function list(subject: Subject, { comment }: Table): string {
  const { columns, owner, owned, title, table } = subject;
  const { key, keyless, sortable } = columns;
  const select = `SELECT\n  ${columns.selected.join(",\n  ")}\nFROM ${table}`;
  const rows = owned === undefined ? select : `${select}\nWHERE ${owned}`;
  const whose = owner === undefined ? `The rows of ${title}` : `The caller's own rows of ${title}`;
  if (key !== undefined) {
    // The owner is the same in every row.
    const others = key.filter(({ column }) => column.name !== owner?.column.name);
    const keys = (others.length > 0 ? others : key).map(({ name }) => name);
    const head = headOf(subject, [`${whose}, in the order of their key.`, comment], {
      page: `keyset ${keys.join(", ")} ${page}`,
    });
    return formatQuery(head, rows);
  }
  if (sortable.length === 0) {
    const why = `Without pages: nothing of ${title} can be sorted.`;
    return formatQuery(headOf(subject, [`${whose}.`, comment, why], { maxRows: 200 }), rows);
  }
  const order = sortable.slice(0, 16);
  const why = `Pages are counted because ${keyless}. Sort by a unique column if there is one: rows that are equal in these columns may come in any order.`;
  const head = headOf(subject, [`${whose}, page by page.`, comment, why], { page: `offset ${page}` });
  return formatQuery(head, `${rows}\nORDER BY ${order.join(", ")}`);
}

function get(subject: Subject, key: readonly Sent[]): string {
  const { columns, table, title } = subject;
  const { condition, parameters, sample } = byKey(subject, key);
  const head = headOf(subject, [`One row of ${title} by its key.`], {
    parameters,
    result: "one",
    ...exampleOf(sample),
  });
  return formatQuery(head, `SELECT\n  ${columns.selected.join(",\n  ")}\nFROM ${table}\n${condition}`);
}

function create(subject: Subject, reserved: Source["reserved"]): string {
  const { columns, owner, table, title } = subject;
  const { created } = columns;
  const ofOwner = owner && { sql: quoteName(owner.column.name, reserved), name: `jwt.${owner.claim}` };
  const set = [...(ofOwner ? [ofOwner] : []), ...created];
  const parameters = created.map((one) => parameterOf(one, "create"));
  const required = created.filter(({ fallback }) => fallback === "none");
  const head = headOf(subject, [`Adds a row to ${title}.`, leftOut(columns, "create")], {
    parameters,
    result: "exec",
    ...exampleOf(required),
  });
  const names = set.map(({ sql }) => sql).join(", ");
  const values = set.map(({ name }) => `:${name}`).join(", ");
  return formatQuery(head, `INSERT INTO ${table} (${names})\nVALUES (${values})`);
}

function update(subject: Subject, key: readonly Sent[]): string {
  const { columns, table, title } = subject;
  const { updated } = columns;
  const { condition, parameters, sample } = byKey(subject, key);
  const nulls = updated.some(({ column }) => column.nullable)
    ? "; what is not sent and may be NULL becomes NULL"
    : "";
  const head = headOf(
    subject,
    [`Replaces a row of ${title} by its key${nulls}.`, leftOut(columns, "update")],
    {
      parameters: [...parameters, ...updated.map((one) => parameterOf(one, "update"))],
      result: "exec",
      ...exampleOf([...sample, ...updated.filter(({ column }) => !column.nullable)]),
    },
  );
  const set = updated.map(({ sql, name }) => `  ${sql} = :${name}`).join(",\n");
  return formatQuery(head, `UPDATE ${table}\nSET\n${set}\n${condition}`);
}

function remove(subject: Subject, key: readonly Sent[]): string {
  const { table, title } = subject;
  const { condition, parameters, sample } = byKey(subject, key);
  const head = headOf(subject, [`Deletes a row of ${title} by its key.`], {
    parameters,
    result: "exec",
    ...exampleOf(sample),
  });
  return formatQuery(head, `DELETE FROM ${table}\n${condition}`);
}

/** The whole key. A key column that is the owner comes from the token. */
function byKey({ owner, owned }: Subject, key: readonly Sent[]) {
  const sample = key.filter(({ column }) => column.name !== owner?.column.name);
  const conditions = sample.map(({ sql, name }) => `${sql} = :${name}`);
  const all = owned === undefined ? conditions : [...conditions, owned];
  const parameters = sample.map((one) => parameterOf(one, "key"));
  return { condition: `WHERE ${all.join("\n  AND ")}`, parameters, sample };
}

function exampleOf(sent: readonly Sent[]): { example?: Example } {
  if (sent.length === 0) return {};
  const parameters = Object.fromEntries(sent.map(({ name, declared }) => [name, declared.sample]));
  return { example: { description: "", parameters } };
}

function leftOut({ leftOut: all }: TableColumns, how: "create" | "update"): string {
  const lines = all.filter((one) => one[how]).map(({ column, why }) => `${column} (${why})`);
  return lines.length === 0 ? "" : `Not set: ${lines.join(", ")}.`;
}
