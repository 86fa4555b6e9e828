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

/** A connection after the login: in its resting state, with the account's proven identity. */
export interface Login {
  connection: Connection;
  wire: ProtocolGuard;
  identity: Identity;
}

/** One attempt to log in: the host and the time limit. */
export interface Attempt {
  host: Host;
  timeoutMs: number;
  /** Receives the end of the socket, as in `Link.dial`. */
  opened?: (gone: Promise<void>) => void;
  /** Receives the meaning of each server error after the login. */
  refused?: (kind: ServerErrorKind) => void;
  /** The timers of the session's owner. Without them, the platform's, for a session of one request. */
  timers?: Timers;
}

/** @returns the attempt for the cluster's first host, if there is no other choice */
export function firstAttempt({ hosts: [host], connect_timeout_ms }: Cluster): Attempt {
  if (!host) throw new TidegateError("misconfigured");
  return { host, timeoutMs: connect_timeout_ms };
}

/**
 * Dials, starts TLS, logs in, sets the resting state and proves the identity, within the attempt's time.
 * @throws TidegateError with a code that begins with `database_`
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
    // Closing the wire makes every step below fail, whatever the server does.
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

/** @param wire undefined if the server has sent no greeting */
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

/** @returns the account's credential for a login now. @throws TidegateError `misconfigured` */
export async function credentialOf({ user, credential, plugin, cleartext }: Account): Promise<Credential> {
  if ("password" in credential) return { password: credential.password, plugin, cleartext };
  if ("binding" in credential) throw new TidegateError("misconfigured");
  return await tokenCredential(credential.token, user);
}

/**
 * @returns a new token. It is sent in the clear, inside verified TLS
 * @throws TidegateError `misconfigured` for a key that cannot sign
 */
export async function tokenCredential(token: TokenCredential, user: string): Promise<Credential> {
  const password = await mintAccountToken(token, user, new Date()).catch(() => {
    // The library's message may quote the key.
    const reason = `the key of ${user}'s token cannot sign with ${token.algorithm}`;
    throw new TidegateError("misconfigured", {}, reason);
  });
  return { password, plugin: "mysql_clear_password", cleartext: true };
}

/**
 * An error of the driver or the wire: it is about the server or the network. Any other error in a login is
 * the gateway's own failure.
 */
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

/** Logs in when the wire shows the greeting. @throws the errors that `openingError` takes */
export async function greet(wire: Wire, options: ConnectionOptions) {
  return await new Promise<{ connection: Connection; serverVersion: string }>((resolve, reject) => {
    const connection = createConnection(wire, options);
    connection.once("connect", ({ serverVersion }: { serverVersion: string }) =>
      resolve({ connection, serverVersion }),
    );
    connection.on("error", (error: ServerError) => reject(new Reported(error)));
    // After a packet out of order, an answer may belong to another command.
    connection.on("warn", (warning: Error) => wire.destroy(warning));
    wire.once("close", () => reject(closedDuringLogin()));
    wire.start();
  });
}

/**
 * Sends role, resting state and proof in one round trip. If the dialect asks for the account's privileges,
 * they come before the proof.
 */
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
  // The proof comes last, so FOUND_ROWS() is the same for the first caller as after a restore.
  const steps = [...state, ...privileges, loginProofQuery(dialect)].map((sql) => query(connection, sql));
  // A step does not hear of a lost connection, so it would wait forever.
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

/** @param rows the answer to the proof */
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
    // MariaDB 12 uses words here: NO_LOCK, NO_LOCK_NO_ADMIN.
    readOnly: readOnly !== undefined && readOnly !== null && !["0", "OFF"].includes(String(readOnly)),
  };
}

/**
 * @param showsToken whether the account logs in with a token instead of a password
 * @returns the caller's error for a failed connection. `internal` is a failure of the gateway itself, which
 *   says nothing about the host
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
    // The message may quote a key or a password.
    if (isOurs(cause, root)) return new TidegateError("internal", {}, `in a login: ${nameOf(root)}`);
    return loginError(error, showsToken);
  }
  if (root.step !== "tls") return unreachable(root.message);
  return new TidegateError("database_tls_failed", { retryAfter: limits.retryAfterSeconds }, root.message);
}

/**
 * Whether the gateway itself failed. If our code runs inside the driver, the driver reports such a failure
 * too. The driver's own TypeErrors and RangeErrors, for bytes of the server that it cannot read, have a code.
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
