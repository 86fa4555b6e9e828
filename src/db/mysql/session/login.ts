import type { Account, TokenCredential } from "../../../config/config.ts";
import type { Cluster, Host } from "../../../config/schema.ts";
import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Timers } from "../../../timers.ts";
import type { Link, Wire } from "../../links/link.ts";
import { LinkError } from "../../links/link.ts";
import { mintAccountToken } from "../auth-plugins/account-token.ts";
import type { Credential } from "../auth-plugins/authentication.ts";
import { PluginRefusedError, ResponseError } from "../auth-plugins/authentication.ts";
import { Pipeline } from "../driver/command-pipeline.ts";
import type { Row } from "../driver/commands.ts";
import { query } from "../driver/commands.ts";
import type { Connection, ConnectionOptions, ServerError } from "../driver/driver.ts";
import { createConnection } from "../driver/driver.ts";
import { dialectOf } from "../engines/dialect-of.ts";
import { loginError } from "../engines/errors.ts";
import type { Identity } from "../engines/identity.ts";
import { verifyEngine, verifyIdentity } from "../engines/identity.ts";
import { privilegeQuery, verifyReadsOnly } from "../engines/privileges.ts";
import { loginProofQuery } from "../engines/proof.ts";
import type { ServerErrorKind } from "../engines/server-errors.ts";
import { kindOf } from "../engines/server-errors.ts";
import { restingState, setRole } from "../engines/session-state.ts";
import { ProtocolGuard } from "../guard/protocol-guard.ts";
import type { Refusal } from "../guard/refusal.ts";
import { ProtocolError } from "../guard/reply-tracker.ts";

/** A connection that is logged in, in its resting state, and proven to be the account's identity. */
export interface Login {
  connection: Connection;
  wire: ProtocolGuard;
  identity: Identity;
}

/** One attempt at a login: to which of the cluster's hosts, and for how long. */
export interface Attempt {
  host: Host;
  timeoutMs: number;
  /** Told of the socket, as `Link.dial` does. */
  opened?: (gone: Promise<void>) => void;
  /** Told what each error of the server's means, from the login's end on. */
  refused?: (kind: ServerErrorKind) => void;
  /** Those of what the session lives in; without it the platform's, for a session of one request. */
  timers?: Timers;
}

/** @returns the attempt that the cluster's first host gets when there is nothing to choose */
export function firstAttempt({ hosts: [host], connect_timeout_ms }: Cluster): Attempt {
  if (!host) throw new TidegateError("misconfigured");
  return { host, timeoutMs: connect_timeout_ms };
}

/**
 * Dials, secures, logs in, takes the resting state and proves the identity, within the attempt's time.
 * @throws TidegateError of the codes that begin with `database_`
 */
export async function logIn(
  link: Link,
  cluster: Cluster,
  account: Account,
  { host, timeoutMs, opened, refused }: Attempt = firstAttempt(cluster),
): Promise<Login> {
  const deadline = new AbortController();
  let wire: ProtocolGuard | undefined;
  const timer = setTimeout(() => {
    deadline.abort();
    // Whatever the server is doing: closing the wire makes every step below fail.
    wire?.destroy();
  }, timeoutMs);
  try {
    wire = new ProtocolGuard(await link.dial(host, deadline.signal, opened));
    const { connection, serverVersion } = await greet(wire, {
      hostname: host.hostname,
      user: account.user,
      credential: await credentialOf(account),
      database: cluster.database,
    });
    verifyEngine(serverVersion, cluster);
    const identity = await provenIdentity(connection, wire, cluster, account);
    wire.on("refusal", ({ errno, message }: Refusal) => refused?.(kindOf(errno, message)));
    return { connection, wire, identity };
  } catch (cause) {
    wire?.destroy();
    if (deadline.signal.aborted) throw late(host, timeoutMs, wire);
    throw openingError(cause, "token" in account.credential);
  } finally {
    clearTimeout(timer);
  }
}

/** @param wire undefined when the server has not greeted */
function late({ hostname, port }: Host, timeoutMs: number, wire: Wire | undefined): TidegateError {
  const [step, check] = !wire
    ? ["greet", "the address, the firewall, and that a MySQL server listens there"]
    : wire.secured
      ? ["finish the login", "its load and its error log"]
      : ["finish the TLS handshake", "its load, and that nothing between holds back large packets (MTU)"];
  return unreachable(
    `${hostname}:${port} did not ${step} within ${Math.round(timeoutMs)} ms; check ${check}`,
  );
}

/** @returns what an account logs in with now. @throws TidegateError `misconfigured` */
export async function credentialOf({ user, credential, plugin, cleartext }: Account): Promise<Credential> {
  if ("password" in credential) return { password: credential.password, plugin, cleartext };
  if ("binding" in credential) throw new TidegateError("misconfigured");
  return await tokenCredential(credential.token, user);
}

/**
 * @returns a token that was made just now, which is sent as it is, inside verified TLS
 * @throws TidegateError `misconfigured` for a key that cannot sign
 */
export async function tokenCredential(token: TokenCredential, user: string): Promise<Credential> {
  const password = await mintAccountToken(token, user, new Date()).catch(() => {
    // The library's words may quote the key.
    const reason = `the key of ${user}'s token cannot sign with ${token.algorithm}`;
    throw new TidegateError("misconfigured", {}, reason);
  });
  return { password, plugin: "mysql_clear_password", cleartext: true };
}

/** What the driver or the wire says of the server and of the way to it. Anything else thrown in a login is our own failure. */
class Reported extends Error {
  readonly error: ServerError;

  constructor(error: ServerError) {
    super(error.message);
    this.error = error;
  }
}

function report(error: ServerError): never {
  throw new Reported(error);
}

function closedDuringLogin(): Reported {
  return new Reported(new Error("the server closed the connection during the login"));
}

/** Logs in as soon as the wire shows the greeting. @throws what `openingError` takes */
export async function greet(wire: Wire, options: ConnectionOptions) {
  return await new Promise<{ connection: Connection; serverVersion: string }>((resolve, reject) => {
    const connection = createConnection(wire, options);
    connection.once("connect", ({ serverVersion }: { serverVersion: string }) =>
      resolve({ connection, serverVersion }),
    );
    connection.on("error", (error: ServerError) => reject(new Reported(error)));
    // A packet out of order means that an answer may belong to another question.
    connection.on("warn", (warning: Error) => wire.destroy(warning));
    wire.once("close", () => reject(closedDuringLogin()));
    wire.start();
  });
}

/** Role, resting state and proof, in one round trip; where they are asked for, the account's privileges before the proof. */
async function provenIdentity(
  connection: Connection,
  wire: Wire,
  cluster: Cluster,
  account: Account,
): Promise<Identity> {
  const dialect = dialectOf(cluster);
  const state = [
    ...(account.role === undefined ? [] : [setRole(dialect, account.role)]),
    restingState(dialect, account),
  ];
  const privileges = dialect.asksPrivileges ? [privilegeQuery] : [];
  // The proof comes last: FOUND_ROWS() shows the first caller of a session what the next one sees after a restore.
  const steps = [...state, ...privileges, loginProofQuery(dialect)].map((sql) => query(connection, sql));
  // A step hears nothing of a connection that is lost, and would be waited for without end.
  const gone = Promise.withResolvers<never>();
  gone.promise.catch(() => {});
  connection.once("error", (error: ServerError) => gone.reject(new Reported(error)));
  wire.once("close", () => gone.reject(closedDuringLogin()));
  connection.addCommand(new Pipeline(steps.map(({ command }) => command)));
  const replies: Row[][] = [];
  for (const { reply } of steps) replies.push(await Promise.race([reply.catch(report), gone.promise]));
  const identity = identityOf(replies.at(-1) ?? []);
  verifyIdentity(identity, account, cluster);
  if (account.readsByPrivilege) verifyReadsOnly(replies[state.length] ?? []);
  return identity;
}

/** @param rows the proof's answer */
export function identityOf(rows: readonly Row[]): Identity {
  const row = rows[0] ?? {};
  const [user, currentUser, proxyUser, currentRole, current, connectionId, serverId, version, collation] =
    Object.values(row);
  const { packet, readonly: readOnly, server_start: serverStart } = row;
  return {
    user: String(user),
    currentUser: String(currentUser),
    proxyUser: proxyUser ?? null,
    currentRole: currentRole ?? null,
    database: current ?? null,
    connectionId: String(connectionId),
    serverId: String(serverId),
    version: String(version),
    collation: String(collation),
    serverStart: serverStart == null ? undefined : Number(serverStart),
    packetBytes: Number(packet) || Number.POSITIVE_INFINITY,
    // MariaDB 12 has words for it: NO_LOCK, NO_LOCK_NO_ADMIN.
    readOnly: readOnly !== undefined && readOnly !== null && !["0", "OFF"].includes(String(readOnly)),
  };
}

/**
 * @param showsToken whether the account logs in with a token instead of a password
 * @returns what the caller gets for a connection that could not be made; `internal` for a failure of the gateway itself,
 *   which says nothing about the host
 */
export function openingError(cause: unknown, showsToken = false): TidegateError {
  if (cause instanceof TidegateError) return cause;
  const error = (cause instanceof Reported ? cause.error : cause) as ServerError;
  const root = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (root instanceof PluginRefusedError) {
    const retryAfter = limits.retryAfterSeconds;
    return new TidegateError("database_auth_unsupported", { retryAfter }, root.message);
  }
  if (!(root instanceof LinkError)) {
    // The words may quote a key or a password.
    if (isOurs(cause, root)) return new TidegateError("internal", {}, `in a login: ${nameOf(root)}`);
    return loginError(error, showsToken);
  }
  if (root.step !== "tls") return unreachable(root.message);
  return new TidegateError("database_tls_failed", { retryAfter: limits.retryAfterSeconds }, root.message);
}

/**
 * Whether the gateway itself failed. The driver reports that too, where our code runs inside of it. Its own TypeErrors and
 * RangeErrors over bytes of the server that it cannot read have a code.
 */
function isOurs(cause: unknown, root: unknown): boolean {
  if (!(cause instanceof Reported)) return true;
  if (root instanceof ResponseError) return true;
  const { errno, code } = cause.error as ServerError & { code?: string };
  if (errno !== undefined || root instanceof ProtocolError || nameOf(root) === "Error") return false;
  return code === undefined || code === "HANDSHAKE_SSL_ERROR";
}

function nameOf(cause: unknown): string {
  return cause instanceof Error ? cause.name : typeof cause;
}

function unreachable(reason: string): TidegateError {
  return new TidegateError("database_unreachable", { retryAfter: limits.retryAfterSeconds }, reason);
}
