import type { Bindings } from "../../../../src/application.ts";
import gateway, { Pool as RealPool } from "../../../../src/index.ts";

/**
 * The Worker whose Pool objects can be ended, as the platform may do at any time: `PUT
 * /test/abort?name=NAME`. The runtime's eviction in tests waits until an object has no timer, and an object
 * with a connection always has one. `POST /test/tell?name=NAME` sends an object a message that this Worker
 * would not send.
 */
export { Idempotency, Keys, Limiter, Proofs } from "../../../../src/index.ts";

export class Pool extends RealPool {
  override async fetch(request: Request): Promise<Response> {
    if (request.method === "PUT") this.ctx.abort("ended by a test");
    return await super.fetch(request);
  }
}

export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (!/^\/test\/(abort|tell)$/.test(pathname)) return await gateway.fetch(request, env, context);
    const id = env.POOL.idFromName(searchParams.get("name") ?? "");
    if (pathname === "/test/tell")
      return await env.POOL.get(id).fetch("https://pool/", { method: "POST", body: await request.text() });
    // The object reports its end to every request that waits for it.
    const ended = await env.POOL.get(id)
      .fetch("https://pool/", { method: "PUT" })
      .then(
        () => false,
        () => true,
      );
    return new Response(null, { status: ended ? 204 : 500 });
  },
} satisfies ExportedHandler<Bindings>;
