import type { Bindings } from "../../application.ts";
import type { Config } from "../../config/config.ts";
import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { ExecuteWork, Work } from "./protocol.ts";
import { encodeRequest, orThrow, protocolVersion } from "./protocol.ts";

/** Ids are made once per isolate and shard: making one hashes its name. */
const ids = new Map<string, DurableObjectId>();
/** Whose turn it is among an account's shards. */
const turns = new Map<string, number>();

/** What every call needs to know of the request that it is made for. */
export interface PoolContext {
  env: Bindings;
  config: Config;
  requestId: string;
}

/**
 * Has a statement executed by one of the account's shards.
 * @returns the answer, encoded and perhaps still streaming
 * @throws TidegateError as the pool reports it, or when the pool cannot be reached
 */
export async function execute(context: PoolContext, account: string, work: ExecuteWork): Promise<Response> {
  try {
    return await send(context, account, work);
  } catch (cause) {
    if (cause instanceof TidegateError) throw cause;
    // The object restarted or the platform lost the way to it; whether it had begun is not known.
    const code = work.writable ? "outcome_unknown" : "connection_lost";
    throw new TidegateError(code, { retryAfter: limits.retryAfterSeconds }, String(cause));
  }
}

/** @throws TidegateError when the account has no working connection to the database */
export async function ready(context: PoolContext, account: string): Promise<void> {
  await send(context, account, { kind: "ready" });
}

async function send(context: PoolContext, account: string, work: Work): Promise<Response> {
  const { env, config, requestId } = context;
  const body = encodeRequest({ version: protocolVersion, digest: config.digest, requestId, account, work });
  const stub = env.POOL.get(shardOf(env, config, account), hint(config));
  return await orThrow(await stub.fetch("https://pool/", { method: "POST", body }));
}

/** The generation in the name gives a changed cluster or account new objects: nobody meets an old connection. */
function shardOf(env: Bindings, config: Config, account: string): DurableObjectId {
  const shards = config.accounts.get(account)?.shards ?? 1;
  const turn = ((turns.get(account) ?? -1) + 1) % shards;
  turns.set(account, turn);
  const location = config.cluster.location ?? "anywhere";
  const name = `${config.environment}/${account}/${location}/${config.generation.slice(0, 16)}/${turn}`;
  const known = ids.get(name);
  if (known) return known;
  const id = env.POOL.idFromName(name);
  ids.set(name, id);
  return id;
}

/** Where an object is made is decided by its first request; the location belongs near the cluster. */
function hint({ cluster }: Config): DurableObjectNamespaceGetDurableObjectOptions {
  return cluster.location === undefined ? {} : { locationHint: cluster.location };
}
