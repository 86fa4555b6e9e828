import type { Bindings } from "../application.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";

/** Whether something counts requests here. */
export function hasAddressLimit(env: Bindings): boolean {
  return (env.WALL as RateLimit | undefined) !== undefined;
}

/**
 * Limits requests per client network, before any token is read. Cloudflare counts them, per location and
 * for 10 or 60 s (https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/). workerd itself has
 * no such counter: `tidegate serve` puts its own in this place (src/serve/wall.ts). Without any, a proxy in front of
 * the gateway must limit requests.
 * @param address of the client, from the platform; undefined if the platform gives none
 * @throws TidegateError `rate_limited`; `limiter_unavailable` when the platform's counter fails
 */
export async function limitByAddress(env: Bindings, address: string | undefined): Promise<void> {
  const { success } = await env.WALL.limit({ key: networkOf(address ?? "") }).catch((cause: unknown) => {
    throw new TidegateError("limiter_unavailable", { retryAfter: limits.retryAfterSeconds }, String(cause));
  });
  if (success) return;
  throw new TidegateError("rate_limited", {
    detail: "Too many requests come from this network.",
    retryAfter: limits.ipRateLimitRetryAfterSeconds,
  });
}

/**
 * @returns an IPv4 address unchanged; the first 64 bits of an IPv6 address, because a client owns the other
 *   64
 */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head = [], tail = []] = address.split("::").map((part) => part.split(":").filter(Boolean));
  const zeros = address.includes("::")
    ? Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0")
    : [];
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(":")}::/64`;
}
