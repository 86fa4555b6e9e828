import type { Bindings } from "../../../../src/application.ts";
import { toResponse } from "../../../../src/db/encode/encoded-answer.ts";
import type { RowsAnswer } from "../../../../src/db/pool/messages/pool-answer.ts";
import { decodeAnswer } from "../../../../src/db/pool/messages/pool-answer.ts";
import type { PoolStub } from "../../../../src/db/pool/messages/protocol.ts";
import { TidegateError, toProblem } from "../../../../src/errors.ts";
import gateway, { Pool as RealPool } from "../../../../src/index.ts";

/**
 * The Worker whose Pool objects can be ended, as the platform may do at any time: `PUT
 * /test/abort?name=NAME`. The runtime's eviction in tests waits until an object has no timer, and an object
 * with a connection always has one. `POST /test/tell?name=NAME` sends an object a message that this Worker
 * would not send, and `POST /test/fetch?name=NAME` a request, as Workers up to protocol 9 do. `PUT /test/old` takes
 * the method for RPC from all objects, which those of protocol 9 do not have, and `DELETE /test/old` gives it back.
 */
export { Idempotency, Keys, Limiter, Proofs } from "../../../../src/index.ts";

export class Pool extends RealPool {
  override async fetch(request?: Request): Promise<Response> {
    if (request?.method === "PUT") this.ctx.abort("ended by a test");
    return await super.fetch();
  }
}

const run = Object.getOwnPropertyDescriptor(RealPool.prototype, "run") as PropertyDescriptor;

async function tell(stub: PoolStub, message: string): Promise<Response> {
  try {
    const answer = decodeAnswer(await stub.run(message)) as RowsAnswer;
    return toResponse(answer, answer.timings);
  } catch (cause) {
    if (!(cause instanceof TidegateError)) throw cause;
    return Response.json(toProblem(cause, "told"), { status: cause.status });
  }
}

export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (!pathname.startsWith("/test/")) return await gateway.fetch(request, env, context);
    const stub = env.POOL.get(env.POOL.idFromName(searchParams.get("name") ?? ""));
    switch (pathname) {
      case "/test/old":
        if (request.method === "PUT") Reflect.deleteProperty(RealPool.prototype, "run");
        else Object.defineProperty(RealPool.prototype, "run", run);
        return new Response(null, { status: 204 });
      case "/test/tell":
        return await tell(stub as unknown as PoolStub, await request.text());
      case "/test/fetch":
        return await stub.fetch("https://pool/", { method: "POST", body: await request.text() });
      default: {
        // The object reports its end to every request that waits for it.
        const ended = await stub.fetch("https://pool/", { method: "PUT" }).then(
          () => false,
          () => true,
        );
        return new Response(null, { status: ended ? 204 : 500 });
      }
    }
  },
} satisfies ExportedHandler<Bindings>;
