import { ownError, TidegateError } from "./error.ts";
import { readJson } from "./result.ts";
import type { Client, Statements } from "./statement.ts";
import { statementsAt } from "./statement.ts";

export type Isolation = "read uncommitted" | "read committed" | "repeatable read" | "serializable";

export interface TransactionOptions {
  isolation?: Isolation;
  readOnly?: boolean;
  /** After so long without a statement it is rolled back. */
  idleTimeoutMs?: number;
  /** After so long it is rolled back, also while a statement runs. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** The transaction is undone, and may go well when it runs again. */
const isOver = ({ code, transaction, retryable }: TidegateError) =>
  retryable && (code === "sql_transient" || transaction === "rolled_back");

/** A request of a transaction is sent again only if it was not executed, and the transaction goes on. */
const mayRepeat = (error: TidegateError) => error.retryable && !isOver(error);

/** A transaction that has begun. */
export interface Begun {
  tx: Statements;
  /** @throws TidegateError; a transaction whose commit has failed is to be rolled back */
  commit(): Promise<void>;
  /** If it fails, the gateway rolls back when the transaction has idled too long. */
  rollback(): Promise<unknown>;
}

export async function beginTransaction(
  client: Client,
  { isolation, readOnly, idleTimeoutMs, timeoutMs, signal }: TransactionOptions,
): Promise<Begun> {
  const body = JSON.stringify({
    isolation,
    read_only: readOnly,
    idle_timeout_ms: idleTimeoutMs,
    timeout_ms: timeoutMs,
  });
  const { sender } = client;
  const { value } = await sender.send({ path: "/v1/transactions", body, signal }, readJson);
  const path = `/v1/transactions/${value.id}`;

  return {
    tx: statementsAt(client, (given) => ({
      path: `${path}/sql?rows=array`,
      signal: given.signal ?? signal,
      mayRepeat,
    })),
    /** Sends a commit again whose answer was lost: then the gateway says how the transaction has ended. */
    async commit() {
      let lost = false;
      try {
        await sender.send(
          {
            path: `${path}/commit`,
            repeatable: true,
            signal,
            mayRepeat(error) {
              // No answer says what became of the request.
              lost ||= /^(network|answer)_/.test(error.code);
              return mayRepeat(error);
            },
          },
          readJson,
        );
      } catch (error) {
        if (!(error instanceof TidegateError)) throw error;
        const { code, reason, transaction } = error;
        if (code === "transaction_ended" && reason === "committed") return;
        throw lost && transaction !== "rolled_back" && !/^transaction_[el]/.test(code)
          ? ownError("outcome_unknown", "No answer came.", 0, false, error)
          : error;
      }
    },
    /** While a statement runs the gateway refuses it (`transaction_busy`). */
    rollback() {
      const signal = AbortSignal.timeout(10_000);
      return sender
        .repeat(() => sender.send({ method: "DELETE", path, signal }, readJson), mayRepeat, signal)
        .catch(() => {});
    },
  };
}

/** Runs the work in a transaction, again from its beginning after a deadlock, as often as `retry` allows. */
export function runTransaction<T>(
  client: Client,
  work: (tx: Statements) => PromiseLike<T>,
  options: TransactionOptions = {},
): Promise<T> {
  return client.sender.repeat(
    async () => {
      const begun = await beginTransaction(client, options);
      try {
        const done = await work(begun.tx);
        await begun.commit();
        return done;
      } catch (error) {
        await begun.rollback();
        throw error;
      }
    },
    isOver,
    options.signal,
  );
}
