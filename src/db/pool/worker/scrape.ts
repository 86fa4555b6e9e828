import { limits } from "../../../limits.ts";
import { within } from "../../../within.ts";
import type { BackendContext } from "../../contract/backend.ts";
import type { ScrapedShard } from "./metric-families.ts";
import type { PoolRpc } from "./pool-rpc.ts";

/**
 * Reads the counts of every shard of the accounts. A shard that does not answer counts as down; the others
 * are not affected.
 */
export async function scrapeShards(
  rpc: PoolRpc,
  context: BackendContext,
  accounts: readonly string[],
): Promise<ScrapedShard[]> {
  return await Promise.all(
    accounts.flatMap((account) =>
      rpc.shardsOf(account).map((shard) => scrapeShard(rpc, context, account, shard)),
    ),
  );
}

async function scrapeShard(
  rpc: PoolRpc,
  context: BackendContext,
  account: string,
  shard: number,
): Promise<ScrapedShard> {
  const labels = { account, shard: String(shard) };
  const asked = rpc.ask(context, account, { kind: "metrics" }, shard);
  const metrics = await within(asked, limits.metricsTimeoutMs, () => undefined).catch(() => undefined);
  return { labels, metrics };
}
