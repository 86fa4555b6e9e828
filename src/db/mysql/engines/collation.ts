import type { Account } from "../../../config/config.ts";

/** In which collation a session compares texts that no column holds: the account's, or the database's own. */

/** It is written into statements. Names of collations that servers have look so. */
const form = /^utf8mb4_[a-z0-9_]+$/;

/** In a database of another character set texts arrive in utf8mb4 all the same: the server's collation for that. */
export function utf8mb4Of(name: string, otherwise: string): string {
  return `IF(LEFT(${name}, 8) = 'utf8mb4_', ${name}, ${otherwise})`;
}

/**
 * After COM_RESET_CONNECTION `@@collation_database` is the server's own on MySQL and MariaDB, until the next USE. TiDB keeps
 * it, and shows in SCHEMATA no database of which a login may only read some tables.
 */
export function ofSchemata(otherwise: string): string {
  return `(SELECT ${utf8mb4Of("DEFAULT_COLLATION_NAME", otherwise)} FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE())`;
}

/** @param found the session's collation. @returns what is wrong with it */
export function collationDifference({ collation }: Pick<Account, "collation">, found: string) {
  if (form.test(found) && (collation ?? found) === found) return undefined;
  return `@@collation_connection must be ${collation === undefined ? "a utf8mb4 one" : `"${collation}"`} but is "${found}"`;
}
