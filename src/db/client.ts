import { executeHere, readyHere } from "./hyperdrive/client.ts";
import type { PoolContext } from "./pool/client.ts";
import { execute as executeInPool, ready as readyInPool } from "./pool/client.ts";
import type { ExecuteWork } from "./pool/protocol.ts";

/**
 * Has a statement executed as an account: by one of its pools, or through its Hyperdrive binding.
 * @returns the answer, encoded and perhaps still streaming
 * @throws TidegateError
 */
export async function execute(context: PoolContext, account: string, work: ExecuteWork): Promise<Response> {
  const way = context.config.cluster.link === "hyperdrive" ? executeHere : executeInPool;
  return await way(context, account, work);
}

/** @throws TidegateError when the account has no working connection to the database */
export async function ready(context: PoolContext, account: string): Promise<void> {
  const way = context.config.cluster.link === "hyperdrive" ? readyHere : readyInPool;
  await way(context, account);
}
