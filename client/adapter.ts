import type { Column, Conversions, RowReader } from "./columns.ts";
import { rowReader } from "./columns.ts";
import type { Client } from "./statement.ts";
import type { Begun, TransactionOptions } from "./transaction.ts";
import { beginTransaction } from "./transaction.ts";

/** What the adapters for query builders share. */

/** The types whose values come as base64 (docs/reference/values.md). */
const binary = /^(BIT|(VAR)?BINARY|BLOB|GEOMETRY|VECTOR)$/;

/** As the client's own reader, but with bytes where a column has bytes: what a builder writes as bytes it reads as bytes. */
export function readerWithBytes<Row>(columns: readonly Column[], conversions: Conversions): RowReader<Row> {
  const { isText, read } = rowReader<Row>(columns, conversions);
  const places = columns.flatMap(({ type }, index) => (binary.test(type) ? [index] : []));
  return {
    isText,
    read(values, texts) {
      for (const index of places) {
        const text = values[index];
        if (typeof text === "string")
          values[index] = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
      }
      return read(values, texts);
    },
  };
}

/**
 * Begins a transaction whose statements wait for each other: it runs one at a time, and users of a builder send several
 * at once (`Promise.all`), since a driver's connection lets them wait. A stream waits for none.
 */
export async function beginInTurn(client: Client, options: TransactionOptions): Promise<Begun> {
  const { tx, commit, rollback } = await beginTransaction(client, options);
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const turn = last.then(run);
    last = turn.catch(() => {});
    return turn;
  };
  return {
    tx: {
      ...tx,
      statement<Row>(...given: Parameters<typeof tx.statement>) {
        const statement = tx.statement<Row>(...given);
        return { ...statement, result: (options) => inTurn(() => statement.result(options)) };
      },
    },
    commit: () => inTurn(commit),
    rollback,
  };
}

/** The gateway refuses SAVEPOINT: a transaction of its own cannot be told apart from the one around it. */
export function refuseSavepoint(): never {
  throw new TypeError("The gateway has no savepoints: a transaction cannot have another one inside it.");
}
