import type { Account } from "../../config/config.ts";
import type { Cluster } from "../../config/schema.ts";
import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Link, Wire } from "../links/link.ts";
import { LinkError } from "../links/link.ts";
import { mintAccountToken } from "./account-token.ts";
import type { Credential } from "./authentication.ts";
import { PluginRefusedError } from "./authentication.ts";
import type { Identity } from "./dialect.ts";
import { proofQuery, restingState, setRole, verifyEngine, verifyIdentity } from "./dialect.ts";
import type { Connection, ConnectionOptions, ServerError } from "./driver.ts";
import { command, createConnection } from "./driver.ts";
import { loginError } from "./errors.ts";

/** A connection that is logged in, in its resting state, and proven to be the account's identity. */
export interface Login {
  connection: Connection;
  wire: Wire;
  identity: Identity;
}

/**
 * Dials, secures, logs in, takes the resting state and proves the identity, within the cluster's time.
 * @throws TidegateError of the codes that begin with `database_`
 */
export async function logIn(link: Link, cluster: Cluster, account: Account): Promise<Login> {
  const host = cluster.hosts[0];
  if (!host) throw new TidegateError("misconfigured");
  const deadline = new AbortController();
  let wire: Wire | undefined;
  const timer = setTimeout(() => {
    deadline.abort();
    // Whatever the server is doing: closing the wire makes every step below fail.
    wire?.destroy();
  }, cluster.connect_timeout_ms);
  try {
    wire = await link.dial(host, deadline.signal);
    const { connection, serverVersion } = await greet(wire, {
      hostname: host.hostname,
      user: account.user,
      credential: await credentialOf(account),
      database: cluster.database,
      preparedStatements: limits.preparedStatementsPerConnection,
    });
    verifyEngine(serverVersion, cluster);
    const identity = await provenIdentity(connection, cluster, account);
    return { connection, wire, identity };
  } catch (cause) {
    wire?.destroy();
    if (deadline.signal.aborted) throw unreachable(`no login within ${cluster.connect_timeout_ms} ms`);
    throw openingError(cause);
  } finally {
    clearTimeout(timer);
  }
}

async function credentialOf({ user, credential, plugin, cleartext }: Account): Promise<Credential> {
  if ("password" in credential) return { password: credential.password, plugin, cleartext };
  if ("binding" in credential) throw new TidegateError("misconfigured");
  const password = await mintAccountToken(credential.token, user, new Date());
  return { password, plugin: "mysql_clear_password", cleartext: true };
}

/** Logs in as soon as the wire shows the greeting. @throws what `openingError` takes */
export async function greet(wire: Wire, options: ConnectionOptions) {
  return await new Promise<{ connection: Connection; serverVersion: string }>((resolve, reject) => {
    const connection = createConnection(wire, options);
    connection.once("connect", ({ serverVersion }: { serverVersion: string }) =>
      resolve({ connection, serverVersion }),
    );
    connection.on("error", reject);
    // A packet out of order means that an answer may belong to another question.
    connection.on("warn", (warning: Error) => wire.destroy(warning));
    wire.once("close", () => reject(new Error("the server closed the connection during the login")));
    wire.start();
  });
}

async function provenIdentity(connection: Connection, cluster: Cluster, account: Account): Promise<Identity> {
  const { engine } = cluster;
  if (account.role !== undefined) await command(connection, setRole(engine, account.role));
  await command(connection, restingState(engine));
  const identity = await readIdentity(connection, engine);
  verifyIdentity(identity, account, cluster);
  return identity;
}

/** Asks the server who we are, in one round trip. @throws ServerError */
export async function readIdentity(connection: Connection, engine: Cluster["engine"]): Promise<Identity> {
  const rows = (await command(connection, proofQuery(engine))) as Record<string, string | null>[];
  const [user, currentUser, proxyUser, currentRole, current, connectionId, serverId, version] = Object.values(
    rows[0] ?? {},
  );
  return {
    user: String(user),
    currentUser: String(currentUser),
    proxyUser: proxyUser ?? null,
    currentRole: currentRole ?? null,
    database: current ?? null,
    connectionId: String(connectionId),
    serverId: String(serverId),
    version: String(version),
  };
}

/** @returns what the caller gets for a connection that could not be made */
export function openingError(cause: unknown): TidegateError {
  if (cause instanceof TidegateError) return cause;
  const link = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  if (link instanceof PluginRefusedError) {
    const retryAfter = limits.retryAfterSeconds;
    return new TidegateError("database_auth_unsupported", { retryAfter }, link.message);
  }
  if (!(link instanceof LinkError)) return loginError(cause as ServerError);
  if (link.step !== "tls") return unreachable(link.message);
  return new TidegateError("database_tls_failed", { retryAfter: limits.retryAfterSeconds }, link.message);
}

function unreachable(reason: string): TidegateError {
  return new TidegateError("database_unreachable", { retryAfter: limits.retryAfterSeconds }, reason);
}
