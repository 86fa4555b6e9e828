import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { BackendContext } from "../../contract/backend.ts";
import type { BeginRequest, BegunTransaction, TransactionOwner } from "../../contract/requests.ts";
import type { BeginWork, Begun } from "../messages/protocol.ts";
import { newTransactionId } from "../messages/transaction-id.ts";
import type { PoolRpc } from "./pool-rpc.ts";

/**
 * Begins a transaction in one of the account's shards. A caller's are asked in the same order each time, so that
 * the first one that has room has counted them. Of a caller who goes away meanwhile it is rolled back.
 * @throws TidegateError `transactions_exceeded`, `transactions_full`, or as the pool reports it
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
    const begun = await unlessLeft(rpc, context, owner, { id, shard }, async () => {
      return await (await rpc.call(context, account, work, shard)).json<Begun>();
    });
    if ("expiresAt" in begun) return { id, expiresAt: begun.expiresAt };
    left -= begun.ofCaller;
  }
  const code = left > 0 ? "transactions_full" : "transactions_exceeded";
  throw new TidegateError(code, { retryAfter: limits.retryAfterSeconds });
}

/** Nobody else knows the id of a transaction whose caller has left: it would keep its connection until it is idle too long. */
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
    await rpc.call(context, account, { kind: "end", id, caller, how: "rollback", mayWrite }, shard);
  };
  const leave = () => waitUntil(undo().catch(() => {}));
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  return await asked;
}

/** Where a caller's transactions are looked for first. */
async function placeOf(caller: string, shards: number): Promise<number> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(caller));
  return new DataView(digest).getUint32(0) % shards;
}
