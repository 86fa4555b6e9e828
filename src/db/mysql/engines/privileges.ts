import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Row } from "../driver/commands.ts";

/**
 * What an account may do, as the server itself says it; of an active role too.
 * https://docs.pingcap.com/tidb/stable/sql-statement-show-grants/
 */
export const privilegeQuery = "SHOW GRANTS";

/** TiDB of old writes some names without backquotes. Accounts stand in single quotes, in MySQL's answer in backquotes. */
const name = "(?:`(?:[^`]|``)*`|\\w+)";
const quoted = "(?:`(?:[^`]|``)*`|'(?:[^'\\\\]|'')*')";
const account = `${quoted}(?:@${quoted})?`;
/** On columns alone: `SELECT(a, b)`. PROCESS shows other logins' processes, to callers with sql:server. */
const privilege = "(?:USAGE|SELECT|SHOW VIEW|PROCESS)(?: ?\\([^()]+\\))?";
const object = `(?:\\*|${name})\\.(?:\\*|${name})`;

/** Nothing but reading, and nothing behind it: no GRANT OPTION. */
const reads = new RegExp(`^GRANT ${privilege}(?:, ?${privilege})* ON ${object} TO ${account}$`, "i");
/** A role's privileges stand in lines of their own where it is active; another one nobody can take. */
const roles = new RegExp(`^GRANT ${account}(?:, ?${account})* TO ${account}$`, "i");

/**
 * What is not known to be harmless counts as too much.
 * @param rows the answer to `privilegeQuery`
 * @returns what of it goes beyond reading, in the server's words; undefined when nothing does
 */
export function beyondReading(rows: readonly Row[]): string | undefined {
  // A server that answers with an OK has shown nothing.
  const lines = Array.isArray(rows) ? rows.map((row: Row) => String(Object.values(row)[0])) : [];
  const surplus = lines.filter((line) => !reads.test(line) && !roles.test(line));
  if (lines.length === 0) return "SHOW GRANTS shows nothing";
  if (surplus.length === 0) return undefined;
  return `it has ${surplus[0]}${surplus.length > 1 ? ` and ${surplus.length - 1} more` : ""}`;
}

/**
 * @param rows the answer to `privilegeQuery`
 * @throws TidegateError `database_identity_wrong` whose operator text has what is too much
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
