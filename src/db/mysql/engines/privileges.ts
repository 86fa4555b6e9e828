import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Row } from "../driver/commands.ts";

/**
 * Asks the server for the privileges of the account, also those of an active role.
 * https://docs.pingcap.com/tidb/stable/sql-statement-show-grants/
 */
export const privilegeQuery = "SHOW GRANTS";

/**
 * Old versions of TiDB write some names without backquotes. TiDB quotes accounts with single quotes, MySQL
 * with backquotes.
 */
const name = "(?:`(?:[^`]|``)*`|\\w+)";
const quoted = "(?:`(?:[^`]|``)*`|'(?:[^'\\\\]|'')*')";
const account = `${quoted}(?:@${quoted})?`;
/**
 * A privilege may apply to columns only: `SELECT(a, b)`. PROCESS shows other logins' processes, to callers
 * with sql:server.
 */
const privilege = "(?:USAGE|SELECT|SHOW VIEW|PROCESS)(?: ?\\([^()]+\\))?";
const object = `(?:\\*|${name})\\.(?:\\*|${name})`;

/** Matches a grant of only reading. Nothing may follow it, such as GRANT OPTION. */
const reads = new RegExp(`^GRANT ${privilege}(?:, ?${privilege})* ON ${object} TO ${account}$`, "i");
/** An active role's privileges are in lines of their own. No caller can activate another role. */
const roles = new RegExp(`^GRANT ${account}(?:, ?${account})* TO ${account}$`, "i");

/**
 * Every line that is not known to be harmless counts as too much.
 * @param rows the answer to `privilegeQuery`
 * @returns the privileges beyond reading, in the server's words; undefined if there are none
 */
export function beyondReading(rows: readonly Row[]): string | undefined {
  // A server that answers with an OK has shown no privileges.
  const lines = Array.isArray(rows) ? rows.map((row: Row) => String(Object.values(row)[0])) : [];
  const surplus = lines.filter((line) => !reads.test(line) && !roles.test(line));
  if (lines.length === 0) return "SHOW GRANTS shows nothing";
  if (surplus.length === 0) return undefined;
  return `it has ${surplus[0]}${surplus.length > 1 ? ` and ${surplus.length - 1} more` : ""}`;
}

/**
 * @param rows the answer to `privilegeQuery`
 * @throws TidegateError `database_identity_wrong`; its operator text has the surplus privileges
 */
export function verifyReadsOnly(rows: readonly Row[]): void {
  const found = beyondReading(rows);
  if (found === undefined) return;
  throw new TidegateError(
    "database_identity_wrong",
    { retryAfter: limits.retryAfterSeconds },
    `no grant writes with this account, so it may have SELECT, SHOW VIEW and PROCESS only: ${found}`,
  );
}
