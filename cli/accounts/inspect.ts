import type { Account } from "../../src/config/config.ts";
import type { Cluster } from "../../src/config/schema.ts";
import type { Link } from "../../src/db/links/link.ts";
import type { Credential } from "../../src/db/mysql/auth-plugins/authentication.ts";
import type { Connection } from "../../src/db/mysql/driver/driver.ts";
import { command, createConnection } from "../../src/db/mysql/driver/driver.ts";
import { dialectOf } from "../../src/db/mysql/engines/dialect-of.ts";
import type { Identity } from "../../src/db/mysql/engines/identity.ts";
import { proofQuery } from "../../src/db/mysql/engines/proof.ts";
import { setRole } from "../../src/db/mysql/engines/session-state.ts";
import { credentialOf, logIn } from "../../src/db/mysql/session/login.ts";
import { TidegateError } from "../../src/errors.ts";

/** Logs in as the gateway does, and asks the server about the account. */

/** What one account's own session can see. */
export interface Seen {
  user: string;
  currentUser: string;
  /** 'user'@'host' of the login, if it was mapped. */
  proxyUser: string | null;
  currentRole: string | null;
  version: string;
  /** SHOW GRANTS with the account's role. */
  grants: string[];
  /** SHOW GRANTS without a role. */
  own: string[];
  /** SHOW CREATE USER of the identity; undefined if the server does not show it. */
  createUser: string | undefined;
}

/** The server's answer for one account. */
export interface Inspection {
  /** Why the gateway would refuse the login; undefined if it would accept it. */
  refused: TidegateError | undefined;
  /** Undefined if not even a login was possible. */
  seen: Seen | undefined;
}

/** What only an administrator can see: the account that logs in, before any mapping. */
export interface LoginSeen {
  grants: string[];
  createUser: string | undefined;
}

/** One account's login, the gateway's verdict on it and what its session shows. */
export async function inspect(link: Link, cluster: Cluster, account: Account): Promise<Inspection> {
  try {
    const { connection, identity } = await logIn(link, cluster, account);
    return { refused: undefined, seen: await look(connection, identity, cluster) };
  } catch (cause) {
    if (!(cause instanceof TidegateError)) throw cause;
    // The login succeeded with the wrong identity. The operator wants to see this identity.
    const wrong = cause.code === "database_identity_wrong";
    return { refused: cause, seen: wrong ? await lookAgain(link, cluster, account) : undefined };
  }
}

async function lookAgain(link: Link, cluster: Cluster, account: Account): Promise<Seen | undefined> {
  try {
    const connection = await open(link, cluster, account.user, await credentialOf(account));
    const rows = (await command(connection, proofQuery(dialectOf(cluster)))) as Record<
      string,
      string | null
    >[];
    const [user, currentUser, proxyUser, currentRole, , , , version] = Object.values(rows[0] ?? {});
    const identity = {
      user: String(user),
      currentUser: String(currentUser),
      proxyUser: proxyUser ?? null,
      currentRole: currentRole ?? null,
      version: String(version),
    };
    return await look(connection, identity, cluster);
  } catch {
    // The server does not understand the question, for example because it is another engine. The report
    // already has the refusal.
    return undefined;
  }
}

async function look(
  connection: Connection,
  {
    user,
    currentUser,
    proxyUser,
    currentRole,
    version,
  }: Omit<Identity, "database" | "connectionId" | "serverId" | "collation">,
  cluster: Cluster,
): Promise<Seen> {
  try {
    const grants = await column(connection, "SHOW GRANTS");
    await command(connection, setRole(dialectOf(cluster), null));
    const own = await column(connection, "SHOW GRANTS");
    const createUser = await firstOrNone(connection, "SHOW CREATE USER CURRENT_USER()");
    return { user, currentUser, proxyUser, currentRole, version, grants, own, createUser };
  } finally {
    connection.end(() => {});
  }
}

/** A connection of the administrator, to ask about other accounts. */
export async function openAdministrator(
  link: Link,
  cluster: Cluster,
  { user, password }: { user: string; password: string },
): Promise<{ see(login: string): Promise<LoginSeen | undefined>; close(): void }> {
  const connection = await open(link, cluster, user, { password, plugin: undefined, cleartext: false });
  return {
    see: async (login) => {
      try {
        const grants = await column(connection, `SHOW GRANTS FOR ${login}`);
        return { grants, createUser: await firstOrNone(connection, `SHOW CREATE USER ${login}`) };
      } catch {
        return undefined;
      }
    },
    close: () => connection.end(() => {}),
  };
}

async function open(link: Link, cluster: Cluster, user: string, credential: Credential): Promise<Connection> {
  const [host] = cluster.hosts;
  if (!host) throw new TidegateError("misconfigured");
  const wire = await link.dial(host, AbortSignal.timeout(cluster.connect_timeout_ms));
  const timer = setTimeout(() => wire.destroy(new Error("no login in time")), cluster.connect_timeout_ms);
  try {
    return await new Promise<Connection>((resolve, reject) => {
      const connection = createConnection(wire, {
        hostname: host.hostname,
        user,
        credential,
        database: cluster.database,
      });
      connection.once("connect", () => resolve(connection));
      connection.on("error", reject);
      wire.once("close", () => reject(new Error("the server closed the connection during the login")));
      wire.start();
    });
  } finally {
    clearTimeout(timer);
  }
}

/** @returns the first column of an answer */
async function column(connection: Connection, sql: string): Promise<string[]> {
  const rows = (await command(connection, sql)) as Record<string, unknown>[];
  return rows.map((row) => String(Object.values(row)[0]));
}

async function firstOrNone(connection: Connection, sql: string): Promise<string | undefined> {
  try {
    return (await column(connection, sql))[0];
  } catch {
    return undefined;
  }
}
