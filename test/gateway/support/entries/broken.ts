import type { Bindings } from "../../../../src/application.ts";
import type { WireAnswer } from "../../../../src/db/pool/messages/pool-answer.ts";
import type { PoolMessage } from "../../../../src/db/pool/messages/protocol.ts";
import {
  Idempotency as RealIdempotency,
  Keys as RealKeys,
  Limiter as RealLimiter,
  Pool as RealPool,
  Proofs as RealProofs,
} from "../../../../src/index.ts";
import clock from "./clock.ts";

/**
 * The Worker of clock.ts whose objects Idempotency, Keys, Limiter, Pool and Proofs, and whose WALL, can be
 * made to fail: `PUT /test/broken?object=keys&way=throws`; without a way they work again. `delays_ms=1,2`
 * is for "answers late": the first request takes the first, and so on.
 */

/** The ways in which an object can fail. Its error text must not reach a caller. */
const ways: Record<string, (ms: number) => Promise<Response | undefined>> = {
  throws: async () => {
    throw new Error("internal-detail");
  },
  "status 500": async () => new Response("internal-detail", { status: 500 }),
  "no JSON": async () => new Response("<internal-detail>"),
  "no object": async () => Response.json(null),
  "another object": async () =>
    Response.json({
      allowed: "internal-detail",
      jwks: { keys: {} },
      fetchedAt: 1,
      outcome: "fine",
      verdict: "fine",
      nonce: "n",
    }),
  // Only the first request, with the delays 1 and 0.
  "throws in turn": async (turn) => {
    if (turn > 0) throw new Error("internal-detail");
    return undefined;
  },
  // The runtime would detect and end a promise that nothing settles; it waits for a timer.
  "answers late": async (ms) => {
    await scheduler.wait(ms);
    return undefined;
  },
};

/** By the object's class; all objects live in this isolate (clock.ts). */
const broken: Record<string, { way: string; delaysMs: number[] } | undefined> = {};

async function failure(object: string): Promise<Response | undefined> {
  const how = broken[object];
  return how && (await ways[how.way]?.(how.delaysMs.shift() ?? 0));
}

/**
 * Fails when it is asked ("idempotency begin", "idempotency end"), or after it has done it ("idempotency
 * begun").
 */
export class Idempotency extends RealIdempotency {
  override async fetch(request: Request): Promise<Response> {
    const { ask } = await request.clone().json<{ ask: string }>();
    const before = await failure(`idempotency ${ask}`);
    if (before) return before;
    const answer = await super.fetch(request);
    return (ask === "begin" && (await failure("idempotency begun"))) || answer;
  }
}

export class Keys extends RealKeys {
  override async fetch(request: Request): Promise<Response> {
    return (await failure("keys")) ?? (await super.fetch(request));
  }
}

export class Limiter extends RealLimiter {
  override async fetch(request: Request): Promise<Response> {
    return (await failure("limiter")) ?? (await super.fetch(request));
  }
}

export class Pool extends RealPool {
  override async run(message: PoolMessage): Promise<WireAnswer> {
    const failed = await failure("pool");
    return failed ? ((await failed.text()) as never) : await super.run(message);
  }
}

export class Proofs extends RealProofs {
  override async fetch(request: Request): Promise<Response> {
    return (await failure("proofs")) ?? (await super.fetch(request));
  }
}

/** The platform's counter can fail in one way only. */
function withWall(env: Bindings): Bindings {
  if (broken.wall === undefined) return env;
  return { ...env, WALL: { limit: () => Promise.reject(new Error("internal-detail")) } };
}

export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/test/broken") return await clock.fetch(request, withWall(env), context);
    const way = searchParams.get("way");
    if (way !== null && ways[way] === undefined) return new Response("no such way", { status: 400 });
    const delaysMs = (searchParams.get("delays_ms") ?? "").split(",").map(Number);
    broken[searchParams.get("object") ?? ""] = way === null ? undefined : { way, delaysMs };
    return new Response(null, { status: 204 });
  },
} satisfies ExportedHandler<Bindings>;
