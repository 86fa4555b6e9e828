import { createHmac } from "node:crypto";
import type { Bindings } from "../../../application.ts";
import type { Account, Config } from "../../../config/config.ts";
import { protocolVersion } from "./protocol.ts";

/** Ids are made once per isolate and shard: making an id hashes the name. */
const ids = new Map<string, DurableObjectId>();
const credentials = new WeakMap<Account, string>();

/**
 * Names what an object serves: the cluster, the accounts and one account's credential. A change of any of
 * them leads to new objects, so no request meets an old connection. Both sides of a call compute it and
 * compare.
 */
export function generationOf(config: Config, account: Account): string {
  return `${config.generation.slice(0, 16)}-${credentialTag(config.environment, account)}`;
}

/**
 * A tag that changes with the secret. Operators can read the names of objects, so the tag must not help to
 * find the secret. It has 16 bits, too few to confirm a guess. One change in 65,536 keeps the tag; then the
 * objects stay until the platform restarts them with the new secret.
 */
function credentialTag(environment: string, account: Account): string {
  const known = credentials.get(account);
  if (known !== undefined) return known;
  const { name, user, credential } = account;
  const secret = "password" in credential ? credential.password : tokenKey(credential);
  const mac = createHmac("sha256", secret).update(JSON.stringify([environment, name, user]));
  const tag = mac.digest("hex").slice(0, 4);
  credentials.set(account, tag);
  return tag;
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

/** @returns the object of one shard. Its first request decides where it lives */
export function stubOf(env: Bindings, config: Config, account: Account, shard: number) {
  const { location } = config.cluster;
  const name = nameOf(config, account, shard);
  const id = ids.get(name) ?? env.POOL.idFromName(name);
  ids.set(name, id);
  return env.POOL.get(id, location === undefined ? {} : { locationHint: location });
}
