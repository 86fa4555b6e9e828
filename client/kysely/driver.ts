import type {
  AbortableOperationOptions,
  CompiledQuery,
  DatabaseConnection,
  Driver,
  QueryResult,
  TransactionSettings,
} from "kysely";
import { beginInTurn, readerWithBytes, refuseSavepoint } from "../adapter.ts";
import type { ClientOptions } from "../create-client.ts";
import { clientOf, statementsOf } from "../create-client.ts";
import type { Client, Statement, Statements } from "../statement.ts";
import type { Begun } from "../transaction.ts";
import type { Value } from "../values.ts";

/** Nothing is pooled here: the gateway has the connections. */
export class TidegateDriver implements Driver {
  readonly #client: Client;

  constructor(options: ClientOptions) {
    this.#client = clientOf(options, (columns) => readerWithBytes(columns, options));
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<TidegateConnection> {
    return new TidegateConnection(statementsOf(this.#client));
  }

  async beginTransaction(
    connection: DatabaseConnection,
    { isolationLevel, accessMode }: TransactionSettings,
  ): Promise<void> {
    if (isolationLevel === "snapshot") throw new TypeError("MySQL has no isolation level snapshot.");
    const begun = await beginInTurn(this.#client, {
      ...(isolationLevel && { isolation: isolationLevel }),
      ...(accessMode && { readOnly: accessMode === "read only" }),
    });
    (connection as TidegateConnection).enter(begun);
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as TidegateConnection).transaction.commit();
    (connection as TidegateConnection).enter(undefined);
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as TidegateConnection).transaction.rollback();
    (connection as TidegateConnection).enter(undefined);
  }

  async savepoint(): Promise<void> {
    refuseSavepoint();
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}

/** Where a query is executed: by itself, or in the transaction that was begun here. */
class TidegateConnection implements DatabaseConnection {
  readonly #alone: Statements;
  #begun: Begun | undefined;

  constructor(alone: Statements) {
    this.#alone = alone;
  }

  enter(begun: Begun | undefined): void {
    this.#begun = begun;
  }

  get transaction(): Begun {
    if (!this.#begun) throw new TypeError("No transaction has begun.");
    return this.#begun;
  }

  async executeQuery<Row>(
    query: CompiledQuery,
    options?: AbortableOperationOptions,
  ): Promise<QueryResult<Row>> {
    const answer = await this.#statement<Row>(query).result(signalOf(options));
    const { rows, columns, rowsAffected, rowsChanged, lastInsertId } = answer;
    // A SELECT affects nothing, and says nothing of it; a RETURNING has rows and a count.
    if (columns.length > 0 && rowsAffected === 0) return { rows };
    return {
      rows,
      numAffectedRows: BigInt(rowsAffected),
      ...(rowsChanged !== null && { numChangedRows: BigInt(rowsChanged) }),
      ...(lastInsertId !== null && { insertId: BigInt(lastInsertId) }),
    };
  }

  async *streamQuery<Row>(
    query: CompiledQuery,
    _chunkSize: number,
    options?: AbortableOperationOptions,
  ): AsyncIterableIterator<QueryResult<Row>> {
    for await (const row of this.#statement<Row>(query).stream(signalOf(options))) yield { rows: [row] };
  }

  #statement<Row>({ sql, parameters }: CompiledQuery): Statement<Row> {
    const { statement } = this.#begun?.tx ?? this.#alone;
    return statement<Row>(sql, parameters as readonly Value[]);
  }
}

const signalOf = ({ signal }: AbortableOperationOptions = {}) => (signal ? { signal } : {});
