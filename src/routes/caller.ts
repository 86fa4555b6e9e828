import { credentialsOf } from "../auth/bearer.ts";
import type { Action } from "../auth/grants.ts";
import { decide } from "../auth/grants.ts";
import { provePossession } from "../auth/possession.ts";
import type { Config } from "../config/config.ts";
import type { Grant } from "../config/schema.ts";
import type { Ceilings } from "../db/pool/protocol.ts";
import { countRequest } from "../rate/client.ts";
import type { AppContext } from "./http.ts";
import { factory } from "./http.ts";

/**
 * Lets nobody by whose token has not been verified, or who does not hold the key that it is bound to.
 * @throws TidegateError of the kind 401, `keys_unavailable`, `proofs_unavailable`
 */
export const authenticated = factory.createMiddleware(async (c, next) => {
  const now = new Date();
  const credentials = credentialsOf(c.req.header("authorization"));
  const { caller, remembered } = await c.var.verifier.verify(credentials.token, now);
  c.set("caller", caller);
  c.set("token", remembered ? "remembered" : "verified");
  const request = { method: c.req.method, url: c.req.url, proof: c.req.header("dpop") };
  const nonce = await provePossession(c.env, c.var.config.environment, credentials, caller, request, now);
  if (nonce !== undefined) addHeaders(c, { "dpop-nonce": nonce });
  await next();
});

/** What a caller was given: as whom, and how much. */
export interface Access {
  account: string;
  ceilings: Ceilings;
}

/**
 * Decides what the caller may do and counts the request where its grant has a rate.
 * @throws TidegateError `access_denied`, `rate_limited`, `limiter_unavailable`
 */
export async function authorize(c: AppContext, action: Action): Promise<Access> {
  const { caller, config } = c.var;
  if (!caller) throw new Error("authorize() needs the middleware authenticated");
  c.set("action", action);
  const grant = decide(config.grants, caller, action, c.req.header("tidegate-account"));
  c.set("account", grant.account);
  if (grant.rate) {
    const { requests, window_s: windowSeconds } = grant.rate;
    // Callers without a subject share one bucket: there is nothing to tell them apart by.
    const who = JSON.stringify([
      config.environment,
      config.grants.indexOf(grant),
      caller.issuer,
      caller.subject,
    ]);
    addHeaders(c, await countRequest(c.env, who, { requests, windowSeconds }));
  }
  return { account: grant.account, ceilings: ceilingsOf(grant, config) };
}

function addHeaders(c: AppContext, headers: Record<string, string>): void {
  c.set("extraHeaders", { ...c.var.extraHeaders, ...headers });
}

function ceilingsOf(grant: Grant, { accounts, grants }: Config): Ceilings {
  const { deadline_ms, max_rows, max_bytes, max_concurrent } = grant;
  const shards = accounts.get(grant.account)?.shards ?? 1;
  return {
    deadlineMs: deadline_ms,
    ...(max_rows === undefined ? {} : { rows: max_rows }),
    ...(max_bytes === undefined ? {} : { bytes: max_bytes }),
    // Each shard counts for itself: together they allow the limit, one alone never all of it.
    ...(max_concurrent === undefined
      ? {}
      : { concurrent: { grant: String(grants.indexOf(grant)), limit: Math.floor(max_concurrent / shards) } }),
  };
}
