import type { Parameter } from "../../src/catalog/saved-query.ts";
import type { Column, Table } from "../../src/introspection/schema.ts";
import type { Declared, Fallback } from "./column-types.ts";
import { declaredOf, fallbackOf } from "./column-types.ts";
import { parameterName, quoteName } from "./names.ts";
import type { Owner } from "./owner.ts";

/** What each column of a table is for in the statements of a scaffold. Pure. */

/** A column that a caller can send. */
export interface Sent {
  column: Column;
  /** As it stands in SQL. */
  sql: string;
  /** The parameter's name. */
  name: string;
  declared: Declared;
  fallback: Fallback;
}

export interface TableColumns {
  /** The columns of a result, as they stand in SQL, with an alias where a page needs one. */
  selected: string[];
  /** The primary key, in its order; undefined without one, or if a parameter cannot have its type. */
  key: readonly Sent[] | undefined;
  /** Why there is no key. */
  keyless: string;
  /** The columns that an INSERT sets from parameters. */
  created: Sent[];
  /** The columns that an UPDATE sets from parameters. */
  updated: Sent[];
  /** What an INSERT or UPDATE leaves to the server, each with the reason. */
  leftOut: { column: string; why: string; create: boolean; update: boolean }[];
  /** Columns that every INSERT must set and no parameter can. */
  impossible: string[];
  /** Columns by which rows can be sorted, as they stand in SQL. */
  sortable: string[];
}

/** @param reserved as of `quoteName` */
export function columnsOf(
  { kind, columns, primary_key: primary }: Table,
  owner: Owner | undefined,
  reserved: ReadonlySet<string> | undefined,
): TableColumns {
  // A parameter and a claim must not have one name.
  const taken = new Set(owner === undefined ? [] : [owner.claim]);
  const sent = new Map<string, Sent>();
  for (const column of columns) {
    const declared = declaredOf(column);
    if (declared === undefined) continue;
    const name = parameterName(column.name, taken);
    const fallback = fallbackOf(column, declared);
    sent.set(column.name, { column, sql: quoteName(column.name, reserved), name, declared, fallback });
  }
  const keyColumns = (primary ?? []).map((name) => sent.get(name));
  const isKey =
    keyColumns.length > 0 && keyColumns.every((one) => one !== undefined && one.column.type !== "FLOAT");
  const key = isKey ? (keyColumns as Sent[]) : undefined;
  const result: TableColumns = {
    selected: [],
    key,
    keyless:
      kind !== "base table"
        ? `it is a ${kind}`
        : primary === null
          ? "it has no primary key"
          : `no parameter can be compared with its primary key (${primary.join(", ")})`,
    created: [],
    updated: [],
    leftOut: [],
    impossible: [],
    sortable: [...sent.values()].filter(({ column }) => column.type !== "TEXT").map(({ sql }) => sql),
  };
  for (const column of columns) {
    const isOfKey = primary?.includes(column.name) ?? false;
    const one = sent.get(column.name);
    const sql = one?.sql ?? quoteName(column.name, reserved);
    const alias = isOfKey && one !== undefined && one.name !== column.name ? ` AS ${one.name}` : "";
    if (column.visible || isOfKey) result.selected.push(sql + alias);
    if (column.name !== owner?.column.name) place(column, one, isOfKey, result);
  }
  return result;
}

function place(column: Column, sent: Sent | undefined, isOfKey: boolean, into: TableColumns): void {
  const leave = (why: string, create = true, update = !isOfKey) =>
    into.leftOut.push({ column: column.name, why, create, update });
  if (column.generated !== null) return void leave("it is generated");
  if (column.auto_increment) return void leave("it is AUTO_INCREMENT");
  if (column.auto_random) return void leave("it is AUTO_RANDOM");
  if (sent === undefined) {
    leave(`no parameter has the type ${column.full_type}`);
    if (column.default === null && !column.nullable) into.impossible.push(column.name);
    return;
  }
  if (column.on_update !== null)
    leave(`an UPDATE sets it to ${column.on_update}`, sent.fallback === "server");
  else if (sent.fallback === "server") leave(`the server sets it: ${expressionOf(column)}`);
  if (sent.fallback !== "server") into.created.push(sent);
  if (!isOfKey && column.on_update === null && sent.fallback !== "server") into.updated.push(sent);
}

function expressionOf({ default: own }: Column): string {
  return own !== null && "expression" in own ? own.expression : `its default is ${own?.value}`;
}

/** @param how `create`: a column's default is that of the parameter. `update`: NULL is, where it can be */
export function parameterOf(
  { column, name, declared, fallback }: Sent,
  how: "create" | "update" | "key",
): Parameter {
  const { note, sample: _, ...rest } = declared;
  const value =
    how === "create" && typeof fallback === "object"
      ? fallback.value
      : how === "update" && column.nullable
        ? null
        : undefined;
  const alias = name === column.name ? [] : [`The column ${column.name}`];
  const description = [...alias, column.comment, note ?? ""].filter((text) => text !== "").join(". ");
  return {
    name,
    ...rest,
    ...(value === undefined ? { required: true } : { required: false, default: value }),
    description,
  };
}
