import type { Account } from "../../../config/config.ts";
import type { BoundValue } from "../../../sql/bind-values.ts";
import type { BatchValue } from "../../../sql/references.ts";
import type { Identity } from "./identity.ts";

/**
 * What the engines do differently. Each engine has one dialect (mysql.ts, mariadb.ts, tidb.ts), and `dialectOf` chooses it
 * from `cluster.engine`. All other code asks the dialect: it compares no names of engines. What every engine does alike
 * is no part of it, and stands in the functions that take a dialect.
 */
export interface Dialect extends ProofWords, SessionWords, RestoreWords, Preparing, Conversions {}

/** What a session is asked about itself. */
interface ProofWords {
  /**
   * An expression: which server it is. MySQL and MariaDB give a server an id of its own; of TiDB it is the host's name.
   */
  readonly serverId: string;
  /**
   * An expression: the login that was mapped to another account, or NULL. TiDB has no proxy users.
   * https://dev.mysql.com/doc/refman/9.7/en/proxy-users.html
   */
  readonly proxyUser: string;
  /** An expression: whether the server takes no writes. TiDB is not asked: it is read-only as a whole cluster. */
  readonly serverReadOnly: string;
  /**
   * A query whose column `started` is when the server started, in seconds by its own clock: both parts are read in one
   * statement. Every login may ask, and MySQL answers with performance_schema off, too. Undefined on TiDB: each start of a
   * server draws a number that its ids carry.
   */
  readonly serverStart: string | undefined;
  /**
   * @returns whether the id of `other` is the same connection's on the server of `control`. On another server the same id may
   *   be another caller's, and so it may on the same server after a restart, where MySQL and MariaDB count ids from 1 again. A
   *   server of a TiDB cluster hands a KILL on to the server that the id names
   */
  sharesIds(control: Identity, other: Identity): boolean;
  /**
   * Whether a login is asked for its privileges: on TiDB only. There nothing but privileges makes an account read-only, and
   * a server with skip-grant-table lets everybody in under any name, where only this question fails.
   */
  readonly asksPrivileges: boolean;
}

/** In which state a session is. An assignment is a part of a SET. */
interface SessionWords {
  /**
   * The modes of an account that says none, comma-separated. The statement lexer relies on every account's: backslash escapes
   * on, double quotes are strings (src/config/session-rules.ts).
   */
  readonly defaultSqlMode: string;
  /** An expression: the utf8mb4 collation of the current database. */
  readonly databaseCollation: string;
  /**
   * Further assignments of every session. With `max_error_count` 0 for all, a server counts warnings and keeps none. MySQL lets
   * no login without SESSION_VARIABLES_ADMIN change it (1227): there they stay unread, and count as what they may be. TiDB
   * keeps all.
   */
  readonly sessionAssignments: readonly string[];
  /**
   * Further assignments of a session at rest: READ ONLY, where there is such a state.
   * TiDB runs a statement on when its connection is gone, and no KILL is safe then: after a restart the id may be another
   * caller's. So TiDB itself ends a SELECT that was left running; its max_execution_time counts for nothing else. The time
   * is longer than every deadline of the account, so it never ends a statement that may still run.
   */
  restingAssignments(account: Pick<Account, "longestDeadlineMs">): readonly string[];
  /** Whether `restingAssignments` has the account's longest deadline in it: on TiDB. */
  readonly restsWithDeadline: boolean;
  /**
   * Further assignments of a transaction on a connection that is lent for its duration. The server ends the statement at the
   * deadline itself where it can: MySQL and TiDB a SELECT, MariaDB any.
   */
  transactionAssignments(deadlineMs: number): readonly string[];
  /**
   * Whether a session or a transaction can be READ ONLY. TiDB has no such state, and takes the words only where it is told to
   * ignore them; its read-only accounts must be so by privilege.
   */
  readonly enforcesReadOnly: boolean;
  /** Whether a role is an account, with a host. MariaDB's has none. */
  readonly rolesHaveHosts: boolean;
}

/** What a restore has to say to the server, and what the server keeps over COM_RESET_CONNECTION. */
interface RestoreWords {
  /**
   * What is sent between COM_RESET_CONNECTION and the proof. The reset keeps the role and the database, and MySQL's
   * optimizer traces and MariaDB's profiles: these hold the texts of statements.
   * MariaDB lets a session go on with a role that was revoked: only SET ROLE refuses it (1959).
   * @param state the session's state, as one SET
   * @param use the statement that goes back to the database
   * @param role the session's, as CURRENT_ROLE() printed it
   */
  restoring(state: string, use: string, role: string | null): string[];
  /**
   * Whether a reset leaves a PREPAREd XA transaction attached to the connection: on MariaDB. In every other state the reset
   * takes the XA transaction back, and MySQL detaches it.
   */
  readonly resetKeepsXa: boolean;
  /**
   * Whether a changed max_allowed_packet counts after a reset: on TiDB, which takes the global value at once. Elsewhere that of
   * the login counts, whatever the session shows after a reset.
   */
  readonly resetChangesPacketLimit: boolean;
}

/** What PREPARE does. */
interface Preparing {
  /** Whether the reply to PREPARE has the types that the placeholders were derived to: on MySQL. */
  readonly derivesTypes: boolean;
  /** Whether SHOW WARNINGS and SHOW ERRORS can be prepared. MySQL's refusal is an error itself, and would be all that they show. */
  readonly preparesShowWarnings: boolean;
  /** Whether a change may answer with rows, which PREPARE does not announce: MariaDB's RETURNING. Elsewhere that word may be a name. */
  readonly changesReturnRows: boolean;
  /** @returns whether preparing the statement runs nothing of it. TiDB runs subqueries and functions of constants. */
  preparesWithoutRunning(sql: string): boolean;
  /**
   * A query that tells whether preparing has run something, with 1 as its column `ran`: on TiDB a view may hide what
   * `preparesWithoutRunning` looks for. LAST_INSERT_ID() cannot be put back to 0.
   */
  readonly preparingRan: string | undefined;
}

/** How a server takes a value for one of another type, and what it says of it. */
interface Conversions {
  /**
   * A query for the first warnings of the statement before.
   * TiDB's SHOW WARNINGS takes no LIMIT, and it may have 65,535 rows: there a variable counts them. (A SET before the question
   * would clear the warnings.) TiDB is asked for one row more: a note on its plan may be among them, which is not told.
   * @param number no question before this one in the same session may have had it: the variable counts from null
   */
  warningsQuestion(number: number): string;
  /**
   * @returns whether a warning says that a text was taken for a number, a date or a time. MySQL and MariaDB say so with one
   *   number; TiDB has others too, and says the same when it rounds a DECIMAL, which is no text
   */
  tellsConversion(code: number, message: string): boolean;
  /**
   * @param values as they are bound
   * @returns whether a change may be made with a value that was converted, and a warning. A strict server refuses it (1292);
   *   MariaDB only warns in many a change: in each DELETE, with a BIGINT, in a list. TiDB takes an empty text for 0 where it
   *   would refuse every other text
   */
  onlyWarnsInChange(values: readonly BoundValue[]): boolean;
  /** Whether texts may be taken for numbers without a warning, where PREPARE has not told the types: on MySQL. */
  readonly convertsSilently: boolean;
  /**
   * @param sql with `?` only
   * @param values one for each `?`
   * @returns the statement in words with which the server warns of what it converts; only MariaDB needs others
   */
  comparedAloud(sql: string, values: readonly BatchValue[]): string;
}
