import type { Account } from "../../../config/config.ts";
import type { Cluster, Engine } from "../../../config/schema.ts";
import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { collationDifference } from "./collation.ts";

/** Who the server says we are, as the proof query returned it. */
export interface Identity {
  /** USER(): the login. */
  user: string;
  /** CURRENT_USER(): the account whose privileges count. */
  currentUser: string;
  /** @@proxy_user: the login that was mapped, or null. */
  proxyUser: string | null;
  currentRole: string | null;
  database: string | null;
  /** Text, since TiDB's has 63 bits. With a router between, it may be another one after each restore. */
  connectionId: string;
  serverId: string;
  version: string;
  /** Of the session; it begins with utf8mb4_. */
  collation: string;
  /** When the server started, in seconds since 1970 by its own clock, as the login's proof read it; not on TiDB. */
  serverStart?: number | undefined;
  /** How large a packet the server takes, where it was asked. */
  packetBytes?: number;
  /** Whether it takes no writes. TiDB is not asked: it is read-only as a whole cluster. */
  readOnly?: boolean;
}

/** @returns whether a session that was proven once is still the same: identity, role, database, collation */
export function isSameIdentity(one: Identity, other: Identity): boolean {
  const parts = ["user", "currentUser", "proxyUser", "currentRole", "database", "collation"] as const;
  return parts.every((part) => one[part] === other[part]);
}

/** @returns whether both are the same connection to the same server: with a router between, a restore may find another */
export function isSameConnection(one: Identity, other: Identity): boolean {
  return one.connectionId === other.connectionId && one.serverId === other.serverId;
}

/**
 * Judges the greeting, before a statement is sent that another engine would not understand.
 * @throws TidegateError `database_identity_wrong`
 */
export function verifyEngine(version: string, cluster: Cluster): void {
  const wrong = difference("engine", cluster.engine, engineOf(version));
  if (wrong !== undefined) throw wrongIdentity(wrong);
}

/**
 * MySQL's proxy mapping fails open: with the flag off, the grant missing or the proxied account dropped, the
 * login stays itself. So every difference from the configuration ends the connection.
 * @throws TidegateError `database_identity_wrong` whose operator text says expected and found
 */
export function verifyIdentity(identity: Identity, account: Account, cluster: Cluster): void {
  const differences = [
    difference("engine", cluster.engine, engineOf(identity.version)),
    difference("USER()", account.user, userPart(identity.user)),
    account.acts_as === undefined
      ? difference("CURRENT_USER()", `${account.user}@…`, `${userPart(identity.currentUser)}@…`)
      : difference("CURRENT_USER()", account.acts_as, identity.currentUser),
    difference("proxied", String(account.acts_as !== undefined), String(identity.proxyUser !== null)),
    difference("DATABASE()", cluster.database, identity.database ?? "none"),
    account.role === undefined
      ? undefined
      : difference("CURRENT_ROLE()", plainRole(account.role), plainRole(identity.currentRole ?? "NONE")),
    collationDifference(account, identity.collation),
  ].filter((text) => text !== undefined);
  if (differences.length === 0) return;
  throw wrongIdentity(differences.join("; "));
}

function wrongIdentity(reason: string): TidegateError {
  const retryAfter = limits.identityRetryAfterSeconds;
  return new TidegateError("database_identity_wrong", { retryAfter }, reason);
}

function difference(what: string, expected: string, found: string): string | undefined {
  return expected === found ? undefined : `${what} must be "${expected}" but is "${found}"`;
}

/** @returns which engine a server says that it is */
export function engineOf(version: string): Engine {
  if (/mariadb/i.test(version)) return "mariadb";
  if (/tidb/i.test(version)) return "tidb";
  return "mysql";
}

/** The host part may hold anything but an @; the user part may not be empty (an anonymous account). */
function userPart(account: string): string {
  return account.slice(0, account.lastIndexOf("@"));
}

function plainRole(role: string): string {
  return role.replaceAll("`", "").replace(/@%$/, "");
}
