import type { Family } from "../../../exposition.ts";
import { limits } from "../../../limits.ts";
import { within } from "../../../within.ts";
import type { ShardMetrics } from "../messages/counters.ts";
import type { Shard } from "./metric-families.ts";
import { families } from "./metric-families.ts";
import type { PoolContext } from "./pool-rpc.ts";
import { send, shardsOf } from "./pool-rpc.ts";

/**
 * Asks every shard of every account what it has counted. One that does not answer is down, and fails nobody else's.
 * With the link hyperdrive there is no pool to ask: what is left is what the configuration says.
 */
export async function collect(context: PoolContext): Promise<Family[]> {
  const { config } = context;
  const accounts = config.cluster.link === "hyperdrive" ? [] : [...config.accounts.keys()];
  const shards = accounts.flatMap((account) =>
    Array.from({ length: shardsOf(config, account) }, (_, shard) => readShard(context, account, shard)),
  );
  return families(config, await Promise.all(shards));
}

async function readShard(context: PoolContext, account: string, shard: number): Promise<Shard> {
  const labels = { account, shard: String(shard) };
  const asked = send(context, account, { kind: "metrics" }, shard).then((response) =>
    response.json<ShardMetrics>(),
  );
  const metrics = await within(asked, limits.metricsTimeoutMs, () => undefined).catch(() => undefined);
  return { labels, metrics };
}
