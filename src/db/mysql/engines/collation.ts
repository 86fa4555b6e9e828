import type { Account } from "../../../config/config.ts";

/**
 * The collation in which a session compares texts that come from no column: the account's, or the database's.
 */

/**
 * Collation names are written into statements, so they must have this form. Names of the servers' collations
 * have it.
 */
const form = /^utf8mb4_[a-z0-9_]+$/;

/**
 * Texts arrive in utf8mb4 even in a database of another character set. Then the server's own utf8mb4
 * collation applies.
 */
export function utf8mb4Of(name: string, otherwise: string): string {
  return `IF(LEFT(${name}, 8) = 'utf8mb4_', ${name}, ${otherwise})`;
}

/**
 * Reads the collation from SCHEMATA. After COM_RESET_CONNECTION, `@@collation_database` of MySQL and MariaDB
 * is the server's own until the next USE. TiDB keeps it, but SCHEMATA lacks a database if the login may read
 * only some of its tables.
 */
export function ofSchemata(otherwise: string): string {
  return `(SELECT ${utf8mb4Of("DEFAULT_COLLATION_NAME", otherwise)} FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE())`;
}

/** @param found the session's collation. @returns a sentence if it is wrong, else undefined */
export function collationDifference({ collation }: Pick<Account, "collation">, found: string) {
  if (form.test(found) && (collation ?? found) === found) return undefined;
  return `@@collation_connection must be ${collation === undefined ? "a utf8mb4 one" : `"${collation}"`} but is "${found}"`;
}
