import type { Account, Cluster } from "../../config.ts";
import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Link, Wire } from "../links/link.ts";
import { LinkError } from "../links/link.ts";
import type { Identity } from "./dialect.ts";
import { proofQuery, restingState, setRole, verifyEngine, verifyIdentity } from "./dialect.ts";
import type { Connection, ServerError } from "./driver.ts";
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
 * @throws TidegateError `database_unreachable`, `database_tls_failed`, `database_login_failed`, `database_identity_wrong`
 */
export async function logIn(link: Link, cluster: Cluster, account: Account): Promise<Login> {
  const host = cluster.hosts[0];
  if (!host) throw new TidegateError("misconfigured");
  let wire: Wire | undefined;
  let late = false;
  const opening = (async () => {
    wire = await link.dial(host);
    if (late) {
      wire.destroy();
      throw new Error("the deadline has passed");
    }
    const { connection, serverVersion } = await greet(wire, host.hostname, cluster.database, account);
    verifyEngine(serverVersion, cluster);
    return { connection, wire, identity: await provenIdentity(connection, cluster, account) };
  })();
  try {
    return await within(opening, cluster.connect_timeout_ms);
  } catch (cause) {
    late = true;
    wire?.destroy();
    throw openingError(cause);
  }
}

async function greet(wire: Wire, hostname: string, database: string, account: Account) {
  const { user, password } = account;
  const options = {
    hostname,
    user,
    password,
    database,
    preparedStatements: limits.preparedStatementsPerConnection,
  };
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
  const rows = (await command(connection, proofQuery(engine))) as Record<string, string | null>[];
  const [user, currentUser, proxyUser, currentRole, current, connectionId, serverId, version] = Object.values(
    rows[0] ?? {},
  );
  const identity: Identity = {
    user: String(user),
    currentUser: String(currentUser),
    proxyUser: proxyUser ?? null,
    currentRole: currentRole ?? null,
    database: current ?? null,
    connectionId: String(connectionId),
    serverId: String(serverId),
    version: String(version),
  };
  verifyIdentity(identity, account, cluster);
  return identity;
}

function openingError(cause: unknown): TidegateError {
  if (cause instanceof TidegateError) return cause;
  const link = cause instanceof Error && cause.cause instanceof LinkError ? cause.cause : cause;
  if (link instanceof LinkError) {
    const code = link.step === "tls" ? "database_tls_failed" : "database_unreachable";
    return new TidegateError(code, { retryAfter: limits.retryAfterSeconds }, link.message);
  }
  return loginError(cause as ServerError);
}

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TidegateError("database_unreachable", {}, `no login within ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}
