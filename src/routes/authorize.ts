import { credentialsOf } from "../auth/bearer.ts";
import type { Caller } from "../auth/caller.ts";
import type { Action, Demand } from "../auth/grants.ts";
import { demandOf, grantOf } from "../auth/grants.ts";
import { concernsProofs, requireProof } from "../auth/require-proof.ts";
import type { Config } from "../config/config.ts";
import type { Grant } from "../config/schema.ts";
import type { Ceilings } from "../db/contract/requests.ts";
import { TidegateError } from "../errors.ts";
import { countRequest } from "../rate/client.ts";
import type { AppContext } from "./context.ts";

/**
 * Admits only callers with a verified token. If the token is bound to a key, the caller must prove it has the
 * key.
 * @throws TidegateError with status 401, `keys_unavailable`, `proofs_unavailable`
 */
export async function authenticate(c: AppContext): Promise<void> {
  const now = new Date();
  const credentials = credentialsOf(c.header("authorization"), c.verifier.maxTokenBytes);
  const { caller, remembered } = await c.verifier.verify(credentials.token, now);
  c.caller = caller;
  c.token = remembered ? "remembered" : "verified";
  if (!concernsProofs(credentials, caller)) return;
  const request = { method: c.method, url: c.url.href, proof: c.header("dpop") };
  const nonce = await requireProof(c.env, c.config.environment, credentials, caller, request, now);
  c.addHeaders({ "dpop-nonce": nonce });
}

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
  /** The grant's place in the policy, counted from 0. */
  index: number;
}

/** What a grant gives to a caller, with the name of the caller's bucket if the grant has a rate. */
interface Standing extends Access {
  bucket: string;
}

/**
 * Each caller's standing, by the account that it asks for. A Caller is the verifier's own object for a token,
 * and lives as long as the token is remembered. Only accounts that a grant gives are kept, so they are few.
 */
const standings = new WeakMap<Caller, Map<string | undefined, Standing>>();

/** @throws TidegateError `access_denied` if no grant gives the account */
async function standingOf(caller: Caller, config: Config, wanted: string | undefined): Promise<Standing> {
  const known = standings.get(caller) ?? new Map<string | undefined, Standing>();
  standings.set(caller, known);
  const kept = known.get(wanted);
  if (kept) return kept;
  const grant = grantOf(config.grants, caller, wanted);
  const { issuer, subject } = caller;
  const index = config.grants.indexOf(grant);
  const standing: Standing = {
    account: grant.account,
    caller: await digestOf(caller),
    ceilings: ceilingsOf(grant, config),
    grant,
    index,
    // All callers without a subject share one bucket, because nothing distinguishes them.
    bucket: JSON.stringify([config.environment, index, issuer, subject]),
  };
  known.set(wanted, standing);
  return standing;
}

/**
 * Admits a caller and counts the request if the grant has a rate. This happens before the body is read, so
 * requests that are refused later count too, and a caller without a grant costs nothing. The deciding grant
 * depends only on the token and on Tidegate-Account, so it is the same for every need of the request.
 * @param demands the grant must allow each of them. `authorize` checks a statement's own needs once it is
 *   judged
 * @throws TidegateError `access_denied`, `rate_limited`, `limiter_unavailable`
 */
export async function admit(c: AppContext, ...demands: [Demand, ...Demand[]]): Promise<Access> {
  if (!c.caller) throw new Error("admit() needs a caller: the endpoint must not be public");
  c.action = demands.join(" ");
  const standing = await standingOf(c.caller, c.config, c.header("tidegate-account"));
  const { grant, account, bucket } = standing;
  c.grant = standing.index;
  for (const demand of demands) demandOf(grant, demand);
  c.account = account;
  if (grant.rate) {
    const { requests, window_s: windowSeconds } = grant.rate;
    c.addHeaders(await countRequest(c.env, bucket, { requests, windowSeconds }));
  }
  return standing;
}

/**
 * Checks that an admitted caller may do everything that the request needs.
 * @throws TidegateError `access_denied`
 */
export function authorize(c: AppContext, { grant }: Access, ...actions: Action[]): void {
  c.action = actions.join(" ");
  for (const action of actions) demandOf(grant, action);
}

/** All callers of an issuer without a subject are one, because nothing distinguishes them. */
async function digestOf({ issuer, subject }: Caller): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify([issuer, subject]));
  return Buffer.from(await crypto.subtle.digest("SHA-256", text)).toString("base64url");
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
