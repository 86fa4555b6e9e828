import { createHmac } from "node:crypto";
import type { Bindings } from "../../../application.ts";
import type { Account, Config } from "../../../config/config.ts";
import type { PoolStub } from "./protocol.ts";
import { protocolVersion } from "./protocol.ts";

/** What belongs to an account of this isolate's configuration, computed once. */
const generations = new WeakMap<Account, string>();
/** By shard. Making an id hashes the name. */
const ids = new WeakMap<Account, DurableObjectId[]>();

/**
 * Names what an object serves: the cluster, the accounts and one account's credential. A change of any of
 * them leads to new objects, so no request meets an old connection. Both sides of a call compute it and
 * compare.
 */
export function generationOf(config: Config, account: Account): string {
  const known = generations.get(account);
  if (known !== undefined) return known;
  const generation = `${config.generation.slice(0, 16)}-${credentialTag(config.environment, account)}`;
  generations.set(account, generation);
  return generation;
}

/**
 * A tag that changes with the secret. Operators can read the names of objects, so the tag must not help to
 * find the secret. It has 16 bits, too few to confirm a guess. One change in 65,536 keeps the tag; then the
 * objects stay until the platform restarts them with the new secret.
 */
function credentialTag(environment: string, { name, user, credential }: Account): string {
  const secret = "password" in credential ? credential.password : tokenKey(credential);
  const mac = createHmac("sha256", secret).update(JSON.stringify([environment, name, user]));
  return mac.digest("hex").slice(0, 4);
}

function tokenKey(credential: Exclude<Account["credential"], { password: string }>): string {
  return "token" in credential ? credential.token.key : "";
}

/** @returns the name of the object of one shard */
export function nameOf(config: Config, account: Account, shard: number): string {
  const { environment, cluster } = config;
  const kind = `${generationOf(config, account)}-${protocolVersion}`;
  return `${environment}/${account.name}/${cluster.location ?? "anywhere"}/${kind}/${shard}`;
}

/**
 * @returns the object of one shard. Its first request decides where it lives. The platform lets a stub be used only in
 *   the request that made it, so it cannot be kept
 */
export function stubOf(env: Bindings, config: Config, account: Account, shard: number): PoolStub {
  const { location } = config.cluster;
  const known = ids.get(account) ?? [];
  let id = known[shard];
  if (id === undefined) {
    id = env.POOL.idFromName(nameOf(config, account, shard));
    known[shard] = id;
    ids.set(account, known);
  }
  const stub = env.POOL.get(id, location === undefined ? {} : { locationHint: location });
  return stub as unknown as PoolStub;
}
