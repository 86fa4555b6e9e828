import type { Bindings } from "../../../application.ts";
import type { Account, Config } from "../../../config/config.ts";
import type { ErrorCode } from "../../../errors.ts";
import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { generationOf, stubOf } from "../messages/object-name.ts";
import type { Cancelled, Drained, ExecuteWork, Work } from "../messages/protocol.ts";
import { encodeRequest, orThrow, protocolVersion, waitingHeader } from "../messages/protocol.ts";
import { Shards } from "./shard-picker.ts";

/** What this isolate knows of an account's shards. */
const known = new WeakMap<Account, Shards>();

/** What every call needs to know of the request that it is made for. */
export interface PoolContext {
  env: Bindings;
  config: Config;
  requestId: string;
  /** Of the caller's trace; the pool's log has it. */
  traceId?: string;
  /** Aborted when the caller goes away, where the platform tells. */
  signal: AbortSignal;
  /** Lets something go on after the answer, or without one. */
  waitUntil: (promise: Promise<unknown>) => void;
}

/**
 * Has a statement executed by one of the account's shards.
 * @returns the answer, encoded and perhaps still streaming
 * @throws TidegateError as the pool reports it, or when the pool cannot be reached
 */
export async function execute(context: PoolContext, account: string, work: ExecuteWork): Promise<Response> {
  try {
    return await sendWhileHeard(context, account, work, work.caller);
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

/**
 * As `send`; when the caller goes away before the answer, the work is stopped.
 * @param caller as the work says it
 */
export async function sendWhileHeard(
  context: PoolContext,
  account: string,
  work: Work,
  caller: string,
  shard?: number,
): Promise<Response> {
  const { signal, requestId, waitUntil } = context;
  const workId = crypto.randomUUID();
  const stop = () => waitUntil(cancel(context, account, caller, requestId, workId).catch(() => {}));
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  return await send(context, account, work, shard, workId);
}

/**
 * Stops what a caller's request runs as an account, in whichever shard that is.
 * @param workId one message of the request's; without it all of them
 * @returns how many statements were stopped
 * @throws TidegateError when a shard cannot be asked
 */
export async function cancel(
  context: PoolContext,
  account: string,
  caller: string,
  requestId: string,
  workId?: string,
): Promise<number> {
  const work: Work = { kind: "cancel", caller, requestId, ...(workId === undefined ? {} : { workId }) };
  const shards = Array.from({ length: shardsOf(context.config, account) }, (_, shard) => shard);
  const answers = await Promise.allSettled(
    shards.map(async (shard) => await (await send(context, account, work, shard)).json<Cancelled>()),
  );
  const stopped = answers.reduce(
    (sum, each) => sum + (each.status === "fulfilled" ? each.value.stopped : 0),
    0,
  );
  const missed = answers.find((each) => each.status === "rejected");
  if (stopped > 0 || !missed) return stopped;
  throw missed.reason instanceof TidegateError
    ? missed.reason
    : new TidegateError("connection_lost", { retryAfter: limits.retryAfterSeconds }, String(missed.reason));
}

/** Refusals before anything was executed, after which another shard may do better. */
const refusals: ReadonlySet<ErrorCode> = new Set([
  "pool_full",
  "database_unreachable",
  "database_tls_failed",
  "database_connections_exhausted",
]);

/** Asks one shard; without one the least loaded, and another when that one refuses at once. */
export async function send(
  context: PoolContext,
  account: string,
  work: Work,
  shard?: number,
  workId: string = crypto.randomUUID(),
): Promise<Response> {
  const shards = knowledgeOf(context.config, account);
  if (shard !== undefined) return await sendTo(shards, shard, context, account, work, workId);
  const started = Date.now();
  const best = shards.choose(started);
  try {
    return await sendTo(shards, best, context, account, work, workId);
  } catch (cause) {
    const isRefusal = cause instanceof TidegateError && refusals.has(cause.code);
    if (!isRefusal || Date.now() - started > limits.shardRefusalMs) throw cause;
    const other = shards.choose(Date.now(), best);
    if (other === undefined) throw cause;
    return await sendTo(shards, other, context, account, work, workId);
  }
}

async function sendTo(
  shards: Shards,
  shard: number,
  context: PoolContext,
  account: string,
  work: Work,
  workId: string,
): Promise<Response> {
  const done = shards.begin(shard);
  try {
    const response = await ask(context, account, work, workId, shard);
    shards.answered(shard, Number(response.headers.get(waitingHeader)), Date.now());
    const answer = new Response(response.body, response);
    answer.headers.delete(waitingHeader);
    return answer;
  } catch (cause) {
    const { code } = cause instanceof TidegateError ? cause : { code: undefined };
    if (code === undefined || code === "pool_timeout" || refusals.has(code))
      shards.refused(shard, Date.now());
    throw cause;
  } finally {
    done();
  }
}

async function ask(
  context: PoolContext,
  name: string,
  work: Work,
  workId: string,
  shard: number,
): Promise<Response> {
  const { env, config, requestId, traceId } = context;
  const account = accountOf(config, name);
  const body = encodeRequest({
    version: protocolVersion,
    generation: generationOf(config, account),
    requestId,
    ...(traceId === undefined ? {} : { traceId }),
    workId,
    account: name,
    work,
  });
  const stub = stubOf(env, config, account, shard);
  return await orThrow(await stub.fetch("https://pool/", { method: "POST", body }));
}

/** @returns how many shards an account has */
export function shardsOf(config: Config, account: string): number {
  return accountOf(config, account).shards;
}

function accountOf(config: Config, name: string): Account {
  const account = config.accounts.get(name);
  if (!account) throw new TidegateError("internal", {}, "a pool is asked for an unknown account");
  return account;
}

function knowledgeOf(config: Config, name: string): Shards {
  const account = accountOf(config, name);
  const shards = known.get(account) ?? new Shards(account.shards);
  known.set(account, shards);
  return shards;
}
