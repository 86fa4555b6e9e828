import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../../../application.ts";
import { configOf } from "../../../application.ts";
import type { Account, Config } from "../../../config/config.ts";
import { asTidegateError, TidegateError } from "../../../errors.ts";
import { observe } from "../../../telemetry.ts";
import { generationOf } from "../messages/object-name.ts";
import type { WireAnswer } from "../messages/pool-answer.ts";
import { encodeAnswer, encodeError, versionMismatch } from "../messages/pool-answer.ts";
import type { PoolMessage, PoolRequest } from "../messages/protocol.ts";
import { decodeRequest, isSamePeer } from "../messages/protocol.ts";
import { Shard } from "./shard.ts";

/**
 * The Durable Object that holds one account's connections. Its sockets survive between requests; a Worker's
 * sockets do not.
 */
export class Pool extends DurableObject<Bindings> {
  #connections: Shard | undefined;

  /** Does a Worker's work. The Worker calls it by RPC. */
  async run(message: PoolMessage): Promise<WireAnswer> {
    const request = await decodeRequest(message);
    if (!request) return encodeError(versionMismatch());
    try {
      const config = configOf(this.env);
      const account = config.accounts.get(request.account);
      if (!account || !isSamePeer(request, generationOf(config, account))) throw versionMismatch();
      const connections = this.#connectionsOf(config, account);
      const answer = await connections.do(request, (broken) => observeFailure(request, broken));
      return encodeAnswer(answer, connections.waiting);
    } catch (cause) {
      const error = asTidegateError(cause);
      observeFailure(request, error);
      return encodeError(error);
    }
  }

  /**
   * A Worker up to protocol 9 asks by fetch, and may meet an object that has this code already. It understands this
   * answer: another version, so nothing was executed.
   */
  override async fetch(): Promise<Response> {
    const { code, details } = versionMismatch();
    return Response.json({ code, details }, { status: 503, headers: { "tidegate-error": "1" } });
  }

  /** An object serves its first account for life. */
  #connectionsOf(config: Config, account: Account): Shard {
    this.#connections ??= new Shard(config, account);
    if (this.#connections.name !== account.name)
      throw new TidegateError("internal", {}, "a pool was asked for two accounts");
    return this.#connections;
  }
}

function observeFailure({ requestId, traceId, account }: PoolRequest, error: TidegateError): void {
  const trace = traceId === undefined ? {} : { trace_id: traceId };
  const reason = error.operator === undefined ? {} : { reason: error.operator };
  observe({ event: "work_failed", request_id: requestId, ...trace, account, code: error.code, ...reason });
}
