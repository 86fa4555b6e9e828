import type { Conversions, ReaderOf } from "./columns.ts";
import { rowReader } from "./columns.ts";
import { queriesOf } from "./queries.ts";
import type { Demanded, QueriesOf, Query } from "./query-types.ts";
import type { Result } from "./result.ts";
import { batchResults } from "./result.ts";
import type { SenderOptions } from "./sender.ts";
import { senderOf } from "./sender.ts";
import type { CallOptions, Client, Statement, Statements } from "./statement.ts";
import { statementsAt } from "./statement.ts";
import type { Isolation, TransactionOptions } from "./transaction.ts";
import { runTransaction } from "./transaction.ts";

export interface ClientOptions extends SenderOptions, Conversions {
  /** `false`: writes carry no Idempotency-Key, and none is sent again after a lost answer. For tokens without `sub`. */
  idempotencyKeys?: boolean;
}

export interface BatchOptions extends CallOptions {
  isolation?: Isolation;
  /** What writes is refused. */
  readOnly?: boolean;
  /** Everything is rolled back; the results are answered all the same. */
  dryRun?: boolean;
}

type Results<S extends readonly Statement<unknown>[]> = {
  -readonly [Index in keyof S]: S[Index] extends Statement<infer Row> ? Result<Row> : never;
};

export interface Database<Q extends { [Name in keyof Q]: Query }> extends Statements {
  /** The saved queries: `db.query.citiesByCountry({ country: "JP" })`, or `db.query["cities-by-country"](..)`. */
  readonly query: QueriesOf<Q>;
  /** Executes up to 100 statements in one transaction and one request: all of them, or none. */
  batch<const S extends readonly Statement<unknown>[]>(
    statements: S,
    options?: BatchOptions,
  ): Promise<Results<S>>;
  /**
   * Runs a function in a transaction over several requests: it is committed at the end, and rolled back if the function
   * throws. After a deadlock the function runs once more, from its beginning.
   */
  transaction<T>(work: (tx: Statements) => PromiseLike<T>, options?: TransactionOptions): Promise<T>;
}

/** @typeParam Q the interface `Queries` that `npx tidegate generate` writes */
// biome-ignore lint/suspicious/noExplicitAny: without an interface nothing is known of the queries
export function createClient<Q extends { [Name in keyof Q]: Query } = Record<string, any>>(
  options: ClientOptions & Demanded<Q>,
): Database<Q> {
  const client = clientOf(options, (columns) => rowReader(columns, options));
  const { sender, readerOf } = client;
  return {
    ...statementsOf(client),
    query: queriesOf(client) as QueriesOf<Q>,
    async batch(items, { isolation, readOnly, dryRun, ...given }: BatchOptions = {}) {
      const members = JSON.stringify({ isolation, read_only: readOnly, dry_run: dryRun === true }).slice(1);
      const results = await sender.send(
        {
          path: "/v1/batch?rows=array",
          body: `{"statements":[${items.map((statement) => statement.item())}],${members}`,
          key: client.keyOf(given),
          signal: given.signal,
        },
        (response, sent) => batchResults(response, readerOf, sent),
      );
      return results as Results<typeof items>;
    },
    transaction: (work, given) => runTransaction(client, work, given),
  };
}

/** What createClient and the adapters make requests with. */
export function clientOf(options: ClientOptions, readerOf: ReaderOf): Client {
  return {
    sender: senderOf(options),
    readerOf,
    keyOf: (given) => given?.idempotencyKey || (options.idempotencyKeys === false ? undefined : newKey()),
  };
}

/** Statements that stand alone. */
export const statementsOf = (client: Client): Statements =>
  statementsAt(client, (given) => ({ path: "/v1/sql?rows=array", key: client.keyOf(given) }));

/** 128 random bits. crypto.randomUUID is missing on pages that came over plain http. */
const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
