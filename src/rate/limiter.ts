import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../application.ts";
import type { Bucket, Rate } from "./bucket.ts";
import { take } from "./bucket.ts";

/** The answer to a Worker: `Taken` without the bucket. */
export interface RateDecision {
  allowed: boolean;
  remaining: number;
  resetSeconds: number;
}

/**
 * The Durable Object that counts one caller's requests under one grant, from all Workers. It lives in memory
 * only. An object that sleeps or moves forgets its bucket, and a new bucket is full.
 */
export class Limiter extends DurableObject<Bindings> {
  #bucket: Bucket | undefined;

  override async fetch(request: Request): Promise<Response> {
    const rate = await request.json<Rate>();
    // Other requests may arrive while the body is read. So the bucket is read and written without an await in
    // between.
    const { bucket, ...decision } = take(this.#bucket, rate, Date.now());
    this.#bucket = bucket;
    return Response.json(decision satisfies RateDecision);
  }
}
