import type { Account, Config } from "../../../config/config.ts";
import type { ErrorCode } from "../../../errors.ts";
import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { BackendContext } from "../../contract/backend.ts";
import { generationOf, stubOf } from "../messages/object-name.ts";
import type { Cancelled, Work } from "../messages/protocol.ts";
import { encodeRequest, orThrow, protocolVersion, waitingHeader } from "../messages/protocol.ts";
import { lostError } from "./lost-call.ts";
import { ShardPicker } from "./shard-picker.ts";

/** Refusals before any execution. Another shard may succeed. */
const refusals: ReadonlySet<ErrorCode> = new Set([
  "pool_full",
  "database_unreachable",
  "database_tls_failed",
  "database_connections_exhausted",
]);

/** One piece of work for a shard of an account. */
interface Message {
  context: BackendContext;
  account: Account;
  work: Work;
  workId: string;
}

/** Calls the Pool objects of all accounts. */
export class PoolRpc {
  readonly #config: Config;
  /** This isolate's knowledge of each account's shards. */
  readonly #known = new Map<string, ShardPicker>();

  constructor(config: Config) {
    this.#config = config;
  }

  /** @returns the numbers of an account's shards */
  shardsOf(account: string): number[] {
    return Array.from({ length: this.#accountOf(account).shards }, (_, shard) => shard);
  }

  /**
   * Sends work to a shard. A statement or a batch is stopped if its caller leaves before the answer.
   * @param shard the shard to ask. Without it, the less loaded of two shards is asked, and another one if
   *   that one refuses quickly
   * @returns the answer. Its rows are encoded and may still be streaming
   * @throws TidegateError of the shard, or of `lostError` if the shard cannot be reached
   */
  async call(context: BackendContext, name: string, work: Work, shard?: number): Promise<Response> {
    const account = this.#accountOf(name);
    const message = { context, account, work, workId: crypto.randomUUID() };
    this.#stopWhenLeft(message);
    if (shard !== undefined) return await this.#ask(message, shard);
    const shards = this.#knowledgeOf(account);
    const started = Date.now();
    const best = shards.choose(started);
    try {
      return await this.#ask(message, best);
    } catch (cause) {
      const isRefusal = cause instanceof TidegateError && refusals.has(cause.code);
      if (!isRefusal || Date.now() - started > limits.shardRefusalMs) throw cause;
      const other = shards.choose(Date.now(), best);
      if (other === undefined) throw cause;
      return await this.#ask(message, other);
    }
  }

  /**
   * Stops the statements of a caller's request as an account, in all shards.
   * @param workId one message of the request; undefined for all
   * @returns how many statements were stopped
   * @throws TidegateError if a shard cannot be asked and no statement was stopped
   */
  async cancel(
    context: BackendContext,
    account: string,
    caller: string,
    requestId: string,
    workId?: string,
  ): Promise<number> {
    const work: Work = { kind: "cancel", caller, requestId, ...(workId === undefined ? {} : { workId }) };
    const answers = await Promise.allSettled(
      this.shardsOf(account).map(async (shard) => {
        return await (await this.call(context, account, work, shard)).json<Cancelled>();
      }),
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

  #stopWhenLeft({ context, account, work, workId }: Message): void {
    const caller = stoppableBy(work);
    if (caller === undefined) return;
    const { signal, requestId, waitUntil } = context;
    const stop = () =>
      waitUntil(this.cancel(context, account.name, caller, requestId, workId).catch(() => {}));
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  }

  /** Asks one shard and remembers its load. */
  async #ask({ context, account, work, workId }: Message, shard: number): Promise<Response> {
    const { env, requestId, traceId } = context;
    const shards = this.#knowledgeOf(account);
    const done = shards.begin(shard);
    try {
      const body = encodeRequest({
        version: protocolVersion,
        generation: generationOf(this.#config, account),
        requestId,
        ...(traceId === undefined ? {} : { traceId }),
        workId,
        account: account.name,
        work,
      });
      const stub = stubOf(env, this.#config, account, shard);
      const response = await orThrow(await stub.fetch("https://pool/", { method: "POST", body }));
      shards.answered(shard, Number(response.headers.get(waitingHeader)), Date.now());
      const answer = new Response(response.body, response);
      answer.headers.delete(waitingHeader);
      return answer;
    } catch (cause) {
      const { code } = cause instanceof TidegateError ? cause : { code: undefined };
      if (code === undefined || code === "pool_timeout" || refusals.has(code))
        shards.refused(shard, Date.now());
      throw lostError(work, cause);
    } finally {
      done();
    }
  }

  #accountOf(name: string): Account {
    const account = this.#config.accounts.get(name);
    if (!account) throw new TidegateError("internal", {}, "a pool is asked for an unknown account");
    return account;
  }

  #knowledgeOf({ name, shards }: Account): ShardPicker {
    const known = this.#known.get(name) ?? new ShardPicker(shards);
    this.#known.set(name, known);
    return known;
  }
}

/** @returns the caller whose disconnect stops the work; undefined for work that continues */
function stoppableBy(work: Work): string | undefined {
  if (work.kind === "transaction") return work.execute.caller;
  return work.kind === "execute" || work.kind === "batch" ? work.caller : undefined;
}
