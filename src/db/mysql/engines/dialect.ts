import type { Account } from "../../../config/config.ts";
import type { BoundValue } from "../../../sql/bound-value.ts";
import type { PlainSelect } from "../../../sql/plain/plain-select.ts";
import type { BatchValue } from "../../../sql/references.ts";
import type { Identity } from "./identity.ts";

/**
 * The differences between the engines. Each engine has one dialect (mysql.ts, mariadb.ts, tidb.ts), and
 * `dialectOf` chooses it from `cluster.engine`. All other code asks the dialect and compares no names of
 * engines. Behaviour that all engines share is not part of it: it is in the functions that take a dialect.
 */
export interface Dialect extends ProofWords, SessionWords, RestoreWords, Preparing, Conversions, PlainWords {}

/** Expressions and queries that prove a session. */
interface ProofWords {
  /**
   * An expression for the server's identity. MySQL and MariaDB give each server an id of its own. For TiDB it
   * is the host's name.
   */
  readonly serverId: string;
  /**
   * An expression for the login that was mapped to another account, or NULL. TiDB has no proxy users.
   * https://dev.mysql.com/doc/refman/9.7/en/proxy-users.html
   */
  readonly proxyUser: string;
  /**
   * An expression: whether the server is read-only. TiDB is not asked: only a whole TiDB cluster is
   * read-only.
   */
  readonly serverReadOnly: string;
  /**
   * A query for the server's start, as its column `started`, in seconds by the server's clock. Both parts are
   * read in one statement. Every login may run it, and on MySQL it works with performance_schema off too.
   * Undefined for TiDB: there each start of a server draws a number, and connection ids contain it.
   */
  readonly serverStart: string | undefined;
  /**
   * @returns whether the id of `other` means the same connection on the server of `control`. On another
   *   server the id may be another caller's. After a restart it may be another caller's on the same server
   *   too, because MySQL and MariaDB count ids from 1 again. A server of a TiDB cluster passes a KILL on to
   *   the server that the id names
   */
  sharesIds(control: Identity, other: Identity): boolean;
  /**
   * Whether a login's privileges are read: only on TiDB. There only privileges make an account read-only. A
   * TiDB server with skip-grant-table accepts everybody under any name, and only this query fails there.
   */
  readonly asksPrivileges: boolean;
}

/** The session's state. An assignment is a part of a SET. */
interface SessionWords {
  /**
   * The sql_mode of an account without one, comma-separated. The statement lexer relies on every account's
   * modes: backslash escapes are on, and double quotes are strings (src/config/session-rules.ts).
   */
  readonly defaultSqlMode: string;
  /** An expression: the utf8mb4 collation of the current database. */
  readonly databaseCollation: string;
  /**
   * Further assignments of every session. If max_error_count is 0, a server counts warnings and keeps none,
   * so MariaDB's sessions set it. On MySQL only a login with SESSION_VARIABLES_ADMIN may change it (1227), so
   * there such warnings stay unread. TiDB keeps all warnings.
   */
  readonly sessionAssignments: readonly string[];
  /**
   * Further assignments of a session at rest: READ ONLY, if the engine has such a state.
   * TiDB continues a statement after its connection is lost. Then no KILL is safe: after a restart the id may
   * be another caller's. So TiDB itself ends such a SELECT, by max_execution_time, which applies to no other
   * statement. The time is longer than every deadline of the account, so it never ends a statement within its
   * deadline.
   */
  restingAssignments(account: Pick<Account, "longestDeadlineMs">): readonly string[];
  /** Whether `restingAssignments` contains the account's longest deadline: only on TiDB. */
  readonly restsWithDeadline: boolean;
  /**
   * Further assignments of a transaction on a connection that is lent for its duration. The server ends the
   * statement at the deadline itself if it can: MySQL and TiDB end a SELECT, MariaDB ends any statement.
   */
  transactionAssignments(deadlineMs: number): readonly string[];
  /**
   * Whether a session or a transaction can be READ ONLY. TiDB has no such state, and accepts the words only
   * if it is configured to ignore them. Its read-only accounts must be read-only by privilege.
   */
  readonly enforcesReadOnly: boolean;
  /** Whether a role is an account with a host. A role of MariaDB has no host. */
  readonly rolesHaveHosts: boolean;
}

/** The restore's statements, and the state that COM_RESET_CONNECTION keeps. */
interface RestoreWords {
  /**
   * The statements between COM_RESET_CONNECTION and the proof. The reset keeps the role, the database,
   * MySQL's optimizer traces and MariaDB's profiles. Traces and profiles hold texts of statements.
   * In MariaDB a session keeps a role after it is revoked; only SET ROLE refuses it (1959).
   * @param state the session's state, as one SET
   * @param use the statement that returns to the database
   * @param role the session's role, as CURRENT_ROLE() printed it
   */
  restoring(state: string, use: string, role: string | null): string[];
  /**
   * Whether a reset keeps a PREPAREd XA transaction attached to the connection: on MariaDB. MySQL detaches
   * it. In every other state the reset rolls the XA transaction back.
   */
  readonly resetKeepsXa: boolean;
  /**
   * Whether a changed max_allowed_packet takes effect after a reset: on TiDB, which takes the global value at
   * once. The other engines keep the login's value, whatever the session shows after a reset.
   */
  readonly resetChangesPacketLimit: boolean;
}

/** The effects of PREPARE. */
interface Preparing {
  /** Whether the reply to PREPARE has the derived types of the placeholders: on MySQL. */
  readonly derivesTypes: boolean;
  /**
   * Whether SHOW WARNINGS and SHOW ERRORS can be prepared. MySQL refuses with an error, which would then
   * replace the warnings to show.
   */
  readonly preparesShowWarnings: boolean;
  /**
   * Whether a change may return rows that PREPARE does not announce: MariaDB's RETURNING. On other engines
   * that word may be a name.
   */
  readonly changesReturnRows: boolean;
  /**
   * @returns whether PREPARE runs no part of the statement. TiDB runs subqueries and functions of constants.
   */
  preparesWithoutRunning(sql: string): boolean;
  /**
   * A query that tells whether PREPARE has run something, as 1 in its column `ran`. TiDB needs it: a view may
   * hide the parts that `preparesWithoutRunning` looks for. LAST_INSERT_ID() cannot be set back to 0.
   */
  readonly preparingRan: string | undefined;
}

/** How a server converts values of another type, and how it warns of that. */
interface Conversions {
  /**
   * A query for the first warnings of the statement before.
   * TiDB's SHOW WARNINGS has no LIMIT and may return 65,535 rows, so a variable counts them. (A SET before
   * the query would clear the warnings.) TiDB is asked for one row more, because one of them may be a note on
   * its plan, which is not shown.
   * @param number must be new in the session, because the variable counts from null
   */
  warningsQuestion(number: number): string;
  /**
   * @returns whether a warning means that a text was taken for a number, a date or a time. MySQL and MariaDB
   *   use one error number for it. TiDB has others too, and also uses this number when it rounds a DECIMAL,
   *   which is not a text
   */
  tellsConversion(code: number, message: string): boolean;
  /**
   * @param values the bound values
   * @returns whether a change may succeed with a converted value and only a warning. A strict server refuses
   *   it (1292). MariaDB only warns in many changes: in each DELETE, with a BIGINT, in a list. TiDB takes an
   *   empty text for 0, though it refuses every other text
   */
  onlyWarnsInChange(values: readonly BoundValue[]): boolean;
  /** Whether texts may be taken for numbers without a warning if PREPARE has not sent the types: on MySQL. */
  readonly convertsSilently: boolean;
  /**
   * @param sql with `?` only
   * @param values one for each `?`
   * @returns the statement in a form for which the server warns of conversions. Only MariaDB needs another
   *   form
   */
  comparedAloud(sql: string, values: readonly BatchValue[]): string;
}

/** The question whether SELECTs that look plain are plain. `verifiedPlain` (plain.ts) reads its answer. */
interface PlainWords {
  /**
   * One query, to be asked in the session's final role and database. Its answer holds for all statements
   * until a restore.
   */
  plainQuestion(statements: readonly PlainSelect[]): string;
}
