import type { Bindings } from "../../src/application.ts";
import gateway from "../../src/index.ts";

export { Idempotency, Keys, Limiter, Pool, Proofs } from "../../src/index.ts";

/** V8's, with the flag --expose-gc. */
declare const gc: () => void;

/** The gateway, which also collects its garbage when it is asked to: V8's trace says then what is left. */
export default {
  async fetch(request, env, context): Promise<Response> {
    if (new URL(request.url).pathname !== "/collect") return await gateway.fetch(request, env, context);
    // What the first one finalizes, the second one frees.
    gc();
    gc();
    return new Response(null, { status: 204 });
  },
} satisfies ExportedHandler<Bindings>;
