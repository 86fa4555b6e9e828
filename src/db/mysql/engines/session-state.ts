import type { Account } from "../../../config/config.ts";
import { quoteIdentifier } from "../../../sql/identifiers.ts";
import type { Dialect } from "./dialect.ts";

/** An account's settings for its sessions. No text contains a character that ends a string. */
export type SessionSettings = Pick<Account, "sql_mode" | "time_zone" | "collation" | "longestDeadlineMs">;

/** @returns the modes, comma-separated */
export function sqlModeOf(dialect: Dialect, { sql_mode }: SessionSettings): string {
  return sql_mode?.join() ?? dialect.defaultSqlMode;
}

/** @returns the beginning of a SET: character set and collation */
export function setNames(dialect: Dialect, { collation }: Pick<Account, "collation">): string {
  return collation === undefined
    ? `SET NAMES utf8mb4, SESSION collation_connection = ${dialect.databaseCollation}`
    : `SET NAMES utf8mb4 COLLATE ${collation}`;
}

/** The settings that decide how the session reads and answers statements, without those that limit writes. */
export function sessionState(dialect: Dialect, settings: SessionSettings): string {
  return [
    setNames(dialect, settings),
    `SESSION time_zone = '${settings.time_zone}'`,
    `SESSION sql_mode = '${sqlModeOf(dialect, settings)}'`,
    ...dialect.sessionAssignments,
  ].join(", ");
}

/**
 * The state in which every statement starts. COM_RESET_CONNECTION sets session variables back to the server's
 * global values, also the character set. So the restore sets everything important again.
 */
export function restingState(dialect: Dialect, settings: SessionSettings): string {
  return [pooledState(dialect, settings), ...dialect.restingAssignments(settings)].join(", ");
}

/**
 * The state of a pooled session, without those settings that limit writes. With a global `autocommit` of 0,
 * all statements until the restore would be one transaction, which sees the rows as they were at its
 * beginning.
 */
function pooledState(dialect: Dialect, settings: SessionSettings): string {
  return `${sessionState(dialect, settings)}, SESSION autocommit = 1`;
}

/**
 * Lifts the read-only resting state until the restore. It applies to more than the next transaction: DDL
 * commits before it begins, and a procedure may have several transactions.
 * @returns undefined if the engine has no such state
 */
export function writableState({ enforcesReadOnly }: Dialect): string | undefined {
  return enforcesReadOnly ? "SET SESSION TRANSACTION READ WRITE" : undefined;
}

/** @param role as configured (`name` or `name@host`), or as CURRENT_ROLE() printed it */
export function setRole({ rolesHaveHosts }: Dialect, role: string | null): string {
  if (role === null || role === "NONE" || role === "") return "SET ROLE NONE";
  if (role.startsWith("`")) return `SET ROLE ${role}`;
  const [user = "", host] = role.split("@");
  const quoted = host === undefined || !rolesHaveHosts ? [user] : [user, host];
  return `SET ROLE ${quoted.map(quoteIdentifier).join("@")}`;
}

/** The statements of a restore between COM_RESET_CONNECTION and the proof. */
export interface RestoreStatements {
  /** Sent before the hot statements are prepared again. */
  before: string[];
  after: string[];
}

/**
 * The proof comes last. It is a SELECT of one row, so it also sets FOUND_ROWS(), which a reset keeps.
 * @param writes whether writing statements are to be prepared: a read-only session refuses even to prepare
 *   them
 * @param role the session's role, as CURRENT_ROLE() printed it
 */
export function restoreStatements(
  dialect: Dialect,
  database: string,
  settings: SessionSettings,
  writes: boolean,
  role: string | null = null,
): RestoreStatements {
  const isLifted = writes && dialect.enforcesReadOnly;
  const state = isLifted ? pooledState(dialect, settings) : restingState(dialect, settings);
  return {
    before: dialect.restoring(state, `USE ${quoteIdentifier(database)}`, role),
    after: isLifted ? ["SET SESSION TRANSACTION READ ONLY"] : [],
  };
}
