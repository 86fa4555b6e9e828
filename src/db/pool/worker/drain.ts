import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { BackendContext } from "../../contract/backend.ts";
import type { Drained, DrainedAccount } from "../../contract/requests.ts";
import type { PoolRpc } from "./pool-rpc.ts";

/**
 * Asks every shard of the accounts to end its connections.
 * @throws TidegateError `drain_incomplete` if a shard failed. All other shards have drained then
 */
export async function drainShards(
  rpc: PoolRpc,
  context: BackendContext,
  accounts: readonly string[],
): Promise<DrainedAccount[]> {
  const missed: string[] = [];
  const drainShard = async (account: string, shard: number): Promise<Drained> => {
    try {
      return await rpc.ask(context, account, { kind: "drain" }, shard);
    } catch (cause) {
      missed.push(`${account}/${shard}: ${cause instanceof TidegateError ? cause.code : String(cause)}`);
      return { idle: 0, busy: 0, opening: 0 };
    }
  };
  const drained = await Promise.all(
    accounts.map(async (account) => {
      const found = await Promise.all(rpc.shardsOf(account).map((shard) => drainShard(account, shard)));
      const sum = (key: keyof Drained) => found.reduce((total, one) => total + one[key], 0);
      return { account, shards: found.length, idle: sum("idle"), busy: sum("busy"), opening: sum("opening") };
    }),
  );
  if (missed.length === 0) return drained;
  throw new TidegateError(
    "drain_incomplete",
    {
      retryAfter: limits.retryAfterSeconds,
      detail: "Some connections may be as they were. Send the request again: draining twice does no harm.",
    },
    missed.join("; "),
  );
}
