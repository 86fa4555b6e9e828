import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { TransactionOptions } from "../../mysql/engines/transaction.ts";
import type { BatchWork, BeginWork, Begun, EndWork, ExecuteWork } from "../messages/protocol.ts";
import { newTransactionId, shardOfTransaction } from "../messages/transaction-id.ts";
import type { PoolContext } from "./pool-rpc.ts";
import { send, sendWhileHeard, shardsOf } from "./pool-rpc.ts";

/** Somebody who may have transactions as an account. */
export interface Owner {
  account: string;
  /** A digest of issuer and subject. */
  caller: string;
  /** Whether the grant of this request's token allows sql:write. */
  mayWrite: boolean;
}

export interface TransactionRequest extends TransactionOptions {
  idleMs: number;
  totalMs: number;
  /** How many the caller may have in all. */
  limit: number;
}

export interface BegunTransaction {
  id: string;
  expiresAt: number;
}

/**
 * Begins a transaction in one of the account's shards. A caller's are asked in the same order each time, so that
 * the first one that has room has counted them. Of a caller who goes away meanwhile it is rolled back.
 * @throws TidegateError `transactions_exceeded`, `transactions_full`, or as the pool reports it
 */
export async function begin(
  context: PoolContext,
  owner: Owner,
  { limit, ...request }: TransactionRequest,
): Promise<BegunTransaction> {
  const { account, caller } = owner;
  const shards = shardsOf(context.config, account);
  const first = await placeOf(caller, shards);
  let left = limit;
  for (let tried = 0; tried < shards && left > 0; tried++) {
    const shard = (first + tried) % shards;
    const id = newTransactionId(shard);
    const work: BeginWork = { kind: "begin", id, caller, ...request, limit: left };
    const begun = await unlessLeft(context, owner, id, async () => {
      return await (await reach(context, account, work, shard, "connection_lost")).json<Begun>();
    });
    if ("expiresAt" in begun) return { id, expiresAt: begun.expiresAt };
    left -= begun.ofCaller;
  }
  const code = left > 0 ? "transactions_full" : "transactions_exceeded";
  throw new TidegateError(code, { retryAfter: limits.retryAfterSeconds });
}

/** Nobody else knows the id of a transaction whose caller has left: it would keep its connection until it is idle too long. */
async function unlessLeft(
  context: PoolContext,
  owner: Owner,
  id: string,
  ask: () => Promise<Begun>,
): Promise<Begun> {
  const { signal, waitUntil } = context;
  const asked = ask();
  const undo = async () => {
    if ("expiresAt" in (await asked)) await end(context, owner, id, "rollback");
  };
  const leave = () => waitUntil(undo().catch(() => {}));
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  return await asked;
}

/**
 * Has a statement executed in a transaction.
 * @throws TidegateError also `transaction_unknown`: one of somebody else is no better known
 */
export async function executeIn(
  context: PoolContext,
  { account, caller, mayWrite }: Owner,
  id: string,
  execute: ExecuteWork,
): Promise<Response> {
  const shard = shardOf(context, account, id);
  return await reach(
    context,
    account,
    { kind: "transaction", id, caller, mayWrite, execute },
    shard,
    "outcome_unknown",
  );
}

/** @throws TidegateError as `executeIn`, or `outcome_unknown` */
export async function end(
  context: PoolContext,
  { account, caller, mayWrite }: Owner,
  id: string,
  how: EndWork["how"],
): Promise<void> {
  const shard = shardOf(context, account, id);
  await reach(context, account, { kind: "end", id, caller, how, mayWrite }, shard, "outcome_unknown");
}

/** Has statements executed together or not at all. @throws TidegateError with the one that failed */
export async function executeBatch(
  context: PoolContext,
  account: string,
  work: BatchWork,
): Promise<Response> {
  const code = work.readOnly || work.dryRun ? "connection_lost" : "outcome_unknown";
  return await reach(context, account, work, undefined, code);
}

/** @param code for when the object restarted or the way to it was lost, and nobody knows how far it had come */
async function reach(
  context: PoolContext,
  account: string,
  work: Parameters<typeof send>[2],
  shard: number | undefined,
  code: "connection_lost" | "outcome_unknown",
): Promise<Response> {
  try {
    const stoppable = work.kind === "batch" ? work : work.kind === "transaction" ? work.execute : undefined;
    if (!stoppable) return await send(context, account, work, shard);
    return await sendWhileHeard(context, account, work, stoppable.caller, shard);
  } catch (cause) {
    if (cause instanceof TidegateError) throw cause;
    const unknown =
      work.kind === "batch" || code === "connection_lost" ? {} : { transaction: "unknown" as const };
    throw new TidegateError(code, { retryAfter: limits.retryAfterSeconds, ...unknown }, String(cause));
  }
}

function shardOf({ config }: PoolContext, account: string, id: string): number {
  const shard = shardOfTransaction(id, shardsOf(config, account));
  if (shard === undefined) throw new TidegateError("transaction_unknown");
  return shard;
}

/** Where a caller's transactions are looked for first. */
async function placeOf(caller: string, shards: number): Promise<number> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(caller));
  return new DataView(digest).getUint32(0) % shards;
}
