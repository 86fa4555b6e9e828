import type { Bindings } from "../application.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";

/**
 * The coarse outer wall, before a token is looked at: the platform counts requests of one network, per location
 * and for 10 or 60 s (https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/). How many it
 * takes is in wrangler.toml. A runtime of one's own has no such counter; there whatever stands before it does this.
 * @param address the client's, as the platform says; undefined where it does not
 * @throws TidegateError `rate_limited`; `limiter_unavailable` when nobody can count
 */
export async function passWall(env: Bindings, address: string | undefined): Promise<void> {
  if ((env.WALL as RateLimit | undefined) === undefined) return;
  const { success } = await env.WALL.limit({ key: networkOf(address ?? "") }).catch((cause: unknown) => {
    throw new TidegateError("limiter_unavailable", { retryAfter: limits.retryAfterSeconds }, String(cause));
  });
  if (success) return;
  throw new TidegateError("rate_limited", {
    detail: "Too many requests come from this network.",
    retryAfter: limits.wallRetryAfterSeconds,
  });
}

/** @returns an IPv4 address as it is, of an IPv6 address the first 64 bits: a client has all the others */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head = [], tail = []] = address.split("::").map((part) => part.split(":").filter(Boolean));
  const zeros = address.includes("::")
    ? Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0")
    : [];
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(":")}::/64`;
}
