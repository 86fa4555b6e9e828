import type { Account } from "../../../config/config.ts";
import type { Dialect } from "./dialect.ts";

/** What an account says of its sessions. No text has a character that ends a string. */
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

/** How every statement is read and answered, without what it may do. */
export function sessionState(dialect: Dialect, settings: SessionSettings): string {
  return [
    setNames(dialect, settings),
    `SESSION time_zone = '${settings.time_zone}'`,
    `SESSION sql_mode = '${sqlModeOf(dialect, settings)}'`,
    ...dialect.sessionAssignments,
  ].join(", ");
}

/**
 * The state every statement starts in. COM_RESET_CONNECTION puts session variables back to the server's
 * global values, the character set included, so all that matters is said again.
 */
export function restingState(dialect: Dialect, settings: SessionSettings): string {
  return [sessionState(dialect, settings), ...dialect.restingAssignments(settings)].join(", ");
}

/**
 * Lifts the read-only resting state until the restore. Not for the next transaction only: DDL commits before
 * it begins, and a procedure may have several transactions.
 * @returns undefined where there is no such state
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
  return `SET ROLE ${quoted.map(quoteName).join("@")}`;
}

/** What a restore sends between COM_RESET_CONNECTION and the proof. */
export interface RestoreStatements {
  /** Before the hot statements are prepared again. */
  before: string[];
  after: string[];
}

/**
 * The proof, which comes last, is a SELECT of one row: it settles FOUND_ROWS(), which a reset keeps as well.
 * @param writes whether statements that write are to be prepared: a session that is read-only refuses even that
 * @param role the session's, as CURRENT_ROLE() printed it
 */
export function restoreStatements(
  dialect: Dialect,
  database: string,
  settings: SessionSettings,
  writes: boolean,
  role: string | null = null,
): RestoreStatements {
  const isLifted = writes && dialect.enforcesReadOnly;
  const state = isLifted ? sessionState(dialect, settings) : restingState(dialect, settings);
  return {
    before: dialect.restoring(state, `USE ${quoteName(database)}`, role),
    after: isLifted ? ["SET SESSION TRANSACTION READ ONLY"] : [],
  };
}

function quoteName(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
