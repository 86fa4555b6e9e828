import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../application.ts";
import { configOf } from "../application.ts";
import { observe } from "../telemetry.ts";
import { fetchKeys } from "./fetch-keys.ts";
import type { FetchedKeys } from "./jwks-cache.ts";
import { JwksCache } from "./jwks-cache.ts";

/** A Worker's request to the object. The answer is FetchedKeys as JSON, or 503. */
export interface KeysRequest {
  issuer: string;
  unknownKid: boolean;
}

const stored = "keys";

/**
 * The Durable Object that holds one issuer's keys. It makes one fetch at a time worldwide: requests of one
 * isolate cannot share a fetch, and isolates cannot share state. It stores the last set, so that the keys
 * survive an issuer's outage even if the object moves or restarts.
 */
export class Keys extends DurableObject<Bindings> {
  #cache: { issuer: string; keys: JwksCache } | undefined;

  override async fetch(request: Request): Promise<Response> {
    const { issuer, unknownKid } = await request.json<KeysRequest>();
    try {
      const cache = await this.#cacheOf(issuer);
      return Response.json(await cache.get(unknownKid));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      observe({ event: "keys_unavailable", issuer, reason });
      return new Response(reason, { status: 503 });
    }
  }

  async #cacheOf(name: string): Promise<JwksCache> {
    if (this.#cache?.issuer === name) return this.#cache.keys;
    const { issuers, environment } = configOf(this.env);
    const issuer = issuers.find((candidate) => candidate.issuer === name);
    if (!issuer) throw new Error("an unknown issuer");
    const initial = await this.ctx.storage.get<FetchedKeys>(stored);
    const keys = new JwksCache({
      fetch: () =>
        fetchKeys(issuer, environment, (reasons) =>
          observe({ event: "keys_refused", issuer: name, reasons }),
        ),
      now: Date.now,
      initial,
      fetched: (set) => void this.ctx.storage.put(stored, set),
    });
    // Another request may have made the cache while storage was read. All requests must share one cache.
    if (this.#cache?.issuer === name) return this.#cache.keys;
    this.#cache = { issuer: name, keys };
    return keys;
  }
}
