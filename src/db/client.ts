import { TidegateError } from "../errors.ts";
import { demandZone } from "../sql/bind-values.ts";
import { compareAloud } from "../sql/compare-aloud.ts";
import type { BatchValue } from "../sql/references.ts";
import { executeHere, readyHere } from "./hyperdrive/client.ts";
import type { BatchWork, ExecuteWork } from "./pool/messages/protocol.ts";
import type { PoolContext } from "./pool/worker/pool-rpc.ts";
import {
  cancel as cancelInPool,
  execute as executeInPool,
  ready as readyInPool,
} from "./pool/worker/pool-rpc.ts";
import type { Owner } from "./pool/worker/transactions-rpc.ts";
import {
  executeBatch as executeBatchInPool,
  executeIn as executeInTransaction,
} from "./pool/worker/transactions-rpc.ts";

/**
 * Has a statement executed as an account: by one of its pools, or through its Hyperdrive binding.
 * @returns the answer, encoded and perhaps still streaming
 * @throws TidegateError, or ParameterError for what its session would take for something else
 */
export async function execute(context: PoolContext, account: string, work: ExecuteWork): Promise<Response> {
  demandZone(work.values, zoneOf(context, account));
  const way = context.config.cluster.link === "hyperdrive" ? executeHere : executeInPool;
  return await way(context, account, forEngine(context, work));
}

/** As `execute`, for statements that happen together or not at all. @throws TidegateError with the one that failed */
export async function executeBatch(
  context: PoolContext,
  account: string,
  work: BatchWork,
): Promise<Response> {
  if (context.config.cluster.link === "hyperdrive") {
    throw new TidegateError("unsupported_by_link", { detail: "There are no batches through Hyperdrive." });
  }
  for (const { values } of work.statements) demandZone(values, zoneOf(context, account));
  const statements = work.statements.map((one) => forEngine(context, one));
  return await executeBatchInPool(context, account, { ...work, statements });
}

/** As `execute`, in a transaction that is open. @throws TidegateError also `transaction_unknown` */
export async function executeIn(
  context: PoolContext,
  owner: Owner,
  id: string,
  work: ExecuteWork,
): Promise<Response> {
  demandZone(work.values, zoneOf(context, owner.account));
  return await executeInTransaction(context, owner, id, forEngine(context, work));
}

/** The statement in the words with which the engine warns of what it converts. */
function forEngine<T extends { sql: string; values: readonly BatchValue[] }>(
  { config }: PoolContext,
  work: T,
): T {
  return config.cluster.engine === "mariadb" ? { ...work, sql: compareAloud(work.sql, work.values) } : work;
}

function zoneOf({ config }: PoolContext, account: string): string {
  return config.accounts.get(account)?.time_zone ?? "";
}

/** Stops what a caller's request runs as an account. @returns how many statements that were. @throws TidegateError */
export async function cancel(
  context: PoolContext,
  account: string,
  caller: string,
  requestId: string,
): Promise<number> {
  if (context.config.cluster.link === "hyperdrive") {
    const detail = "Nothing can be cancelled through Hyperdrive: it has no connection for KILL.";
    throw new TidegateError("unsupported_by_link", { detail });
  }
  return await cancelInPool(context, account, caller, requestId);
}

export type { Owner } from "./pool/worker/transactions-rpc.ts";
export { begin, end } from "./pool/worker/transactions-rpc.ts";

/** @throws TidegateError when the account has no working connection to the database */
export async function ready(context: PoolContext, account: string): Promise<void> {
  const way = context.config.cluster.link === "hyperdrive" ? readyHere : readyInPool;
  await way(context, account);
}
