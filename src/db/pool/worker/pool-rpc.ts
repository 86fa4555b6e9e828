import type { Account, Config } from "../../../config/config.ts";
import type { ErrorCode } from "../../../errors.ts";
import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { BackendContext } from "../../contract/backend.ts";
import type { PageAnswer } from "../../contract/requests.ts";
import { pageEndOf, toResponse } from "../../encode/encoded-answer.ts";
import { generationOf, stubOf } from "../messages/object-name.ts";
import type { Answer, RowsAnswer, ValueAnswer } from "../messages/pool-answer.ts";
import { decodeAnswer } from "../messages/pool-answer.ts";
import type { CancelWork, ExecuteWork, RowsWork, Values, Work } from "../messages/protocol.ts";
import { encodeRequest, protocolVersion } from "../messages/protocol.ts";
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
   * Sends work whose result is rows. It is stopped if its caller leaves before the answer.
   * @param shard the shard to ask. Without it, the less loaded of two shards is asked, and another one if
   *   that one refuses quickly
   * @returns the answer, with headers that may be changed. Its rows are encoded and may still be streaming
   * @throws TidegateError of the shard, or of `lostError` if the shard cannot be reached
   */
  async rows(context: BackendContext, name: string, work: RowsWork, shard?: number): Promise<Response> {
    const answer = await this.#rows(context, name, work, shard);
    return toResponse(answer, answer.timings);
  }

  /** As `rows`, for a page. */
  async page(context: BackendContext, name: string, work: ExecuteWork): Promise<PageAnswer> {
    const answer = await this.#rows(context, name, work);
    return { response: toResponse(answer, answer.timings), end: pageEndOf(answer) };
  }

  async #rows(context: BackendContext, name: string, work: RowsWork, shard?: number): Promise<RowsAnswer> {
    const message = this.#messageOf(context, name, work);
    this.#stopWhenLeft(message, work.kind === "transaction" ? work.execute.caller : work.caller);
    return (await this.#send(message, shard)) as RowsAnswer;
  }

  /**
   * Sends other work, which continues if the caller leaves.
   * @param shard as in `rows`
   * @throws TidegateError as `rows`; for `ready`, `drain`, `metrics` and `cancel` the cause itself if the shard
   *   cannot be reached
   */
  async ask<K extends keyof Values>(
    context: BackendContext,
    name: string,
    work: Extract<Work, { kind: K }>,
    shard?: number,
  ): Promise<Values[K]> {
    const answer = await this.#send(this.#messageOf(context, name, work), shard);
    return (answer as ValueAnswer<Values[K]>).value;
  }

  #messageOf(context: BackendContext, name: string, work: Work): Message {
    return { context, account: this.#accountOf(name), work, workId: crypto.randomUUID() };
  }

  async #send(message: Message, shard?: number): Promise<Answer> {
    if (shard !== undefined) return await this.#ask(message, shard);
    const shards = this.#knowledgeOf(message.account);
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
    const work: CancelWork = {
      kind: "cancel",
      caller,
      requestId,
      ...(workId === undefined ? {} : { workId }),
    };
    const answers = await Promise.allSettled(
      this.shardsOf(account).map((shard) => this.ask(context, account, work, shard)),
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

  #stopWhenLeft({ context, account, workId }: Message, caller: string): void {
    const { signal, requestId, waitUntil } = context;
    const stop = () =>
      waitUntil(this.cancel(context, account.name, caller, requestId, workId).catch(() => {}));
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  }

  /** Asks one shard and remembers its load. */
  async #ask({ context, account, work, workId }: Message, shard: number): Promise<Answer> {
    const { env, requestId, traceId } = context;
    const shards = this.#knowledgeOf(account);
    shards.begins(shard);
    try {
      const message = encodeRequest({
        version: protocolVersion,
        generation: generationOf(this.#config, account),
        requestId,
        ...(traceId === undefined ? {} : { traceId }),
        workId,
        account: account.name,
        work,
      });
      const answer = decodeAnswer(await stubOf(env, this.#config, account, shard).run(message));
      shards.answered(shard, answer.waiting, Date.now());
      return answer;
    } catch (cause) {
      const { code } = cause instanceof TidegateError ? cause : { code: undefined };
      if (code === undefined || code === "pool_timeout" || refusals.has(code))
        shards.refused(shard, Date.now());
      throw lostError(work, cause);
    } finally {
      shards.ends(shard);
    }
  }

  #accountOf(name: string): Account {
    const account = this.#config.accounts.get(name);
    if (!account) throw new TidegateError("internal", {}, "a pool is asked for an unknown account");
    return account;
  }

  #knowledgeOf({ name, shards }: Account): ShardPicker {
    let known = this.#known.get(name);
    if (known === undefined) {
      known = new ShardPicker(shards);
      this.#known.set(name, known);
    }
    return known;
  }
}
