// First: it replaces what the application takes from the platform.
import "./counters.ts";

import type { Bindings } from "../../../../src/application.ts";
import type { WireAnswer } from "../../../../src/db/pool/messages/pool-answer.ts";
import type { PoolMessage } from "../../../../src/db/pool/messages/protocol.ts";
import gateway, {
  Idempotency as RealIdempotency,
  Keys as RealKeys,
  Limiter as RealLimiter,
  Pool as RealPool,
  Proofs as RealProofs,
} from "../../../../src/index.ts";
import { limits } from "../../../../src/limits.ts";
import { count, forget, place, tallies } from "./counters.ts";

/**
 * The Worker that counts what its requests make: `GET /test/counts` says it since the last `DELETE /test/counts`
 * (counters.ts). The time between two requests of a test depends on the machine, so here a run begins however
 * slowly requests come, and no restore comes because a session is idle.
 */
Object.assign(limits, { busyWindowMs: 1e9, runIdleMs: 1e9, lastRunIdleMs: 1e9 });

/** Counts what an object does when it is asked. */
async function asked<T>(run: () => Promise<T>): Promise<T> {
  return await place.run("object", async () => {
    count("objectsAsked");
    return await run();
  });
}

// biome-ignore lint/suspicious/noExplicitAny: TypeScript wants it of a class that extends a parameter
type ObjectClass = new (...given: any[]) => { fetch(request: Request): Promise<Response> };

function counted<T extends ObjectClass>(Real: T) {
  return class extends Real {
    override async fetch(request: Request): Promise<Response> {
      return await asked(() => super.fetch(request));
    }
  };
}

export const Idempotency = counted(RealIdempotency);
export const Keys = counted(RealKeys);
export const Limiter = counted(RealLimiter);
export const Proofs = counted(RealProofs);

export class Pool extends RealPool {
  override async run(message: PoolMessage): Promise<WireAnswer> {
    return await asked(() => super.run(message));
  }
}

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname !== "/test/counts")
      return await place.run("worker", async () => await gateway.fetch(request, env, context));
    if (request.method === "DELETE") forget();
    return Response.json(tallies);
  },
} satisfies ExportedHandler<Bindings>;
