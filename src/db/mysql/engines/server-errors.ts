import type { ErrorCode } from "../../../errors.ts";

/**
 * The meaning of each server error, in one table (MySQL manual, "Server Error Message Reference"; MariaDB's
 * numbers of the same meaning; TiDB's own, from 8001 on). docs/reference/errors.md shows every row, and a test compares
 * the two.
 */
export interface ServerErrorKind {
  code: ErrorCode;
  /** Undefined: as the code says. */
  retryable?: boolean;
  /**
   * `kept`: the connection serves the next caller. `ended`: it is closed after its request or transaction.
   * `left`: the server is read-only, so all connections of the account to that server are closed too.
   */
  connection: "kept" | "ended" | "left";
  /**
   * `open`: only the statement is undone. `either`: this depends on the server's settings, so the server is
   * asked.
   */
  transaction: "open" | "rolled_back" | "either";
  /** For an answer to COMMIT. `refused`: the COMMIT certainly did not happen. */
  commit: "refused" | "unknown";
  /** The statement has not run: it is prepared again and executed once more. */
  again?: true;
}

/** A row of the table: some error numbers and their meaning. */
export interface ServerErrorRow extends ServerErrorKind {
  numbers: readonly number[];
  /** The row applies only to messages that match. */
  words?: RegExp;
}

/** ER_TRUNCATED_WRONG_VALUE: a text was wrongly taken for a number, a date or a time. */
export const truncatedWrongValue = 1292;

const statementOnly = { connection: "kept", transaction: "open", commit: "unknown" } as const;
const refused = { connection: "kept", transaction: "open", commit: "refused" } as const;
/** The server has rolled back either the whole transaction or only the statement. */
const raceLost = { connection: "kept", transaction: "either", commit: "refused" } as const;
const readOnly = { connection: "left", transaction: "open", commit: "refused" } as const;
const gone = { connection: "ended", transaction: "rolled_back", commit: "unknown" } as const;

/** The first row with the number and a matching message applies. */
export const serverErrors: readonly ServerErrorRow[] = [
  // A privilege is missing, or the session or transaction is READ ONLY. 8121 and 8132 are TiDB's.
  {
    numbers: [1044, 1142, 1143, 1227, 1370, 1410, 1792, 8121, 8132],
    code: "sql_denied",
    ...refused,
  },
  // Violated keys, foreign keys and checks.
  {
    numbers: [1022, 1062, 1169, 1216, 1217, 1451, 1452, 1557, 1586, 1761, 1762, 3819, 4025],
    code: "sql_conflict",
    ...refused,
  },
  // TiDB: a key that should be new exists already.
  { numbers: [8141], code: "sql_conflict", ...refused },
  { numbers: [8147], code: "sql_conflict", ...refused, transaction: "rolled_back" },
  // Lost races: changed since read, lock wait, NOWAIT.
  { numbers: [1020, 1205, 3572], code: "sql_transient", ...raceLost },
  // Deadlock; or Group Replication has refused the transaction.
  { numbers: [1213, 3101], code: "sql_transient", ...raceLost, transaction: "rolled_back" },
  // The server prepares again by itself and has given up: the tables' definitions change, or do not fit its
  // cache.
  { numbers: [1615], code: "sql_transient", ...refused, again: true },
  // TiDB: write conflicts, tables changed by DDL, a transaction too old for its locks or its snapshot.
  {
    numbers: [8002, 8005, 8022, 8028, 8113, 8229, 9006, 9007],
    code: "sql_transient",
    ...raceLost,
  },
  { numbers: [1317, 1969, 3024], code: "deadline_exceeded", ...statementOnly },
  // ER_UNKNOWN_ERROR. TiDB sends it after a KILL of a statement in SLEEP, or in its own commit.
  { numbers: [1105], words: /\bcontext canceled\b/, code: "deadline_exceeded", ...statementOnly },
  // EXECUTE in a stored program names an unknown statement.
  { numbers: [1243], words: /\bgiven to EXECUTE\b/, code: "sql_error", ...statementOnly },
  // The server does not know the prepared statement. TiDB sends 1105 for it.
  {
    numbers: [1243],
    code: "database_unavailable",
    ...refused,
    connection: "ended",
    again: true,
  },
  {
    numbers: [1105],
    words: /^ERROR 1243 \(/,
    code: "database_unavailable",
    ...refused,
    connection: "ended",
    again: true,
  },
  // Group Replication's number for a transaction that lost against another member's (HA_ERR_LOCK_DEADLOCK).
  {
    numbers: [1180],
    words: /^Got error 149 /,
    code: "sql_transient",
    ...raceLost,
    transaction: "rolled_back",
  },
  // A commit failed half-way, in the binary log or another engine.
  { numbers: [1180], code: "outcome_unknown", ...gone, transaction: "either" },
  // A hook, such as Group Replication's, has refused the commit. The server has rolled back.
  {
    numbers: [3100],
    code: "database_unavailable",
    ...refused,
    transaction: "rolled_back",
  },
  // Server options other than read-only: --secure-file-priv, --skip-grant-tables.
  { numbers: [1290], words: /--(?!\S*read-only)\S/, code: "sql_denied", ...refused },
  { numbers: [1290, 1836], code: "database_unavailable", ...readOnly },
  // Galera: this node has lost the others, or must catch up first. On other servers: an unknown command.
  { numbers: [1047], code: "database_unavailable", ...readOnly, transaction: "either" },
  // Out of space, out of memory.
  { numbers: [1021, 1037, 1038, 1041, 1114], code: "database_unavailable", ...statementOnly },
  // A limit of the login account; too many transactions, or prepared statements.
  { numbers: [1203, 1226, 1461, 1637], code: "database_unavailable", ...statementOnly },
  // Shutting down; the connection was killed.
  { numbers: [1053, 1927], code: "database_unavailable", ...gone },
  // As the answer to a statement, this comes from a proxy that has no connection to the server.
  { numbers: [1040], code: "database_connections_exhausted", ...gone },
  // The server has read only the packet's length, and closes the connection.
  { numbers: [1153], code: "statement_too_large", ...gone },
  // TiDB: the transaction, one row or one key is too large; the query needs too much memory; there is no
  // valid transaction.
  { numbers: [8004, 8025, 8175, 8178], code: "sql_error", ...refused },
  { numbers: [8024], code: "sql_error", ...refused, transaction: "rolled_back" },
  // TiDB: an unsupported option, or a statement that the resource group does not allow.
  { numbers: [8048, 8253, 8254], code: "sql_error", ...statementOnly },
  // TiDB: its table definitions are too old, or memory or request units are used up.
  { numbers: [8027, 8176, 8252], code: "database_unavailable", ...refused },
  // Errors of servers behind TiDB: PD and TiKV, then TiFlash and TiKV behind a coprocessor.
  {
    numbers: [9001, 9002, 9003, 9004, 9005, 9008, 9010, 9011],
    code: "database_unavailable",
    ...refused,
  },
  { numbers: [9012, 9013], code: "database_unavailable", ...statementOnly },
];

/** The table by number, because requests look errors up. */
const byNumber = Map.groupBy(
  serverErrors.flatMap((row) => row.numbers.map((number) => ({ number, row }))),
  ({ number }) => number,
);

/** The meaning of a number that is not in the table. */
const other: ServerErrorKind = { code: "sql_error", ...statementOnly };

/** @returns the meaning of a server's error, by its number and message */
export function kindOf(errno: number | undefined, message: string): ServerErrorKind {
  const rows = errno === undefined ? undefined : byNumber.get(errno);
  return rows?.find(({ row: { words } }) => words?.test(message) ?? true)?.row ?? other;
}
