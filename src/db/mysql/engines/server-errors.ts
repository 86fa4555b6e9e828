import type { ErrorCode } from "../../../errors.ts";

/**
 * What each of the server's errors means, in one table (MySQL manual, "Server Error Message Reference"; MariaDB's numbers of
 * the same meaning; TiDB's own, from 8001 on). docs/errors.md shows every row, and a test compares the two.
 */
export interface ServerErrorKind {
  code: ErrorCode;
  /** Left out: as the code. */
  retryable?: boolean;
  /**
   * `kept`: it serves the next caller. `ended`: it is closed when its request, or its transaction, is over. `left`: so are
   * all of the account's connections to that server, since it takes no writes.
   */
  connection: "kept" | "ended" | "left";
  /** `open`: only the statement is undone. `either`: it depends on the server's settings, which is asked. */
  transaction: "open" | "rolled_back" | "either";
  /** As the answer to a COMMIT. `refused`: it has certainly not happened. */
  commit: "refused" | "unknown";
  /** Nothing has run: the statement is prepared anew and executed once more. */
  again?: true;
}

/** A row of the table: some of the server's numbers, and what each of them means. */
export interface ServerErrorRow extends ServerErrorKind {
  numbers: readonly number[];
  /** The row counts only for messages that match. */
  words?: RegExp;
}

/** ER_TRUNCATED_WRONG_VALUE: a text was taken for a number, a date or a time that it is not. */
export const truncatedWrongValue = 1292;

const statementOnly = { connection: "kept", transaction: "open", commit: "unknown" } as const;
const refused = { connection: "kept", transaction: "open", commit: "refused" } as const;
/** The server has rolled back everything, or the statement alone. */
const raceLost = { connection: "kept", transaction: "either", commit: "refused" } as const;
const readOnly = { connection: "left", transaction: "open", commit: "refused" } as const;
const gone = { connection: "ended", transaction: "rolled_back", commit: "unknown" } as const;

/** The first row that has the number and fits the message counts. */
export const serverErrors: readonly ServerErrorRow[] = [
  // A privilege is missing, or the session or transaction is READ ONLY. The last two are TiDB's.
  {
    numbers: [1044, 1142, 1143, 1227, 1370, 1410, 1792, 8121, 8132],
    code: "sql_denied",
    ...refused,
  },
  // Duplicate keys, foreign keys, checks.
  {
    numbers: [1022, 1062, 1169, 1216, 1217, 1451, 1452, 1557, 1586, 1761, 1762, 3819, 4025],
    code: "sql_conflict",
    ...refused,
  },
  // TiDB: a key that was to be new is there.
  { numbers: [8141], code: "sql_conflict", ...refused },
  { numbers: [8147], code: "sql_conflict", ...refused, transaction: "rolled_back" },
  // Lost races: changed since read, lock wait, NOWAIT.
  { numbers: [1020, 1205, 3572], code: "sql_transient", ...raceLost },
  // Deadlock; Group Replication has refused the transaction.
  { numbers: [1213, 3101], code: "sql_transient", ...raceLost, transaction: "rolled_back" },
  // The server prepares again by itself, and has given up: the tables' definitions change, or do not fit its cache.
  { numbers: [1615], code: "sql_transient", ...refused, again: true },
  // TiDB: write conflicts, tables that DDL has changed, a transaction that is too old for its locks or its snapshot.
  {
    numbers: [8002, 8005, 8022, 8028, 8113, 8229, 9006, 9007],
    code: "sql_transient",
    ...raceLost,
  },
  { numbers: [1317, 1969, 3024], code: "deadline_exceeded", ...statementOnly },
  // ER_UNKNOWN_ERROR. TiDB answers so to a KILL that finds a statement in SLEEP, or in the commit of its own.
  { numbers: [1105], words: /\bcontext canceled\b/, code: "deadline_exceeded", ...statementOnly },
  // EXECUTE in a program names a statement that there is not.
  { numbers: [1243], words: /\bgiven to EXECUTE\b/, code: "sql_error", ...statementOnly },
  // The server does not know the prepared statement. TiDB says so with 1105.
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
  // Group Replication's number for a transaction that another member's has overtaken (HA_ERR_LOCK_DEADLOCK).
  {
    numbers: [1180],
    words: /^Got error 149 /,
    code: "sql_transient",
    ...raceLost,
    transaction: "rolled_back",
  },
  // A commit failed half-way: the binary log, or another engine.
  { numbers: [1180], code: "outcome_unknown", ...gone, transaction: "either" },
  // A hook, Group Replication's for one, has refused the commit, and the server has rolled back.
  {
    numbers: [3100],
    code: "database_unavailable",
    ...refused,
    transaction: "rolled_back",
  },
  // Other options than the one for reading only: --secure-file-priv, --skip-grant-tables.
  { numbers: [1290], words: /--(?!\S*read-only)\S/, code: "sql_denied", ...refused },
  { numbers: [1290, 1836], code: "database_unavailable", ...readOnly },
  // Galera: this node has lost the others, or has yet to catch up. Elsewhere: a command that the server does not know.
  { numbers: [1047], code: "database_unavailable", ...readOnly, transaction: "either" },
  // Out of space, out of memory.
  { numbers: [1021, 1037, 1038, 1041, 1114], code: "database_unavailable", ...statementOnly },
  // A limit of the login account; too many transactions, or prepared statements.
  { numbers: [1203, 1226, 1461, 1637], code: "database_unavailable", ...statementOnly },
  // Shutting down; the connection was killed.
  { numbers: [1053, 1927], code: "database_unavailable", ...gone },
  // Said of a statement by what stands before the server, which has no connection to it.
  { numbers: [1040], code: "database_connections_exhausted", ...gone },
  // The server has read the packet's length only, and closes the connection.
  { numbers: [1153], code: "statement_too_large", ...gone },
  // TiDB: too large, in all, in one row or in one key; or no transaction at all; no memory for the query.
  { numbers: [8004, 8025, 8175, 8178], code: "sql_error", ...refused },
  { numbers: [8024], code: "sql_error", ...refused, transaction: "rolled_back" },
  // TiDB: what it does not have, or the resource group does not allow.
  { numbers: [8048, 8253, 8254], code: "sql_error", ...statementOnly },
  // TiDB: its tables' definitions are too old; no memory or no request units are left.
  { numbers: [8027, 8176, 8252], code: "database_unavailable", ...refused },
  // Behind TiDB: PD and TiKV; then TiFlash, and TiKV behind a coprocessor.
  {
    numbers: [9001, 9002, 9003, 9004, 9005, 9008, 9010, 9011],
    code: "database_unavailable",
    ...refused,
  },
  { numbers: [9012, 9013], code: "database_unavailable", ...statementOnly },
];

/** The table by number: an error is judged on the way of each request. */
const byNumber = Map.groupBy(
  serverErrors.flatMap((row) => row.numbers.map((number) => ({ number, row }))),
  ({ number }) => number,
);

/** A number that the table does not have. */
const other: ServerErrorKind = { code: "sql_error", ...statementOnly };

/** @returns what an error of the server's means, by its number and words */
export function kindOf(errno: number | undefined, message: string): ServerErrorKind {
  const rows = errno === undefined ? undefined : byNumber.get(errno);
  return rows?.find(({ row: { words } }) => words?.test(message) ?? true)?.row ?? other;
}
