import { createHmac } from "node:crypto";
import type { Bindings } from "../../../application.ts";
import type { Account, Config } from "../../../config/config.ts";
import { protocolVersion } from "./protocol.ts";

/** Ids are made once per isolate and shard: making one hashes its name. */
const ids = new Map<string, DurableObjectId>();
const credentials = new WeakMap<Account, string>();

/**
 * What an object serves: a cluster, accounts and one account's credential. Whatever of it changes has objects of its
 * own, so nobody meets an old connection. Both sides of a call know it by themselves, and compare.
 */
export function generationOf(config: Config, account: Account): string {
  return `${config.generation.slice(0, 16)}-${credentialTag(config.environment, account)}`;
}

/**
 * Differs when the secret does. Names of objects can be read by whoever operates them, so this must not be of use for
 * finding the secret: 16 bits are too few to recognize a guess by. Of 65,536 changes one goes unnoticed; then the
 * objects stay, and take the new secret when the platform restarts them.
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

/** @returns the object of one shard; where it lives is decided by its first request */
export function stubOf(env: Bindings, config: Config, account: Account, shard: number) {
  const { location } = config.cluster;
  const name = nameOf(config, account, shard);
  const id = ids.get(name) ?? env.POOL.idFromName(name);
  ids.set(name, id);
  return env.POOL.get(id, location === undefined ? {} : { locationHint: location });
}
