import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../application.ts";
import type { Bucket, Rate } from "./bucket.ts";
import { take } from "./bucket.ts";

/** What a Worker is told: Taken without the bucket. */
export interface RateDecision {
  allowed: boolean;
  remaining: number;
  resetSeconds: number;
}

/**
 * The Durable Object that counts one caller's requests under one grant, wherever they arrive. It lives in
 * memory only: an object that sleeps or moves forgets, and a forgotten bucket is a full one.
 */
export class Limiter extends DurableObject<Bindings> {
  #bucket: Bucket | undefined;

  override async fetch(request: Request): Promise<Response> {
    const rate = await request.json<Rate>();
    // Others came while the question was read: the bucket is read and written without a wait between.
    const { bucket, ...decision } = take(this.#bucket, rate, Date.now());
    this.#bucket = bucket;
    return Response.json(decision satisfies RateDecision);
  }
}
