import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../../../application.ts";
import { configOf } from "../../../application.ts";
import type { Account, Config } from "../../../config/config.ts";
import { asTidegateError, TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { observe } from "../../../telemetry.ts";
import { generationOf } from "../messages/object-name.ts";
import type { PoolRequest } from "../messages/protocol.ts";
import { encodeError, isSamePeer, waitingHeader } from "../messages/protocol.ts";
import { Shard } from "./shard.ts";

/**
 * The Durable Object that holds one account's connections. Its sockets survive between requests; a Worker's
 * sockets do not.
 */
export class Pool extends DurableObject<Bindings> {
  #connections: Shard | undefined;

  override async fetch(request: Request): Promise<Response> {
    const response = await this.#answer(await request.json<PoolRequest>());
    response.headers.set(waitingHeader, String(this.#connections?.waiting ?? 0));
    return response;
  }

  async #answer(message: PoolRequest): Promise<Response> {
    try {
      const config = configOf(this.env);
      const account = config.accounts.get(message.account);
      if (!account || !isSamePeer(message, generationOf(config, account))) {
        throw new TidegateError("version_mismatch", { retryAfter: limits.retryAfterSeconds });
      }
      const connections = this.#connectionsOf(config, account);
      return await connections.do(message, (broken) => observeFailure(message, broken));
    } catch (cause) {
      const error = asTidegateError(cause);
      observeFailure(message, error);
      return encodeError(error);
    }
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
