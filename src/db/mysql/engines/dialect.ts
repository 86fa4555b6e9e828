import type { Account } from "../../../config/config.ts";
import type { Cluster } from "../../../config/schema.ts";
import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { collationDifference, setNames } from "./collation.ts";

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

type Engine = Cluster["engine"];

/**
 * One proof, one round trip. Column order is Identity's.
 * MySQL: https://dev.mysql.com/doc/refman/9.7/en/proxy-users.html; TiDB has no proxy users.
 */
const proofs: Record<Engine, string> = {
  mysql:
    "SELECT USER(), CURRENT_USER(), @@proxy_user, CURRENT_ROLE(), DATABASE(), CAST(CONNECTION_ID() AS CHAR), @@server_uuid, VERSION()",
  mariadb:
    "SELECT USER(), CURRENT_USER(), @@proxy_user, CURRENT_ROLE(), DATABASE(), CAST(CONNECTION_ID() AS CHAR), @@server_uid, VERSION()",
  tidb: "SELECT USER(), CURRENT_USER(), NULL, CURRENT_ROLE(), DATABASE(), CAST(CONNECTION_ID() AS CHAR), @@hostname, VERSION()",
};

export function proofQuery(engine: Engine): string {
  const readOnly = engine === "tidb" ? "NULL" : "@@GLOBAL.read_only";
  return `${proofs[engine]} AS version, @@SESSION.collation_connection AS collation, @@max_allowed_packet AS packet, ${readOnly} AS readonly`;
}

/**
 * The modes of an account that says none. The statement lexer relies on every account's: backslash escapes on, double
 * quotes are strings (src/config/session-rules.ts).
 */
export const sqlModes: Readonly<Record<Engine, string>> = {
  mysql:
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
  // MariaDB's ONLY_FULL_GROUP_BY knows no functional dependence and refuses common queries.
  mariadb: "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
  tidb: "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
};

const readOnly: Record<Engine, string> = {
  mysql: ", SESSION transaction_read_only = ON",
  mariadb: ", SESSION tx_read_only = ON",
  // TiDB has no such state; its read-only accounts must be so by privilege.
  tidb: "",
};

/**
 * The state every statement starts in. COM_RESET_CONNECTION puts session variables back to the server's
 * global values, the character set included, so all that matters is said again.
 */
export function restingState(engine: Engine, settings: SessionSettings): string {
  return sessionState(engine, settings) + timeLimit(engine, settings) + readOnly[engine];
}

/**
 * TiDB runs a statement on when its connection is gone, and no KILL is safe then: after a restart the id may be another
 * caller's. So TiDB itself ends a SELECT that was left running; its max_execution_time counts for nothing else. The time
 * is longer than every deadline of the account, so it never ends a statement that may still run.
 */
function timeLimit(engine: Engine, settings: SessionSettings): string {
  if (engine !== "tidb") return "";
  return `, SESSION max_execution_time = ${settings.longestDeadlineMs + limits.leftRunningMs}`;
}

/** What an account says of its sessions. No text has a character that ends a string. */
export type SessionSettings = Pick<Account, "sql_mode" | "time_zone" | "collation" | "longestDeadlineMs">;

/** @returns the modes, comma-separated */
export function sqlModeOf(engine: Engine, { sql_mode }: SessionSettings): string {
  return sql_mode?.join() ?? sqlModes[engine];
}

/** How every statement is read and answered, without what it may do. */
export function sessionState(engine: Engine, settings: SessionSettings): string {
  const { time_zone: zone } = settings;
  // With 0 for all, a server counts warnings and keeps none. MySQL lets no login without SESSION_VARIABLES_ADMIN change it
  // (1227): there they stay unread, and count as what they may be. TiDB keeps all.
  const kept = engine === "mariadb" ? `, SESSION max_error_count = ${limits.warnings}` : "";
  return `${setNames(engine, settings)}, SESSION time_zone = '${zone}', SESSION sql_mode = '${sqlModeOf(engine, settings)}'${kept}`;
}

/**
 * Lifts the read-only resting state until the restore. Not for the next transaction only: DDL commits before
 * it begins, and a procedure may have several transactions.
 */
export function writableState(engine: Engine): string | undefined {
  return engine === "tidb" ? undefined : "SET SESSION TRANSACTION READ WRITE";
}

/**
 * Asks for the first warnings of the statement before. TiDB's SHOW WARNINGS takes no LIMIT, and it may have 65,535 rows:
 * there a variable counts them. (A SET before the question would clear the warnings.) TiDB is asked for one
 * row more: a note on its plan may be among them, which is not told.
 * @param number no question before this one in the same session may have had it: the variable counts from null
 */
export function warningsQuestion(engine: Engine, number: number): string {
  if (engine !== "tidb") return `SHOW WARNINGS LIMIT ${limits.warnings}`;
  const counter = warningsCounter(number);
  return `SHOW WARNINGS WHERE (${counter} := IFNULL(${counter}, 0) + 1) <= ${limits.warnings + 1}`;
}

/** @returns the variable that counts the warnings of TiDB's question */
export function warningsCounter(number: number): string {
  return `@tidegate_warnings_${number}`;
}

/** @param role as configured (`name` or `name@host`), or as CURRENT_ROLE() printed it */
export function setRole(engine: Engine, role: string | null): string {
  if (role === null || role === "NONE" || role === "") return "SET ROLE NONE";
  if (role.startsWith("`")) return `SET ROLE ${role}`;
  const [user = "", host] = role.split("@");
  const quoted = host === undefined || engine === "mariadb" ? [user] : [user, host];
  return `SET ROLE ${quoted.map(quoteName).join("@")}`;
}

/** What a restore sends between COM_RESET_CONNECTION and the proof. */
export interface RestoreStatements {
  /** Before the hot statements are prepared again. */
  before: string[];
  after: string[];
}

/**
 * The reset itself keeps the role, the database, FOUND_ROWS(), MySQL's optimizer traces and MariaDB's profiles:
 * the last two hold the texts of statements. The proof, which comes last, is a SELECT of one row, which settles
 * FOUND_ROWS().
 * MariaDB lets a session go on with a role that was revoked: only SET ROLE refuses it (1959).
 * @param writes whether statements that write are to be prepared: a session that is read-only refuses even that
 * @param role the session's, as CURRENT_ROLE() printed it
 */
export function restoreStatements(
  engine: Engine,
  database: string,
  settings: SessionSettings,
  writes: boolean,
  role: string | null = null,
): RestoreStatements {
  const use = `USE ${quoteName(database)}`;
  const isLifted = writes && engine !== "tidb";
  const state = isLifted ? sessionState(engine, settings) : restingState(engine, settings);
  const after = isLifted ? ["SET SESSION TRANSACTION READ ONLY"] : [];
  switch (engine) {
    case "mysql":
      // Traces are dropped when this is set, to whatever value.
      return { before: [`${state}, SESSION optimizer_trace_offset = DEFAULT`, use], after };
    case "mariadb":
      // Profiles are dropped only while profiling is on, as the next statement ends: here the USE. The reset
      // shows it as off and goes on recording: it must be turned off in so many words.
      return {
        before: [
          ...(role === null ? [] : [setRole(engine, role)]),
          `${state}, SESSION profiling_history_size = 0, SESSION profiling = ON`,
          `BEGIN NOT ATOMIC EXECUTE IMMEDIATE ${quoteText(use)}; SET SESSION profiling = OFF, SESSION profiling_history_size = DEFAULT; END`,
        ],
        after,
      };
    case "tidb":
      return { before: [state, use], after };
  }
}

/**
 * @returns what asks whether preparing has run something, with 1 as its answer: on TiDB a view may hide what
 *   src/sql/prepared-ahead.ts looks for. LAST_INSERT_ID() cannot be put back to 0
 */
export function preparingRanQuery(engine: Engine): string | undefined {
  return engine === "tidb" ? "SELECT LAST_INSERT_ID() <> 0 OR RELEASE_ALL_LOCKS() <> 0 AS ran" : undefined;
}

/** @returns whether a session that was proven once is still the same: identity, role, database, collation */
export function isSameIdentity(one: Identity, other: Identity): boolean {
  const parts = ["user", "currentUser", "proxyUser", "currentRole", "database", "collation"] as const;
  return parts.every((part) => one[part] === other[part]);
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

/** For the resting state's sql_mode, in which a backslash escapes. */
function quoteText(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

function quoteName(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
