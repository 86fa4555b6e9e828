import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { BackendContext } from "../../contract/backend.ts";
import type { BeginRequest, BegunTransaction, TransactionOwner } from "../../contract/requests.ts";
import type { BeginWork, Begun } from "../messages/protocol.ts";
import { newTransactionId } from "../messages/transaction-id.ts";
import type { PoolRpc } from "./pool-rpc.ts";

/**
 * Begins a transaction in one of the account's shards. One caller's shards are always asked in the same
 * order. So the caller's other transactions are in the first shards, and each full shard reports how many it
 * has. If the caller leaves meanwhile, the transaction is rolled back.
 * @throws TidegateError `transactions_exceeded`, `transactions_full`, or the pool's error
 */
export async function beginTransaction(
  rpc: PoolRpc,
  context: BackendContext,
  owner: TransactionOwner,
  { limit, ...request }: BeginRequest,
): Promise<BegunTransaction> {
  const { account, caller } = owner;
  const { length: shards } = rpc.shardsOf(account);
  const first = await placeOf(caller, shards);
  let left = limit;
  for (let tried = 0; tried < shards && left > 0; tried++) {
    const shard = (first + tried) % shards;
    const id = newTransactionId(shard);
    const work: BeginWork = { kind: "begin", id, caller, ...request, limit: left };
    const begun = await unlessLeft(rpc, context, owner, { id, shard }, () =>
      rpc.ask(context, account, work, shard),
    );
    if ("expiresAt" in begun) return { id, expiresAt: begun.expiresAt };
    left -= begun.ofCaller;
  }
  const code = left > 0 ? "transactions_full" : "transactions_exceeded";
  throw new TidegateError(code, { retryAfter: limits.retryAfterSeconds });
}

/**
 * Rolls back if the caller leaves before the answer: only the caller would get the id. Without the rollback
 * the transaction would keep its connection until the idle timeout.
 */
async function unlessLeft(
  rpc: PoolRpc,
  context: BackendContext,
  { account, caller, mayWrite }: TransactionOwner,
  { id, shard }: { id: string; shard: number },
  ask: () => Promise<Begun>,
): Promise<Begun> {
  const { signal, waitUntil } = context;
  const asked = ask();
  const undo = async () => {
    if (!("expiresAt" in (await asked))) return;
    await rpc.ask(context, account, { kind: "end", id, caller, how: "rollback", mayWrite }, shard);
  };
  const leave = () => waitUntil(undo().catch(() => {}));
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  return await asked;
}

/** The first shard to ask for a caller's transactions. */
async function placeOf(caller: string, shards: number): Promise<number> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(caller));
  return new DataView(digest).getUint32(0) % shards;
}
