import type { Account } from "../../../config/config.ts";
import type { Cluster, Engine } from "../../../config/schema.ts";
import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { collationDifference } from "./collation.ts";

/** The session's identity, as the server returned it for the proof query. */
export interface Identity {
  /** USER(): the login's user and host. */
  user: string;
  /** CURRENT_USER(): the account whose privileges apply. */
  currentUser: string;
  /** @@proxy_user: the login that was mapped, or null. */
  proxyUser: string | null;
  currentRole: string | null;
  database: string | null;
  /** A text, because TiDB's id has 63 bits. With a router between, it may change with each restore. */
  connectionId: string;
  serverId: string;
  version: string;
  /** The session's collation. It begins with utf8mb4_. */
  collation: string;
  /**
   * When the server started, in seconds since 1970 by its own clock. Read by the login's proof; not on TiDB.
   */
  serverStart?: number | undefined;
  /** The largest packet that the server accepts, in bytes, if it was asked. */
  packetBytes?: number;
  /** Whether the server is read-only. TiDB is not asked: only a whole TiDB cluster is read-only. */
  readOnly?: boolean;
}

/** @returns whether a proven session is unchanged in identity, role, database and collation */
export function isSameIdentity(one: Identity, other: Identity): boolean {
  const parts = ["user", "currentUser", "proxyUser", "currentRole", "database", "collation"] as const;
  return parts.every((part) => one[part] === other[part]);
}

/**
 * @returns whether both are the same connection to the same server. With a router between, a restore may find
 *   another connection
 */
export function isSameConnection(one: Identity, other: Identity): boolean {
  return one.connectionId === other.connectionId && one.serverId === other.serverId;
}

/**
 * Checks the engine in the greeting before any statement: another engine might not understand the statements.
 * @throws TidegateError `database_identity_wrong`
 */
export function verifyEngine(version: string, cluster: Cluster): void {
  const wrong = difference("engine", cluster.engine, engineOf(version));
  if (wrong !== undefined) throw wrongIdentity(wrong);
}

/**
 * MySQL's proxy mapping fails open: if the flag is off, the grant is missing or the proxied account is
 * dropped, the login keeps its own account. So every difference from the configuration ends the connection.
 * @throws TidegateError `database_identity_wrong`; its operator text has the expected and the found value
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

/** @returns the engine in a server's version text */
export function engineOf(version: string): Engine {
  if (/mariadb/i.test(version)) return "mariadb";
  if (/tidb/i.test(version)) return "tidb";
  return "mysql";
}

/**
 * The host part has no @, so the last @ ends the user part. The user part is empty for an anonymous account.
 */
function userPart(account: string): string {
  return account.slice(0, account.lastIndexOf("@"));
}

function plainRole(role: string): string {
  return role.replaceAll("`", "").replace(/@%$/, "");
}
