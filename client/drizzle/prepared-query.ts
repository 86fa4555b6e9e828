import type { Logger, Query } from "drizzle-orm";
import { Column as DrizzleColumn, entityKind, fillPlaceholders, is } from "drizzle-orm";
import type { MySqlPreparedQueryConfig, SelectedFieldsOrdered } from "drizzle-orm/mysql-core";
import { MySqlBinary, MySqlPreparedQuery, MySqlVarBinary } from "drizzle-orm/mysql-core";
import * as utils from "drizzle-orm/utils";
import { readerWithBytes } from "../adapter.ts";
import type { Conversions, ReaderOf } from "../columns.ts";
import type { Statement, Statements } from "../statement.ts";
import type { Value } from "../values.ts";

/** What a change answers. */
export interface ResultHeader {
  /** The AUTO_INCREMENT key that it made, of several the first one; 0 if none, NaN if no number has all its digits. */
  insertId: number;
  /** Its digits, or null. */
  lastInsertId: string | null;
  /** Of an UPDATE those that matched. */
  affectedRows: number;
  /** Of an UPDATE. */
  changedRows: number | null;
  info: string | null;
}

/** A row in both forms: only the statement knows which it needs, and the columns come before it is read. */
interface BothRow {
  /** As they came, but bytes: Drizzle's columns convert them. Of columns with one name it has all. */
  list(): unknown[];
  /** As the client's options say. */
  object(): Record<string, unknown>;
}

export function readerOfBoth({ json, ...rest }: Conversions): ReaderOf {
  const lossless: Conversions = json === undefined ? {} : { json };
  return (columns) => {
    const places = columns.map((column, index) => ({ ...column, name: String(index) }));
    const lists = readerWithBytes<object>(places, lossless);
    const objects = readerWithBytes<Record<string, unknown>>(columns, { ...rest, ...lossless });
    return {
      isText: lists.isText,
      read: (values, texts): BothRow => ({
        // An object has its whole numbers in order.
        list: () => Object.values(lists.read(values, texts)),
        object: () => objects.read(values, texts),
      }),
    };
  };
}

type MapRow = (
  fields: SelectedFieldsOrdered,
  row: unknown[],
  joined: Record<string, boolean> | undefined,
) => unknown;

/** Drizzle exports it to its drivers, and leaves it out of its types. */
const { mapResultRow } = utils as unknown as { mapResultRow: MapRow };

interface Parts {
  query: Query;
  fields: SelectedFieldsOrdered | undefined;
  /** Of `db.query`. */
  mapRows: ((rows: unknown[][]) => unknown) | undefined;
  /** Keys that Drizzle made itself, for `$returningId`. */
  generatedIds: Record<string, unknown>[] | undefined;
  returningIds: SelectedFieldsOrdered | undefined;
  logger: Logger | undefined;
}

export class TidegatePreparedQuery<T extends MySqlPreparedQueryConfig> extends MySqlPreparedQuery<T> {
  static override readonly [entityKind]: string = "TidegatePreparedQuery";
  readonly #statements: Statements;
  readonly #parts: Parts;
  /** Which tables of a join may have no row; Drizzle's builder sets it. */
  declare joinsNotNullableMap: Record<string, boolean> | undefined;

  constructor(statements: Statements, parts: Parts) {
    super(undefined, undefined);
    this.#statements = statements;
    this.#parts = parts;
  }

  override async execute(values: Record<string, unknown> = {}): Promise<T["execute"]> {
    const { fields, mapRows, returningIds } = this.#parts;
    const result = await this.#statement(values).result();
    const { rows, columns, lastInsertId, rowsAffected, rowsChanged, info } = result;
    if (mapRows) return mapRows(rows.map((row) => row.list().map(bufferOf)));
    if (fields) return rows.map((row) => this.#map(fields, row));
    if (columns.length > 0) return [rows.map((row) => row.object()), columns];
    const number = Number(lastInsertId ?? 0);
    const header: ResultHeader = {
      insertId: Number.isSafeInteger(number) ? number : Number.NaN,
      lastInsertId,
      affectedRows: rowsAffected,
      changedRows: rowsChanged,
      info,
    };
    return returningIds ? this.#idsOf(returningIds, header) : [header];
  }

  override async *iterator(values: Record<string, unknown> = {}): AsyncGenerator<T["iterator"]> {
    const { fields, mapRows } = this.#parts;
    for await (const row of this.#statement(values).stream()) {
      if (mapRows) {
        const mapped = mapRows([row.list().map(bufferOf)]);
        yield (Array.isArray(mapped) ? mapped[0] : mapped) as T["iterator"];
      } else yield (fields ? this.#map(fields, row) : row.object()) as T["iterator"];
    }
  }

  #statement(values: Record<string, unknown>): Statement<BothRow> {
    const { query, logger } = this.#parts;
    const params = fillPlaceholders(query.params, values);
    logger?.logQuery(query.sql, params);
    return this.#statements.statement<BothRow>(query.sql, params as Value[]);
  }

  #map(fields: SelectedFieldsOrdered, row: BothRow): unknown {
    const list = row.list().map((value, index) => textOf(value, fields[index]?.field));
    return mapResultRow(fields, list, this.joinsNotNullableMap);
  }

  /** The keys of inserted rows: those that Drizzle made, or the database's, which follow one another. */
  #idsOf(returning: SelectedFieldsOrdered, { insertId, affectedRows }: ResultHeader): object[] {
    const { generatedIds } = this.#parts;
    const ids = returning.flatMap(({ field, path: [key = ""] }) =>
      is(field, DrizzleColumn) ? [{ field, key }] : [],
    );
    return Array.from({ length: affectedRows }, (_, index) =>
      Object.fromEntries(
        ids.map(({ field, key }) => [
          key,
          field.defaultFn && generatedIds ? generatedIds[index]?.[key] : insertId + index,
        ]),
      ),
    );
  }
}

/** The columns `binary` and `varbinary` of Drizzle are texts. */
function textOf(value: unknown, field: unknown): unknown {
  const isText = is(field, MySqlBinary) || is(field, MySqlVarBinary);
  return isText && value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
}

/** In `db.query` the columns `binary` and `varbinary` make a text of a Buffer only, and rubbish of other bytes. */
function bufferOf(value: unknown): unknown {
  const { Buffer } = globalThis as { Buffer?: { from(bytes: Uint8Array): Uint8Array } };
  return value instanceof Uint8Array && Buffer ? Buffer.from(value) : value;
}
