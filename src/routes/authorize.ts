import { credentialsOf } from "../auth/bearer.ts";
import type { Caller } from "../auth/caller.ts";
import type { Action, Demand } from "../auth/grants.ts";
import { decide, demandOf } from "../auth/grants.ts";
import { requireProof } from "../auth/require-proof.ts";
import type { Config } from "../config/config.ts";
import type { Grant } from "../config/schema.ts";
import type { Ceilings } from "../db/contract/requests.ts";
import { TidegateError } from "../errors.ts";
import { countRequest } from "../rate/client.ts";
import type { AppContext } from "./http.ts";
import { factory } from "./http.ts";

/**
 * Admits only callers with a verified token. If the token is bound to a key, the caller must prove it has the
 * key.
 * @throws TidegateError with status 401, `keys_unavailable`, `proofs_unavailable`
 */
export const authenticated = factory.createMiddleware(async (c, next) => {
  const now = new Date();
  const credentials = credentialsOf(c.req.header("authorization"));
  const { caller, remembered } = await c.var.verifier.verify(credentials.token, now);
  c.set("caller", caller);
  c.set("token", remembered ? "remembered" : "verified");
  const request = { method: c.req.method, url: c.req.url, proof: c.req.header("dpop") };
  const nonce = await requireProof(c.env, c.var.config.environment, credentials, caller, request, now);
  if (nonce !== undefined) addHeaders(c, { "dpop-nonce": nonce });
  await next();
});

/** The access that a grant gives to a caller. */
export interface Access {
  account: string;
  /**
   * A digest of issuer and subject. It identifies the caller in a pool's queue and the owner of a
   * transaction.
   */
  caller: string;
  ceilings: Ceilings;
  grant: Grant;
}

/**
 * Admits a caller and counts the request if the grant has a rate. This happens before the body is read, so
 * requests that are refused later count too, and a caller without a grant costs nothing. The deciding grant
 * depends only on the token and on Tidegate-Account, so it is the same for every need of the request.
 * @param demand the grant must allow it, and each of `further`. `authorize` checks a statement's own needs
 *   once it is judged
 * @throws TidegateError `access_denied`, `rate_limited`, `limiter_unavailable`
 */
export async function admit(c: AppContext, demand: Demand, ...further: Demand[]): Promise<Access> {
  const { caller, config } = c.var;
  if (!caller) throw new Error("admit() needs the middleware authenticated");
  const wanted = c.req.header("tidegate-account");
  c.set("action", [demand, ...further].join(" "));
  const grant = decide(config.grants, caller, demand, wanted);
  for (const another of further) decide(config.grants, caller, another, wanted);
  c.set("account", grant.account);
  if (grant.rate) {
    const { requests, window_s: windowSeconds } = grant.rate;
    // All callers without a subject share one bucket, because nothing distinguishes them.
    const who = JSON.stringify([
      config.environment,
      config.grants.indexOf(grant),
      caller.issuer,
      caller.subject,
    ]);
    addHeaders(c, await countRequest(c.env, who, { requests, windowSeconds }));
  }
  return {
    account: grant.account,
    caller: await digestOf(caller),
    ceilings: ceilingsOf(grant, config),
    grant,
  };
}

/**
 * Checks that an admitted caller may do everything that the request needs.
 * @throws TidegateError `access_denied`
 */
export function authorize(c: AppContext, { grant }: Access, ...actions: Action[]): void {
  c.set("action", actions.join(" "));
  for (const action of actions) demandOf(grant, action);
}

/** All callers of an issuer without a subject are one, because nothing distinguishes them. */
async function digestOf({ issuer, subject }: Caller): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify([issuer, subject]));
  return Buffer.from(await crypto.subtle.digest("SHA-256", text)).toString("base64url");
}

function addHeaders(c: AppContext, headers: Record<string, string>): void {
  c.set("extraHeaders", { ...c.var.extraHeaders, ...headers });
}

function ceilingsOf(grant: Grant, { accounts, grants }: Config): Ceilings {
  const { deadline_ms, max_rows, max_bytes, max_concurrent } = grant;
  const account = accounts.get(grant.account);
  if (!account) throw new TidegateError("internal", {}, "a grant names an unknown account");
  return {
    deadlineMs: deadline_ms ?? account.deadline_ms,
    ...(max_rows === undefined ? {} : { rows: max_rows }),
    bytes: max_bytes ?? account.max_bytes,
    // Each shard counts for itself. Together the shards allow at most the limit, and each one only its part.
    ...(max_concurrent === undefined
      ? {}
      : {
          concurrent: {
            grant: String(grants.indexOf(grant)),
            limit: Math.floor(max_concurrent / account.shards),
          },
        }),
  };
}
