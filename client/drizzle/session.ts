import type { Logger, Query, RelationalSchemaConfig, SQL, TablesRelationalConfig } from "drizzle-orm";
import { entityKind } from "drizzle-orm";
import type {
  Mode,
  MySqlDialect,
  MySqlPreparedQueryConfig,
  MySqlPreparedQueryHKT,
  MySqlQueryResultHKT,
  MySqlTransactionConfig,
  PreparedQueryKind,
  SelectedFieldsOrdered,
} from "drizzle-orm/mysql-core";
import { MySqlSession, MySqlTransaction } from "drizzle-orm/mysql-core";
import { beginInTurn, refuseSavepoint } from "../adapter.ts";
import type { Column } from "../columns.ts";
import type { Client, Statements } from "../statement.ts";
import type { ResultHeader } from "./prepared-query.ts";
import { TidegatePreparedQuery } from "./prepared-query.ts";

/** What a statement without a selection answers: a change its counts, all else rows and columns, as mysql2 has it. */
export interface TidegateResultHKT extends MySqlQueryResultHKT {
  type: [this["row"]] extends [never]
    ? [ResultHeader]
    : this["row"] extends { affectedRows: number }
      ? [ResultHeader]
      : [this["row"][], readonly Column[]];
}

export interface TidegatePreparedQueryHKT extends MySqlPreparedQueryHKT {
  type: TidegatePreparedQuery<Extract<this["config"], MySqlPreparedQueryConfig>>;
}

export type Schema = RelationalSchemaConfig<TablesRelationalConfig>;

interface SessionOptions {
  schema: Schema | undefined;
  mode: Mode;
  logger: Logger | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: the session does not know the tables
type AnySchema = any;

export class TidegateSession extends MySqlSession<
  TidegateResultHKT,
  TidegatePreparedQueryHKT,
  AnySchema,
  AnySchema
> {
  static override readonly [entityKind]: string = "TidegateSession";
  readonly #client: Client;
  readonly #statements: Statements;
  readonly #options: SessionOptions;

  /** @param statements alone, or of a transaction */
  constructor(dialect: MySqlDialect, client: Client, statements: Statements, options: SessionOptions) {
    super(dialect);
    this.#client = client;
    this.#statements = statements;
    this.#options = options;
  }

  override prepareQuery<T extends MySqlPreparedQueryConfig, HKT extends MySqlPreparedQueryHKT>(
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    mapRows?: (rows: unknown[][]) => T["execute"],
    generatedIds?: Record<string, unknown>[],
    returningIds?: SelectedFieldsOrdered,
  ): PreparedQueryKind<HKT, T> {
    const { logger } = this.#options;
    const parts = { query, fields, mapRows, generatedIds, returningIds, logger };
    return new TidegatePreparedQuery<T>(this.#statements, parts) as PreparedQueryKind<HKT, T>;
  }

  override async all<T>(query: SQL): Promise<T[]> {
    return (await this.execute<[T[]]>(query))[0];
  }

  override async transaction<T>(
    work: (tx: TidegateTransaction) => Promise<T>,
    { isolationLevel, accessMode, withConsistentSnapshot }: Partial<MySqlTransactionConfig> = {},
  ): Promise<T> {
    if (withConsistentSnapshot) throw new TypeError("The gateway does not have withConsistentSnapshot.");
    const { schema, mode } = this.#options;
    const { tx, commit, rollback } = await beginInTurn(this.#client, {
      ...(isolationLevel && { isolation: isolationLevel }),
      ...(accessMode && { readOnly: accessMode === "read only" }),
    });
    try {
      const session = new TidegateSession(this.dialect, this.#client, tx, this.#options);
      const done = await work(new TidegateTransaction(this.dialect, session as never, schema, 0, mode));
      await commit();
      return done;
    } catch (error) {
      await rollback();
      throw error;
    }
  }
}

export class TidegateTransaction extends MySqlTransaction<
  TidegateResultHKT,
  TidegatePreparedQueryHKT,
  AnySchema,
  AnySchema
> {
  static override readonly [entityKind]: string = "TidegateTransaction";

  override async transaction<T>(): Promise<T> {
    return refuseSavepoint();
  }
}
