import { ownError, TidegateError } from "./error.ts";
import { readJson } from "./result.ts";
import type { Call } from "./sender.ts";
import type { Client, Statements } from "./statement.ts";
import { statementsAt } from "./statement.ts";

export interface TransactionOptions {
  isolation?: "read uncommitted" | "read committed" | "repeatable read" | "serializable";
  readOnly?: boolean;
  /** After so long without a statement it is rolled back. */
  idleTimeoutMs?: number;
  /** After so long it is rolled back, whatever runs. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** The transaction is undone, and may go well when it runs again. */
const isOver = ({ code, transaction, retryable }: TidegateError) =>
  retryable && (code === "sql_transient" || transaction === "rolled_back");

/** Runs the work in a transaction, again from its beginning after a deadlock, as often as `retry` allows. */
export async function runTransaction<T>(
  client: Client,
  work: (tx: Statements) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const { isolation, readOnly, idleTimeoutMs, timeoutMs, signal } = options;
  const body = JSON.stringify({
    isolation,
    read_only: readOnly,
    idle_timeout_ms: idleTimeoutMs,
    timeout_ms: timeoutMs,
  });
  const { sender } = client;
  const begin: Call = { method: "POST", path: "/v1/transactions", body, repeatable: false, signal };
  return await sender.repeat(
    async () => {
      const { value } = await sender.send(begin, readJson);
      const path = `/v1/transactions/${value.id}`;
      try {
        const done = await work(statementsIn(client, path, signal));
        await commit(client, `${path}/commit`, signal);
        return done;
      } catch (error) {
        await rollBack(client, path, error);
        throw error;
      }
    },
    isOver,
    signal,
  );
}

/** A statement of a transaction is sent again only if it was not executed, and the transaction goes on. */
function statementsIn(client: Client, path: string, signal: AbortSignal | undefined): Statements {
  return statementsAt({
    client,
    call: (options) => ({
      path: `${path}/sql?rows=array`,
      repeatable: false,
      signal: options.signal ?? signal,
      mayRepeat: (error) => error.retryable && !isOver(error),
    }),
  });
}

/** Sends a commit again whose answer was lost: then the gateway says how the transaction has ended. */
async function commit({ sender }: Client, path: string, signal: AbortSignal | undefined): Promise<void> {
  let isLost = false;
  const mayRepeat = (error: TidegateError) => {
    isLost ||= isOwn(error);
    return error.retryable && !isOver(error);
  };
  try {
    await sender.send({ method: "POST", path, repeatable: true, signal, mayRepeat }, readJson);
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    if (error.code === "transaction_ended" && error.reason === "committed") return;
    if (!isOwn(error) && !(isLost && error.code === "transaction_unknown")) throw error;
    throw ownError("outcome_unknown", "The answer to the commit was lost: look what is there.", {
      cause: error,
    });
  }
}

/** Nobody has said what became of the request. */
const isOwn = ({ code }: TidegateError) => /^(network|answer)_/.test(code);

/** If this fails too, the gateway rolls back when the transaction has idled too long. */
async function rollBack({ sender }: Client, path: string, error: unknown): Promise<void> {
  if (error instanceof TidegateError && /^(rolled_back|ended)$/.test(error.transaction ?? "")) return;
  const call: Call = { method: "DELETE", path, repeatable: false, mayRepeat: () => false };
  await sender.send(call, async (response) => await response.body?.cancel()).catch(() => {});
}
