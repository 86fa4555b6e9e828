import type { Bindings } from "../../../../src/application.ts";
import gateway from "../../../../src/index.ts";

/**
 * The Worker with a clock that a test moves: `PUT /test/clock?ahead_ms=N`. Under workerd Durable Objects
 * run in the isolate of their Worker, so their clock moves too (the tests of key ages prove it). Timers do
 * not move.
 */
export { Idempotency, Keys, Limiter, Pool, Proofs } from "../../../../src/index.ts";

let aheadMs = 0;
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...given: [] | [number]) {
    if (given.length === 0) super(RealDate.now() + aheadMs);
    else super(...given);
  }

  static override now(): number {
    return RealDate.now() + aheadMs;
  }
} as DateConstructor;

export default {
  async fetch(request, env, context) {
    const url = new URL(request.url);
    if (url.pathname !== "/test/clock") return await gateway.fetch(request, env, context);
    aheadMs = Number(url.searchParams.get("ahead_ms"));
    return new Response(null, { status: 204 });
  },
} satisfies ExportedHandler<Bindings>;
