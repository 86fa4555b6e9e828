import type { Bindings } from "../application.ts";
import { askObject } from "../ask-object.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Rate } from "./bucket.ts";
import type { RateDecision } from "./limiter.ts";

/**
 * Counts a request of one caller under one grant.
 * @param key of the bucket: environment, grant and subject
 * @returns headers for the answer (draft-ietf-httpapi-ratelimit-headers)
 * @throws TidegateError `rate_limited`; `limiter_unavailable` when the Limiter does not answer: a request
 *   that cannot be counted is refused
 */
export async function countRequest(env: Bindings, key: string, rate: Rate): Promise<Record<string, string>> {
  const decision = await ask(env, key, rate);
  const headers = {
    "ratelimit-policy": `"grant";q=${rate.requests};w=${rate.windowSeconds}`,
    ratelimit: `"grant";r=${decision.remaining};t=${decision.resetSeconds}`,
  };
  if (decision.allowed) return headers;
  const detail = `The grant allows ${rate.requests} requests in ${rate.windowSeconds} s.`;
  throw new TidegateError("rate_limited", { detail, retryAfter: decision.resetSeconds, headers });
}

async function ask(env: Bindings, key: string, rate: Rate): Promise<RateDecision> {
  try {
    const decision = await askObject(env.LIMITER, key, rate, limits.limiterTimeoutMs);
    if (!isDecision(decision)) throw new Error("no decision");
    return decision;
  } catch (cause) {
    throw new TidegateError("limiter_unavailable", { retryAfter: limits.retryAfterSeconds }, String(cause));
  }
}

/** Rejects incomplete answers: another version of the object may have answered. */
function isDecision(answer: unknown): answer is RateDecision {
  const { allowed, remaining, resetSeconds } = (answer ?? {}) as Partial<RateDecision>;
  return typeof allowed === "boolean" && Number.isFinite(remaining) && Number.isFinite(resetSeconds);
}
