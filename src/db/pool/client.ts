import type { Bindings } from "../../application.ts";
import type { Config } from "../../config/config.ts";
import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Drained, ExecuteWork, Work } from "./protocol.ts";
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

/** What all shards of an account had when they were drained, together. */
export interface DrainedAccount extends Drained {
  account: string;
  shards: number;
}

/**
 * Ends the connections of accounts: idle ones at once, busy ones when their statement has ended.
 * @throws TidegateError `drain_incomplete` when a shard did not do it; every other one has, then
 */
export async function drain(context: PoolContext, accounts: readonly string[]): Promise<DrainedAccount[]> {
  const missed: string[] = [];
  const drainShard = async (account: string, shard: number): Promise<Drained> => {
    try {
      return await (await send(context, account, { kind: "drain" }, shard)).json<Drained>();
    } catch (cause) {
      missed.push(`${account}/${shard}: ${cause instanceof TidegateError ? cause.code : String(cause)}`);
      return { idle: 0, busy: 0, opening: 0 };
    }
  };
  const drained = await Promise.all(
    accounts.map(async (account) => {
      const shards = shardsOf(context.config, account);
      const found = await Promise.all(
        Array.from({ length: shards }, (_, shard) => drainShard(account, shard)),
      );
      const sum = (key: keyof Drained) => found.reduce((total, one) => total + one[key], 0);
      return { account, shards, idle: sum("idle"), busy: sum("busy"), opening: sum("opening") };
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

async function send(
  context: PoolContext,
  account: string,
  work: Work,
  shard = nextShard(context.config, account),
): Promise<Response> {
  const { env, config, requestId } = context;
  const body = encodeRequest({
    version: protocolVersion,
    generation: config.generation,
    requestId,
    account,
    work,
  });
  const stub = env.POOL.get(idOf(env, config, account, shard), hint(config));
  return await orThrow(await stub.fetch("https://pool/", { method: "POST", body }));
}

function shardsOf(config: Config, account: string): number {
  return config.accounts.get(account)?.shards ?? 1;
}

function nextShard(config: Config, account: string): number {
  const turn = ((turns.get(account) ?? -1) + 1) % shardsOf(config, account);
  turns.set(account, turn);
  return turn;
}

/** A changed cluster or account, and another version, have objects of their own: nobody meets an old connection. */
function idOf(env: Bindings, config: Config, account: string, shard: number): DurableObjectId {
  const location = config.cluster.location ?? "anywhere";
  const kind = `${config.generation.slice(0, 16)}-${protocolVersion}`;
  const name = `${config.environment}/${account}/${location}/${kind}/${shard}`;
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
