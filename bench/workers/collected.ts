import type { Bindings } from "../../src/application.ts";
import gateway from "../../src/index.ts";

export { Idempotency, Keys, Limiter, Pool, Proofs } from "../../src/index.ts";

/** V8's function, with the flag --expose-gc. */
declare const gc: () => void;

/** The gateway, which also collects its garbage on request. V8's trace then shows the size of the heap. */
export default {
  async fetch(request, env, context): Promise<Response> {
    if (new URL(request.url).pathname !== "/collect") return await gateway.fetch(request, env, context);
    // The second collection frees the objects that the first one finalizes.
    gc();
    gc();
    return new Response(null, { status: 204 });
  },
} satisfies ExportedHandler<Bindings>;
